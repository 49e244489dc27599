"""Reading JSON from Meta so that whatever comes out can be stored, whatever its shape."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
_REPLACEMENT = "\ufffd"
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
# An escaped backslash may hide what follows it, so it counts as suspect too.
_SUSPECT = re.compile(
    rb"""\\(?: \\ | u0000
      | u[dD][89abAB].{2}(?!\\u[dD][c-fC-F])             # a first half without its second
      | u[dD][c-fC-F](?<!\\u[dD][89abAB].{2}\\u[dD].) ) # a second half without its first
    """,
    re.VERBOSE | re.DOTALL,
)
_SURROGATE_OR_NUL = re.compile("[\x00\ud800-\udfff]")


def loads(body: bytes) -> Any:
    """Parse JSON; what no database could hold (NUL, lone surrogates, depth past 64) becomes U+FFFD, and
    NaN or Infinity becomes None. Raises ValueError when the body is not JSON."""
    text = body.decode("utf-8", "replace").replace("\x00", _REPLACEMENT)
    if _looks_deep(body):
        text = _prune(text)
    suspect = _SUSPECT.search(body) is not None
    try:
        return _decode(text, suspect)
    except RecursionError:
        return _decode(_prune(text), suspect)


def _looks_deep(body: bytes) -> bool:
    """Strip matching brackets from the inside out; each round takes one level or two. Few cannot be deep."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return False
    brackets = body.translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH // 2):
        if not brackets:
            return False
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return bool(brackets)


def _prune(text: str) -> str:
    """The same JSON with every object or array past MAX_DEPTH replaced by a one-character string."""
    pieces, depth, start = [], 0, 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                pieces += [text[start : token.start()], f'"{_REPLACEMENT}"']
        elif token[0] in "]}":
            if depth == MAX_DEPTH + 1:
                start = token.end()
            depth -= 1
    if depth <= MAX_DEPTH:
        pieces.append(text[start:])
    return "".join(pieces)


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _short_integer(digits: str) -> int | str:
    """Python refuses to print or parse integers of thousands of digits, so absurd ones stay text."""
    return int(digits) if len(digits) <= 20 else digits


def _decode(text: str, suspect: bool) -> Any:
    value = _DECODER.decode(text)
    return _clean(value) if suspect else value


_DECODER = json.JSONDecoder(parse_float=_finite, parse_int=_short_integer, parse_constant=lambda _: None, strict=False)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE_OR_NUL.sub(_REPLACEMENT, value)
    if isinstance(value, dict):
        return {_clean(key): _clean(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_clean(member) for member in value]
    return value


MOST_MEMBERS, MOST_CHARACTERS, MOST_STRING = 500, 64_000, 32_000


def bounded(value: Any, most: int = MOST_CHARACTERS) -> Any:
    """As much of a value as a page may have to show: what comes after so many characters is left out."""
    return _within(value, [most])


def _within(value: Any, left: list[int]) -> Any:
    left[0] -= 4
    if isinstance(value, str):
        value = value[: min(MOST_STRING, max(left[0], 0))]
        left[0] -= len(value)
    elif isinstance(value, dict):
        bounded_value: dict[str, Any] = {}
        for key, member in list(value.items())[:MOST_MEMBERS]:
            left[0] -= len(key[:200])
            if left[0] > 0:
                bounded_value[key[:200]] = _within(member, left)
        return bounded_value
    elif isinstance(value, list):
        return [_within(member, left) for member in value[:MOST_MEMBERS] if left[0] > 0]
    return value


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def items_of(value: Any) -> list[Any]:
    """The items of a list; something else than a list counts as one item."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def text(value: Any, limit: int = 65_536) -> str | None:
    """A string, or a number as one, cut to the limit; anything else, or nothing, is None."""
    if isinstance(value, str):
        return value[:limit] or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:limit]
    return None


def identifier(value: Any) -> str | None:
    """An id. One too long to be an id is none: cut, it could be mistaken for another."""
    if value is None:
        return None
    id = value if isinstance(value, str) else text(value)
    return id if id and len(id) <= 512 else None
