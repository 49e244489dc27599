"""Which message templates can ask how it went: their quick replies are the answers, the best one first."""

from __future__ import annotations

from app.message_templates.models import MessageTemplate

SCALES = {2: ("good", "bad"), 3: ("good", "fair", "bad")}


def scale_of(template: MessageTemplate) -> tuple[str, ...]:
    """What each of its quick replies says; nothing where it cannot ask."""
    definition = template.definition
    return SCALES.get(len(definition.quick_replies), ()) if definition.goes_as_it_is else ()


def askable() -> list[MessageTemplate]:
    return [template for template in MessageTemplate.whole() if scale_of(template)]
