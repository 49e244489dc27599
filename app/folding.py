"""How words are compared wherever something is searched for: names, tags, fields, messages.

The database's `search_fold` is the same function (migration 0020); `tests/test_folding.py` holds the two together.
"""

from __future__ import annotations

import re
import unicodedata

# Accents and vowel signs of Latin, Greek, Cyrillic, Hebrew, Arabic and Syriac; the Arabic tatweel; selectors of
# variants and joiners, which are invisible. Marks of other scripts are letters.
IGNORED = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u061c\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u202a-\u202e\u2060-\u2069\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff]"
)
# Letters that people type for one another.
SPELLED_OUT = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
ALIKE = {
    # Latin letters whose stroke is no accent to Unicode, and the Turkish dotless i.
    **dict(zip("øłđðħıŧŋ", "olddhitn", strict=True)),
    # Greek's final sigma.
    "ς": "σ",
    # Arabic: one alef, yeh, kaf, heh, whichever keyboard wrote them.
    **dict(zip("ٱىیېےکڪةہھەۀۃ", "ايييي\u0643\u0643هههههه", strict=True)),
    # Typographic apostrophes and dashes.
    **dict.fromkeys("’‘ʼʻ`´", "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    # Katakana as hiragana.
    **{chr(letter): chr(letter - 0x60) for letter in range(0x30A1, 0x30F7)},
}
# Digits of the scripts that people write numbers in.
ZEROS = "٠۰०০੦૦୦௦౦೦൦๐໐༠၀០"
ALIKE |= {chr(ord(zero) + digit): str(digit) for zero in ZEROS for digit in range(10)}
TABLE = str.maketrans(ALIKE)


def fold(text: str) -> str:
    """Words as they are compared, one space between them: “José” and “JOSE” are found by either."""
    return " ".join(fold_letters(text).split())


def fold_letters(text: str) -> str:
    # Also before: to put thousands of marks on one letter into their order takes seconds.
    apart = IGNORED.sub("", unicodedata.normalize("NFKD", IGNORED.sub("", text.lower())))
    folded = unicodedata.normalize("NFKC", apart).translate(TABLE)
    for letter, spelled in SPELLED_OUT.items():
        folded = folded.replace(letter, spelled)
    return folded
