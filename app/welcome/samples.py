"""The sample conversations of a new business: what three made-up customers write, whatever they are answered.

They are no conversations of the inbox: no contact, no number and no outbox knows them, so nothing of them is sent,
charged, counted, found or exported.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from app.words import N_


@dataclass(frozen=True)
class Line:
    """One message: the customer's words are to be translated, ours are as they were written."""

    words: str
    at: dt.datetime
    is_ours: bool = False
    by: str = ""


@dataclass(frozen=True)
class Sample:
    """`opening` is there from the start; each of `replies` comes after one reply of the business."""

    name: str
    customer: str
    opening: tuple[str, ...]
    replies: tuple[str, ...]

    def lines(self, answers: list[dict[str, Any]], begun_at: dt.datetime) -> list[Line]:
        """The thread, which began when the business did."""
        thread = [Line(words, begun_at) for words in self.opening]
        for answer, reply in zip(answers, self.replies, strict=False):
            at = dt.datetime.fromisoformat(answer["at"])
            thread += [Line(answer["text"], at, is_ours=True, by=answer.get("by", "")), Line(reply, at)]
        return thread

    def has_ended(self, answers: list[dict[str, Any]]) -> bool:
        return len(answers) >= len(self.replies)


SAMPLES = {
    sample.name: sample
    for sample in (
        Sample(
            "saturday",
            "Maya Lindqvist",
            (N_("Hi! Are you open on Saturday?"),),
            (N_("Thanks! Can I pick something up at 10?"), N_("Perfect. See you then!")),
        ),
        Sample(
            "missing-item",
            "Diego Ramos",
            (N_("Hello, my order arrived today."), N_("One item is missing. Can you check?")),
            (N_("Thank you for replying so fast. The order number is 1042."), N_("Great, thank you for your help!")),
        ),
        Sample(
            "delivery",
            "Aisha Khan",
            (N_("Hello, I saw your shop on Instagram. Do you deliver to the city centre?"),),
            (N_("That works for me. Can I pay by card?"), N_("Good, then I will order tonight 😊")),
        ),
    )
}
