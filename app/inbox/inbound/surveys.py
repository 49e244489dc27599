"""Answers of customers to the survey that follows when a conversation is resolved."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped

from app.hours.models import ServicePolicy
from app.inbox.conversations import assignment
from app.meta.payload import mapping
from app.meta.payload import text as text_of
from app.tenancy import TenantModel, announce, belongs_to, current_tenant_id, db, now, one_of, uuid7

SCORES = ("bad", "fair", "good")
BUTTON = re.compile(r"survey-(bad|fair|good)")
SPAN = dt.timedelta(days=30)


class SurveyAnswer(TenantModel):
    """The last answer to one question. `message_id` is the question."""

    __table_args__ = (
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "message_id"),
        one_of("score", SCORES),
    )

    message_id: Mapped[uuid.UUID]
    score: Mapped[str]
    answered_at: Mapped[dt.datetime]


def score_of(kind: str, content: dict[str, Any]) -> str | None:
    """The score a customer chose by tapping a button of the survey, or a quick reply of its template; else none."""
    payloads = {"interactive": mapping(content.get("button_reply")).get("id"), "button": content.get("payload")}
    tapped = BUTTON.fullmatch(text_of(payloads.get(kind), 40) or "")
    return tapped[1] if tapped else None


def save_answers(answers: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """Each as (number's id, wamid of the question, score, time). Only our own questions count.

    Returns the conversations of those who were not happy, once.
    """
    rows = [
        {"id": str(uuid7()), "number": number, "question": question, "score": score, "at": at}
        for number, question, score, at in answers
    ]
    return list(db.session.scalars(SAVE, {"rows": json.dumps(rows), "tenant": current_tenant_id()})) if rows else []


def follow_up(conversation_ids: list[str]) -> None:
    """Reopens the conversations of customers who were not happy, where the business wants that."""
    if conversation_ids and ServicePolicy.current().survey_reopens:
        assignment.reopen(conversation_ids)
        for conversation_id in conversation_ids:
            announce("conversation", conversation_id)


def counts() -> dict[str, int]:
    """How many gave each answer in the last 30 days."""
    recent = SurveyAnswer.answered_at > now() - SPAN
    counted = dict(
        db.session.execute(select(SurveyAnswer.score, func.count()).where(recent).group_by(SurveyAnswer.score)).all()
    )
    return {score: counted.get(score, 0) for score in SCORES}


# Saves answers to our own questions, a later one over an earlier one, and returns the conversations of those that are
# bad. Questions by the unique key of messages (number, wamid), answers by theirs (message).
SAVE = text("""
    with answered as (
        insert into survey_answers (tenant_id, id, message_id, score, answered_at)
        select distinct on (m.id) :tenant, r.id, m.id, r.score, r.at
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(
            id uuid, number uuid, question text, score text, at timestamptz)
        join messages m on m.tenant_id = :tenant and m.phone_number_id = r.number and m.wamid = r.question
            and m.direction = 'outbound'
            and (m.content #>> '{raw,action,buttons,0,reply,id}' like 'survey-%'
                or m.content @? '$.raw.components[*].parameters[*].payload ? (@ starts with "survey-")')
        order by m.id, r.at desc
        on conflict (tenant_id, message_id) do update set score = excluded.score, answered_at = excluded.answered_at
            where survey_answers.answered_at <= excluded.answered_at and survey_answers.score <> excluded.score
        returning message_id, score
    )
    select distinct m.conversation_id::text from answered join messages m on m.tenant_id = :tenant and m.id = message_id
    where score = 'bad'
""")
