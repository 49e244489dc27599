"""Meta's rules for the texts of a template: header, body, footer and the labels of buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from .template_problems import Problem, too_long
from .template_variables import LONGEST_HEADER

LONGEST_FOOTER, LONGEST_LABEL, LONGEST_OFFER = 60, 25, 16
MOST_EMOJI = 10
# A text that is far too long is only said to be so: to look closer at it would take time and help no one.
MOST_LOOKED_AT = 8_192
# Zero-width characters and marks of direction: nothing that a reader sees.
UNSEEN = "\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\u061c\ufeff"
_UNSEEN = re.compile(f"[{UNSEEN}]")
_BRACES = re.compile(r"\{\{([^{}]*)\}\}|[{}]")
_POSITIONAL, _NAMED = re.compile(r"[1-9][0-9]{0,4}"), re.compile(r"[a-z0-9_]+")
_BLANK_LINES = re.compile(r"\n[ \t\r]*\n[ \t\r]*\n")
_LINE_BREAKS = re.compile(r"[\n\r\t\v\f\u0085\u2028\u2029]")
_PICTURE = (
    "[\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff\u2600-\u27bf\u231a\u231b\u2328\u23cf\u23e9-\u23f3"
    "\u23f8-\u23fa\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u203c\u2049\u3030\u303d\u3297\u3299]"
)
_SHADE = "[\ufe0f\U0001f3fb-\U0001f3ff]"
# Each once: a flag, a digit in a box, pictures that are joined to one, a character that is to be shown as a picture.
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{1,2}|[0-9#*]\ufe0f?\u20e3"
    f"|{_PICTURE}{_SHADE}{{0,2}}(?:\u200d{_PICTURE}{_SHADE}{{0,2}})*|[^\\s]\ufe0f"
)
# Asterisks anywhere; the other marks where they enclose something.
_FORMATTING = re.compile(r"\*|`|(?<!\w)([_~])(?=\S)[^\n]{1,60}?(?<=\S)\1(?!\w)")
# Writing without spaces between words: each of its characters counts as a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WHATSAPP = re.compile(
    r"(?<![\w.-])(?:https?://)?(?:www\.)?((?:wa\.me|wa\.link|(?:api|chat|web|go)\.whatsapp\.com)(?![\w-]|\.\w)/?)",
    re.IGNORECASE,
)
SHORTENERS = (
    "bit.ly",
    "bl.ink",
    "buff.ly",
    "cutt.ly",
    "goo.gl",
    "is.gd",
    "lnkd.in",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "s.id",
    "shorte.st",
    "short.io",
    "shorturl.at",
    "soo.gd",
    "t.co",
    "t.ly",
    "t2m.io",
    "tiny.cc",
    "tinyurl.com",
    "v.gd",
    "x.co",
)
_SHORT = re.compile(
    rf"(?<![\w.-])((?:https?://)?(?:www\.)?(?:{'|'.join(map(re.escape, SHORTENERS))})(?![\w-]|\.\w))", re.IGNORECASE
)


def shown(name: str) -> str:
    """A variable as it is written in a text."""
    return f"{{{{{name[:40]}}}}}"


def variables_in(words: str) -> list[re.Match[str]]:
    """The text in double brackets, however it is written."""
    return [one for one in _BRACES.finditer(words) if one[1] is not None]


def header_text(path: str, words: str, examples: Mapping[str | int, str], *, is_named: bool) -> Iterator[Problem]:
    """A header holds one line of plain text, with one variable at most."""
    if not _seen(words):
        yield Problem(path, "text_missing")
        return
    yield from too_long(path, words, LONGEST_HEADER)
    if len(words) > MOST_LOOKED_AT:
        return
    variables = variables_in(words)
    yield from plain(path, words)
    yield from spelling(path, words, variables, is_named=is_named)
    if len(variables) > 1:
        yield Problem(path, "variables_many")
    elif len(variables) == 1 and not any(character.isalnum() for character in _BRACES.sub("", words)):
        yield Problem(path, "header_only_variable")
    yield from with_examples(
        path.removesuffix(".text") + ".example", variables, examples, is_named=is_named, each=False
    )
    yield from links(path, words)


def body_text(
    path: str, words: str, examples: Mapping[str | int, str], *, is_named: bool, most: int
) -> Iterator[Problem]:
    if not _seen(words):
        yield Problem(path, "text_missing")
        return
    yield from too_long(path, words, most)
    if len(words) > MOST_LOOKED_AT:
        return
    variables = variables_in(words)
    yield from spelling(path, words, variables, is_named=is_named)
    yield from placing(path, words, variables)
    yield from with_examples(f"{path}.examples", variables, examples, is_named=is_named, each=True)
    if _BLANK_LINES.search(words):
        yield Problem(path, "blank_lines")
    if (over := len(_EMOJI.findall(words)) - MOST_EMOJI) > 0:
        yield Problem(path, "emoji_many", {"over": over})
    yield from links(path, words)


def footer_text(path: str, words: str) -> Iterator[Problem]:
    if not _seen(words):
        yield Problem(path, "text_missing")
        return
    yield from too_long(path, words, LONGEST_FOOTER)
    if len(words) > MOST_LOOKED_AT:
        return
    yield from without_variables(path, words)
    yield from plain(path, words)
    yield from links(path, words)


def label_text(path: str, words: str, most: int = LONGEST_LABEL) -> Iterator[Problem]:
    """The label of a button, or the few words of an offer."""
    if not _seen(words):
        yield Problem(path, "text_missing")
        return
    yield from too_long(path, words, most)
    if len(words) > MOST_LOOKED_AT:
        return
    yield from without_variables(path, words)
    yield from plain(path, words)
    yield from links(path, words)


def plain(path: str, words: str) -> Iterator[Problem]:
    """One line without emoji and formatting; the names of variables may hold underscores."""
    bare = _BRACES.sub("", words)
    if _LINE_BREAKS.search(words):
        yield Problem(path, "line_breaks")
    if emoji := _EMOJI.search(bare):
        yield Problem(path, "emoji", {"emoji": emoji[0][:8]})
    if _FORMATTING.search(bare):
        yield Problem(path, "formatting")


def without_variables(path: str, words: str) -> Iterator[Problem]:
    if brace := _BRACES.search(words):
        is_variable = brace[1] is not None
        yield Problem(path, "variable_not_here", {"name": shown(brace[1])}) if is_variable else Problem(path, "braces")


def spelling(path: str, words: str, variables: list[re.Match[str]], *, is_named: bool) -> Iterator[Problem]:
    """Each kind of mistake in writing variables once."""
    if words.count("{") + words.count("}") > 4 * len(variables):
        yield Problem(path, "braces")
    problems: dict[str, Problem] = {}
    numbers = set()
    for name in {variable[1]: None for variable in variables}:
        if kind := _misspelling(name, is_named=is_named):
            bare = _UNSEEN.sub("", name)
            written = shown(bare) if kind in ("variable_mixed", "variable_marks") else bare.strip()[:40]
            problems.setdefault(kind, Problem(path, kind, {"name": written}))
        elif not is_named:
            numbers.add(int(name))
    if missing := next((n for n in range(1, len(numbers) + 1) if n not in numbers), None):
        problems["variable_order"] = Problem(path, "variable_order", {"name": shown(str(missing))})
    yield from problems.values()


def _misspelling(name: str, *, is_named: bool) -> str | None:
    if _UNSEEN.search(name):
        return "variable_marks"
    if _POSITIONAL.fullmatch(name):
        return "variable_mixed" if is_named else None
    if _NAMED.fullmatch(name) and not name.isdecimal():
        return None if is_named else "variable_mixed"
    return "variable_form"


def placing(path: str, words: str, variables: list[re.Match[str]]) -> Iterator[Problem]:
    """Where variables may be: not at the ends, not side by side, and not too many for the words around them."""
    if not variables:
        return
    if not _seen(words[: variables[0].start()]):
        yield Problem(path, "variable_at_start", {"name": shown(variables[0][1])})
    if not _seen(words[variables[-1].end() :]):
        yield Problem(path, "variable_at_end", {"name": shown(variables[-1][1])})
    between = [(one, two, words[one.end() : two.start()]) for one, two in pairwise(variables)]
    touching = next(((one, two) for one, two, words in between if not _UNSEEN.sub("", words)), None)
    close = next(((one, two) for one, two, words in between if not _seen(words)), None)
    if pair := touching or close:
        kind = "variables_adjacent" if touching else "variables_close"
        yield Problem(path, kind, {"name": shown(pair[0][1]), "next": shown(pair[1][1])})
    needed, have = 2 * len(variables) + 1, count_words(_BRACES.sub(" ", words))
    if have < needed:
        yield Problem(path, "variables_dense", {"needed": needed, "have": have})


def _seen(words: str) -> str:
    return _UNSEEN.sub("", words).strip()


def count_words(words: str) -> int:
    spaced = _UNSPACED.sub(" ", words)
    tokens = sum(any(character.isalnum() for character in token) for token in spaced.split())
    return tokens + len(_UNSPACED.findall(words))


def with_examples(
    path: str, variables: list[re.Match[str]], examples: Mapping[str | int, str], *, is_named: bool, each: bool
) -> Iterator[Problem]:
    """Each variable has one example; `each` points at the variable's own field."""
    names = [name for variable in variables if _misspelling(name := variable[1], is_named=is_named) is None]
    distinct = list(dict.fromkeys(names))
    for name in distinct:
        if not (examples.get(name if is_named else int(name) - 1) or "").strip():
            yield Problem(f"{path}.{name}" if each else path, "example_missing", {"name": shown(name)})
    mine = [key for key in examples if isinstance(key, str) == is_named]
    if len(mine) > len(distinct) and len(names) == len(variables):
        yield Problem(path, "examples_surplus")


def links(path: str, words: str) -> Iterator[Problem]:
    if "." not in words:
        return
    if link := _WHATSAPP.search(words):
        yield Problem(path, "whatsapp_link", {"link": link[1]})
    if link := _SHORT.search(words):
        yield Problem(path, "short_link", {"link": link[1]})
