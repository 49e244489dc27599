"""References: six characters that people can read out and type, and how they are found in what customers write."""

from __future__ import annotations

import re
import secrets

from app.folding import fold_letters

# No vowels, so that no words arise; nothing that looks like another: no 0 and 1, no B, L, S, Y and Z.
DIGITS, LETTERS = "23456789", "CDFGHJKMNPQRTVWX"
LENGTH, HALF = 6, 3
# The first letter of an entry point's own code, with which no reference begins.
PERMANENT = "X"
LOOK_ALIKE = str.maketrans("BSZ", "852")
# What is searched of a message, and how many different codes of it are looked up.
LONGEST_TEXT, MOST_CANDIDATES = 8_192, 20
ONE = "[2-9b-df-hjkmnp-tv-xz]"
# A code as it comes back: in any case, apart or together, right after “ref” too. It looks ahead, so that what is no
# code does not swallow the beginning of one.
CANDIDATE = re.compile(rf"(?<![0-9a-z])(?:ref)?(?=({ONE}{{3}})[\s\-_.·]{{0,3}}({ONE}{{3}})(?![0-9a-z]))")


def new_code(*, permanent: bool = False) -> str:
    """With a digit and two letters at least, so that neither words nor amounts are taken for one."""
    first = PERMANENT if permanent else secrets.choice((DIGITS + LETTERS).replace(PERMANENT, ""))
    while not is_code(code := first + "".join(secrets.choice(DIGITS + LETTERS) for _ in range(LENGTH - 1))):
        pass
    return code


def is_code(text: str) -> bool:
    return sum(map(DIGITS.__contains__, text)) >= 1 and sum(map(LETTERS.__contains__, text)) >= 2


def written(code: str) -> str:
    """As people see it: 7KQ-M2F."""
    return f"{code[:HALF]}-{code[HALF:]}"


def codes_in(text: str) -> list[str]:
    """What may be a code, the last one first: in any digits, width and case. Whether it is one, only its row says.

    The end is where ours is: a title before it may hold another.
    """
    folded = fold_letters(text[:LONGEST_TEXT])
    candidates = ("".join(match.groups()).upper().translate(LOOK_ALIKE) for match in CANDIDATE.finditer(folded))
    return list(dict.fromkeys(reversed([*filter(is_code, candidates)])))[:MOST_CANDIDATES]
