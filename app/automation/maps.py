"""The map of an automation: boxes and lines as an SVG, made on the server. The list beside it says the same."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

from flask_babel import gettext as _

from .definitions import Definition
from .parts import Names, Step

WIDTH, HEIGHT, GAP, COLUMN = 190, 46, 22, 210
LINE, MOST_LINES = 28, 2


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    lines: list[str]
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """From the bottom of one box to the top of another, with the words of a branch."""

    path: str
    label: str
    x: int
    y: int


@dataclass(slots=True)
class Map:
    names: Names
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT

    @classmethod
    def of(cls, definition: Definition, names: Names) -> Map:
        made = cls(names)
        made.add(0, 0, definition.trigger.sentence(names), "trigger")
        if definition.conditions.items:
            words = definition.conditions.aloud(names)
            made.join((0, 0), (0, HEIGHT + GAP))
            made.add(0, HEIGHT + GAP, words, "condition")
        bottom = made.boxes[-1].y
        made.row(definition.steps, 0, bottom + HEIGHT + GAP, (0, bottom), "")
        made.width = max(box.x for box in made.boxes) + WIDTH
        made.height = max(box.y for box in made.boxes) + HEIGHT
        return made

    def add(self, x: int, y: int, words: str, kind: str) -> None:
        lines = textwrap.wrap(words, LINE, max_lines=MOST_LINES, placeholder="…")
        self.boxes.append(Box(x, y, lines, kind))

    def join(self, start: tuple[int, int], end: tuple[int, int], label: str = "") -> None:
        """A line from the box at `start` to the one at `end`, with the label above it and as wide as the box."""
        x1, y1, x2, y2 = start[0] + WIDTH // 2, start[1] + HEIGHT, end[0] + WIDTH // 2, end[1]
        middle = y2 - GAP // 2
        self.lines.append(Line(f"M{x1} {y1}V{middle}H{x2}V{y2}", label, end[0], middle - 4))

    def row(self, steps: tuple[Step, ...], x: int, y: int, above: tuple[int, int], label: str) -> tuple[int, int]:
        """Draws a list of steps downwards. Returns how far it reaches: to the right, and down."""
        right = x
        for step in steps:
            self.join(above, (x, y), label)
            self.add(x, y, step.sentence(self.names), step.kind)
            above, label, below = (x, y), "", y + HEIGHT + GAP
            column = x + COLUMN if step.blocks else x
            for name in step.blocks:
                if inside := step.block(name):
                    reach = self.row(inside, column, y + HEIGHT + GAP, (x, y), str(_(step.blocks[name])))
                    column, below = reach[0] + COLUMN, max(below, reach[1])
            right, y = max(right, column - COLUMN if step.blocks else x), below
        return right, y
