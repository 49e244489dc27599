"""The text of a header, body or footer: variables, lengths, emoji and formatting."""

import re
from dataclasses import dataclass

from simulator.template_rules.refusals import (
    BAD_BODY,
    BAD_BUTTON,
    BAD_FOOTER,
    BAD_HEADER,
    TOO_MANY_VARIABLES,
    VARIABLE_AT_END,
    refusal,
    too_long,
)

VARIABLE = re.compile(r"\{\{(\w+)\}\}")
NAMED = re.compile(r"(?!\d+$)[a-z0-9_]+")
ADJACENT = re.compile(r"\}\}\s*\{\{")
_PICTURE = (
    "[\U0001f000-\U0001f3fa\U0001f400-\U0001faff\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55"
    "\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe"
    "\u203c\u2049\u3030\u303d\u3297\u3299]"
)
_TONE = "[\ufe0f\U0001f3fb-\U0001f3ff]"
# One emoji each: a flag of two letters, a picture with its tone and what is joined to it, a keycap.
EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|{_PICTURE}{_TONE}*(?:\u200d{_PICTURE}{_TONE}*)*|[0-9#*]\ufe0f?\u20e3|.\ufe0f"
)
MARKUP = re.compile(r"\*|`|(?<!\w)([_~])(?=\S)[^\n]+?(?<=\S)\1(?!\w)")
# Scripts that put no spaces between words; each of their characters counts as a word.
UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
# What a reader does not see: zero-width characters and marks of direction. Beside a variable they are no text.
UNSEEN = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
PUNCTUATION = " \t\n.,;:!?()\"'-*_~\u2026\u00a1\u00bf\u201c\u201d\u2018\u2019\u2013\u2014\u3002\u060c\u061f"
MOST_EMOJI = 10
# More than two, also where the lines between hold nothing but spaces.
NEWLINES = re.compile(r"\n[ \t\r]*\n[ \t\r]*\n")
LINE_BREAK = re.compile(r"[\n\r\t\v\f\u0085\u2028\u2029]")
SHAPES = {"HEADER": BAD_HEADER, "BODY": BAD_BODY, "FOOTER": BAD_FOOTER}
PLAIN = {
    "HEADER": "Message headers can't have any new lines, formatting characters, emojis or asterisks.",
    "FOOTER": "Message footers can't have any variables, new lines, formatting characters or emojis.",
    "BUTTONS": "Buttons can't have any variables, newlines, emojis or formatting characters.",
}


@dataclass(frozen=True)
class Wording:
    """How variables of a template are written, and whether a full stop after the last one counts as text."""

    named: bool
    punctuation_counts: bool = True


def variables_of(text: str) -> list[str]:
    """The names or numbers in {{…}}, each once, in order of appearance."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def is_blank(text: str) -> bool:
    """True if there is nothing to read."""
    return not UNSEEN.sub("", text).strip()


def check_header(text: str, wording: Wording) -> None:
    """At most 60 characters in one plain line with one variable."""
    _check_length("header", text, 60)
    _check_plain("HEADER", text)
    _check_braces("HEADER", text, wording)
    if len(VARIABLE.findall(text)) > 1:
        raise refusal(BAD_HEADER, "Message headers can have one variable.")


def check_body(text: str, longest: int, wording: Wording) -> None:
    """Length, variables and their surroundings, and Meta's limits of newlines and emoji."""
    _check_length("body", text, longest)
    _check_braces("BODY", text, wording)
    if len(EMOJI.findall(text)) > MOST_EMOJI or NEWLINES.search(text):
        sentence = (
            "The message body can't have more than two consecutive newline characters, only have parameters,"
            " or have more than 10 emojis."
        )
        raise refusal(BAD_BODY, sentence)
    if ADJACENT.search(UNSEEN.sub("", text)):
        raise refusal(BAD_BODY, "Variables can't be next to each other. Add text between them.")
    _check_ends(text, wording)
    _check_ratio(text)


def check_footer(text: str) -> None:
    """At most 60 characters in one plain line without variables."""
    _check_length("footer", text, 60)
    _check_plain("FOOTER", text)
    if "{" in text or "}" in text:
        raise refusal(BAD_FOOTER, PLAIN["FOOTER"])


def check_label(text: str, longest: int) -> None:
    """The text of a button."""
    _check_length("button text", text, longest)
    if "{" in text or "}" in text or not _is_plain(text):
        raise refusal(BAD_BUTTON, PLAIN["BUTTONS"])


def _check_length(place: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise too_long(place, longest)


def _check_plain(place: str, text: str) -> None:
    if not _is_plain(VARIABLE.sub(" ", text)):
        raise refusal(SHAPES[place], PLAIN[place])


def _is_plain(text: str) -> bool:
    return not (LINE_BREAK.search(text) or EMOJI.search(text) or MARKUP.search(text))


def _check_braces(place: str, text: str, wording: Wording) -> None:
    """Every pair of braces holds a number or, in a named template, a name; numbers count from 1 without a gap."""
    rest, names = VARIABLE.sub("", text), variables_of(text)
    if "{" in rest or "}" in rest:
        raise refusal(SHAPES[place], "Variables have mismatched or misspelled braces. Write them like {{1}}.")
    if wording.named and not all(NAMED.fullmatch(name) for name in names):
        raise refusal(SHAPES[place], "Named variables are lowercase letters, digits and underscores, like {{name}}.")
    if not wording.named and sorted(names) != sorted(str(number + 1) for number in range(len(names))):
        raise refusal(SHAPES[place], "Variables must be numbered from {{1}} without leaving a number out.")


def _check_ends(text: str, wording: Wording) -> None:
    seen = UNSEEN.sub("", text)
    bare = seen.strip() if wording.punctuation_counts else seen.strip(PUNCTUATION)
    first, last = VARIABLE.match(bare), [match.end() for match in VARIABLE.finditer(bare)][-1:]
    if first or last == [len(bare)]:
        raise refusal(VARIABLE_AT_END, "Variables can't be at the start or end of the template.")


def _check_ratio(text: str) -> None:
    """For n variables, 2n + 1 other words."""
    count, rest = len(VARIABLE.findall(text)), VARIABLE.sub(" ", text)
    if count and words_in(rest) < 2 * count + 1:
        sentence = (
            "This template has too many variables for its length. Reduce the number of variables"
            " or increase the message length."
        )
        raise refusal(TOO_MANY_VARIABLES, sentence)


def words_in(text: str) -> int:
    """How many words a text has, of which each holds a letter or digit; in scripts without spaces, characters."""
    spaced = UNSPACED.sub(" ", text).split()
    return len(UNSPACED.findall(text)) + sum(any(map(str.isalnum, word)) for word in spaced)
