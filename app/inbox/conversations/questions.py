"""Asking a customer how it went: with buttons while answers are free, else with the template that was chosen."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from sqlalchemy import text

from app.hours.models import ServicePolicy
from app.hours.questions import scale_of
from app.languages import detect
from app.message_templates.models import MessageTemplate
from app.meta.outgoing import Outgoing, survey
from app.tenancy import current_tenant_id, db, now

# A customer is asked again after this long at the earliest, and only if they wrote within it.
REST = dt.timedelta(days=7)
# Of a message with buttons; values may be longer than the variables that they replace.
LONGEST_QUESTION = 1_024
# The ratings, best first, as customers read them. At most 20 characters.
RATINGS = {
    "en": ("😊 Good", "😐 Fair", "🙁 Bad"),
    "es": ("😊 Bien", "😐 Regular", "🙁 Mal"),
    "pt": ("😊 Bom", "😐 Razoável", "🙁 Ruim"),
    "fr": ("😊 Bien", "😐 Moyen", "🙁 Mal"),
    "de": ("😊 Gut", "😐 Mittel", "🙁 Schlecht"),
    "ar": ("😊 جيد", "😐 مقبول", "🙁 سيئ"),
}


def question_for(
    contact_id: uuid.UUID,
    waba_id: uuid.UUID,
    *,
    window_is_open: bool,
    last_inbound_at: dt.datetime | None,
    language: str,
    fill_in: Callable[[str], str],
) -> Outgoing | None:
    """None where the business does not want to know, the person was asked lately, or it cannot be sent.

    `fill_in` puts the values of variables into the question.
    """
    policy = ServicePolicy.current()
    if window_is_open:
        question = with_buttons(policy, language, fill_in)
    elif last_inbound_at and last_inbound_at > now() - REST:
        question = with_template(policy, waba_id)
    else:
        question = None
    return None if question is None or has_recent_question(contact_id) else question


def with_buttons(policy: ServicePolicy, language: str, fill_in: Callable[[str], str]) -> Outgoing | None:
    """The buttons are in the language of the question."""
    question = policy.survey_question_in(language)
    if not (words := fill_in(question)[:LONGEST_QUESTION]):
        return None
    titles = RATINGS.get(detect(question) or ("en" if question == policy.survey_question else language), RATINGS["en"])
    return survey(words, list(zip(("good", "fair", "bad"), titles, strict=True)))


def with_template(policy: ServicePolicy, waba_id: uuid.UUID) -> Outgoing | None:
    name, language = policy.survey_template_name, policy.survey_template_language
    if not name:
        return None
    template = MessageTemplate.sendable_called(waba_id, name, language)
    scale = scale_of(template) if template else ()
    if not template or not scale:
        return None
    return template.filled({}, [f"survey-{score}" for score in scale])


def has_recent_question(contact_id: uuid.UUID) -> bool:
    """In any conversation of the person."""
    given = {"tenant": current_tenant_id(), "contact": contact_id, "since": now() - REST}
    return bool(db.session.scalar(RECENT_QUESTION_SQL, given))


RECENT_QUESTION_SQL = text("""
    select exists (
        select from conversations c join messages m on m.tenant_id = :tenant and m.conversation_id = c.id
        where c.tenant_id = :tenant and c.contact_id = :contact
          and m.occurred_at > :since and m.direction = 'outbound'
          and (m.content #>> '{raw,action,buttons,0,reply,id}' like 'survey-%'
            or m.content @? '$.raw.components[*].parameters[*].payload ? (@ starts with "survey-")')
    )
""")
