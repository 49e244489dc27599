r"""Patterns: the part of regular expressions that can be matched in linear time, whatever the pattern and the text.

Python's `re` backtracks, so `(a+)+b` takes for ever. Here a pattern becomes a list of states, and a text is walked once
with the set of states it may be in (Thompson, 1968). There are: literals, `.`, `[a-z]`, `\d \w \s` and their opposites,
`\b`, `^`, `$`, groups, `|`, `*`, `+`, `?` and `{m,n}`. Matching ignores case and finds a part of the text.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

LONGEST_PATTERN, LONGEST_TEXT = 200, 1_000
MOST_STATES, MOST_REPEATS = 400, 30
# How many sets of states are remembered for a pattern; more are computed each time they come up.
MOST_CACHED = 2_000

Test = Callable[[str], bool]


class BadPattern(ValueError):
    """It can't be read, or is too large. The argument says why, marked for translation."""


@dataclass(slots=True)
class State:
    """One state: it reads a character that passes `test`, or none. `at` is where in a text it may be passed."""

    next: list[int] = field(default_factory=list)
    test: Test | None = None
    at: str = ""


@functools.lru_cache(maxsize=500)
def compiled(pattern: str) -> Pattern:
    """The pattern, read once. Raises `BadPattern`."""
    return Pattern(pattern)


class Pattern:
    def __init__(self, pattern: str) -> None:
        if not pattern or len(pattern) > LONGEST_PATTERN:
            raise BadPattern("length")
        self.states: list[State] = []
        self.end = self.add(State())
        self.start = Reader(unicodedata.normalize("NFC", pattern), self).read(self.end)
        self.steps: dict[tuple[frozenset[int], str, str, str], frozenset[int]] = {}

    def add(self, state: State) -> int:
        if len(self.states) >= MOST_STATES:
            raise BadPattern("size")
        self.states.append(state)
        return len(self.states) - 1

    def search(self, text: str) -> bool:
        """Whether some part of the text's first LONGEST_TEXT characters matches."""
        text = unicodedata.normalize("NFC", text)[:LONGEST_TEXT].lower()
        now: frozenset[int] = frozenset()
        for place in range(len(text) + 1):
            before, after = text[place - 1 : place] if place else "", text[place : place + 1]
            now = self.step(now, before, after, "first" if not place else "")
            if self.end in now:
                return True
            now = self.read(now, after) if after else now
        return False

    def step(self, now: frozenset[int], before: str, after: str, where: str) -> frozenset[int]:
        """The states reached without reading, a new match beginning here included."""
        key = (now, kind_of(before), kind_of(after), where)
        if (following := self.steps.get(key)) is None:
            following = self.closure({*now, self.start}, before, after)
            if len(self.steps) < MOST_CACHED:
                self.steps[key] = following
        return following

    def closure(self, states: Iterable[int], before: str, after: str) -> frozenset[int]:
        reached, waiting = set(states), list(states)
        while waiting:
            state = self.states[waiting.pop()]
            if state.test is None and passes(state.at, before, after):
                new = [one for one in state.next if one not in reached]
                reached.update(new)
                waiting += new
        return frozenset(reached)

    def read(self, now: frozenset[int], character: str) -> frozenset[int]:
        states = (self.states[one] for one in now)
        return frozenset(one for state in states if state.test and state.test(character) for one in state.next)


def kind_of(character: str) -> str:
    return "" if not character else "w" if is_word(character) else "-"


def is_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")


def passes(at: str, before: str, after: str) -> bool:
    match at:
        case "^":
            return not before
        case "$":
            return not after
        case "b":
            return bool(before and is_word(before)) != bool(after and is_word(after))
    return True


CLASSES: dict[str, Test] = {"d": str.isdecimal, "w": is_word, "s": str.isspace}


def opposite(test: Test) -> Test:
    return lambda character: not test(character)


def same(character: str) -> Test:
    """Texts are compared in lower case."""
    return functools.partial(str.__eq__, character.lower())


def one_of(tests: list[Test]) -> Test:
    return lambda character: any(test(character) for test in tests)


class Reader:
    """Reads a pattern by recursive descent, into the states of a `Pattern`. Each part is built before what follows."""

    def __init__(self, words: str, pattern: Pattern) -> None:
        self.words, self.place, self.pattern = words, 0, pattern
        self.depth = 0

    def read(self, end: int) -> int:
        start = build(self.choice(), end, self.pattern)
        if self.place < len(self.words):
            raise BadPattern("brackets")
        return start

    def peek(self) -> str:
        return self.words[self.place : self.place + 1]

    def take(self) -> str:
        if not (character := self.peek()):
            raise BadPattern("end")
        self.place += 1
        return character

    def choice(self) -> Part:
        branches = [self.sequence()]
        while self.peek() == "|":
            self.take()
            branches.append(self.sequence())
        return Part("choice", parts=branches) if len(branches) > 1 else branches[0]

    def sequence(self) -> Part:
        parts: list[Part] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated(self.atom()))
        return Part("sequence", parts=parts)

    def atom(self) -> Part:
        match character := self.take():
            case "(":
                return self.group()
            case "[":
                return Part("test", test=self.character_class())
            case ".":
                return Part("test", test=lambda character: character != "\n")
            case "^" | "$":
                return Part("at", at=character)
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise BadPattern("repeat")
        return Part("test", test=same(character))

    def group(self) -> Part:
        self.depth += 1
        if self.depth > 20:
            raise BadPattern("size")
        if self.words.startswith("?:", self.place):
            self.place += 2
        elif self.peek() == "?":
            raise BadPattern("lookaround")
        inside = self.choice()
        if not self.peek():
            raise BadPattern("brackets")
        self.take()
        self.depth -= 1
        return inside

    def escape(self) -> Part:
        character = self.take()
        if character == "b":
            return Part("at", at="b")
        if character.isdecimal():
            raise BadPattern("reference")
        return Part("test", test=self.escaped(character))

    def escaped(self, character: str) -> Test:
        if test := CLASSES.get(character.lower()):
            return test if character.islower() else opposite(test)
        plain = {"n": "\n", "t": "\t", "r": "\r"}.get(character, character)
        if plain == character and character.isalpha():
            raise BadPattern("escape")
        return same(plain)

    def character_class(self) -> Test:
        is_opposite = self.peek() == "^"
        if is_opposite:
            self.take()
        tests: list[Test] = []
        while self.peek() != "]" or not tests:
            tests.append(self.class_item())
        self.take()
        test = one_of(tests)
        return opposite(test) if is_opposite else test

    def class_item(self) -> Test:
        first = self.take()
        if first == "\\":
            return self.escaped(self.take())
        if self.peek() != "-" or self.words[self.place + 1 : self.place + 2] in ("", "]"):
            return same(first)
        self.take()
        last = self.take()
        if last < first:
            raise BadPattern("range")
        return lambda character: first <= character <= last or first <= character.upper() <= last

    def repeated(self, part: Part) -> Part:
        while (character := self.peek()) in ("*", "+", "?", "{"):
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(character) or (0, None)
            if character == "{":
                least, most = self.bounds()
            else:
                self.take()
            if self.peek() == "?":
                self.take()
            part = Part("repeat", parts=[part], least=least, most=most)
        return part

    def bounds(self) -> tuple[int, int | None]:
        ends = self.words.find("}", self.place)
        least, comma, most = self.words[self.place + 1 : ends].partition(",") if ends > 0 else ("", "", "")
        if not least.isdecimal() or (most and not most.isdecimal()):
            raise BadPattern("repeat")
        self.place = ends + 1
        low, high = int(least), int(most) if most else None if comma else int(least)
        if max(low, high or 0) > MOST_REPEATS or (high is not None and high < low):
            raise BadPattern("repeat")
        return low, high


@dataclass(slots=True)
class Part:
    kind: str
    parts: list[Part] = field(default_factory=list)
    test: Test | None = None
    at: str = ""
    least: int = 0
    most: int | None = None


def build(part: Part, then: int, pattern: Pattern) -> int:
    """Adds the states of a part that goes on with state `then`. Returns its first state."""
    match part.kind:
        case "test" | "at":
            return pattern.add(State([then], part.test, part.at))
        case "sequence":
            for one in reversed(part.parts):
                then = build(one, then, pattern)
            return then
        case "choice":
            return pattern.add(State([build(one, then, pattern) for one in part.parts]))
    return build_repeat(part, then, pattern)


def build_repeat(part: Part, then: int, pattern: Pattern) -> int:
    (inner,) = part.parts
    if part.most is None:
        loop = pattern.add(State())
        pattern.states[loop].next = [build(inner, loop, pattern), then]
        then = loop
    else:
        for _ in range(part.most - part.least):
            then = pattern.add(State([build(inner, then, pattern), then]))
    for _ in range(part.least):
        then = build(inner, then, pattern)
    return then
