"""Which message templates can be sent as a survey: their quick replies are the ratings, best first."""

from __future__ import annotations

from app.message_templates.models import MessageTemplate

SCALES = {2: ("good", "bad"), 3: ("good", "fair", "bad")}


def scale_of(template: MessageTemplate) -> tuple[str, ...]:
    """The rating of each of its quick replies; empty if it cannot be a survey."""
    return SCALES.get(len(template.definition.quick_replies), ()) if template.goes_as_it_is else ()


def askable() -> list[MessageTemplate]:
    return [template for template in MessageTemplate.whole() if scale_of(template)]
