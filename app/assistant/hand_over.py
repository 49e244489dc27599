"""Gives a conversation to people, in one transaction: who has it, a line to the customer, and a note for the team."""

from __future__ import annotations

import uuid

from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Refusal
from app.inbox.desk.notes import Note
from app.team.models import Team
from app.tenancy import Actor, now

from . import phrases
from .assistant import Setup
from .situations import Talk
from .turns import AssistantTurn
from .words import reason_in_english

MOST_QUOTED, LONGEST_QUOTE = 5, 300


def hand_over(conversation: Conversation, setup: Setup, turn: AssistantTurn, talk: Talk, *, by: Actor) -> None:
    """Called with the conversation locked. The customer goes on waiting: the line is no answer to the question."""
    waiting_since, answered_at = conversation.waiting_since, conversation.answered_at
    tell_customer(conversation, setup, turn, by)
    conversation.waiting_since, conversation.answered_at = waiting_since or now(), answered_at
    conversation.hand_over(by=by)
    if setup.hand_over_team and (team := Team.find(setup.hand_over_team)):
        conversation.give_to_team(team, by=by)
    client_id = uuid.uuid5(turn.id, "note")
    Note.write(conversation, summary_of(turn, talk), by=by, client_id=client_id)


def tell_customer(conversation: Conversation, setup: Setup, turn: AssistantTurn, by: Actor) -> None:
    """A line in the customer's language, which knows whether somebody is there. A closed window has none."""
    is_open = ServicePolicy.current().hours.is_open(now())
    texts, defaults = setup.hand_over_text, phrases.HAND_OVERS
    if not is_open:
        texts, defaults = setup.closed_text, phrases.CLOSED_HAND_OVERS
    line = phrases.in_language(texts, defaults, turn.language)
    try:
        message = conversation.reply(line, by=by, client_id=answer_id(turn), source="hand_over")
    except Refusal:
        return
    turn.message_id = message.id


def answer_id(turn: AssistantTurn) -> uuid.UUID:
    """Of the message that answers: the same for every turn about the same message, so that there is one answer."""
    return uuid.uuid5(turn.trigger_message_id or turn.id, "assistant")


def summary_of(turn: AssistantTurn, talk: Talk) -> str:
    """What was asked and what was tried. In English: whoever reads it has a language of their own."""
    questions = [words for one in talk.messages if not one.is_outbound and (words := talk.words_in(one))]
    lines = [f"Handed over: {reason_in_english(turn.reason)}"]
    lines += ["Asked:", *(f"- {quoted(words)}" for words in questions[-MOST_QUOTED:])]
    if turn.passages:
        lines.append(f"Read: {', '.join(dict.fromkeys(one['title'] for one in turn.passages))}")
    if turn.withheld:
        lines.append(f"Not sent: {quoted(turn.withheld)}")
    if turn.calls:
        lines.append(f"Tools: {', '.join(one['name'] for one in turn.calls)}")
    return "\n".join(lines)


def quoted(words: str) -> str:
    line = " ".join(words.replace("@", "＠").split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"
