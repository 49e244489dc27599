"""One live turn, from a customer's message to what came of it: claimed, decided, checked again, sent, recorded.

It may be killed between any two steps. Claiming and finishing are transactions of their own; what goes out is stored in
the second, under an id that the customer's message gives it. So there is at most one answer to a message.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from app.billing.balances import Balance
from app.inbox.conversations import ClientIdReused, Conversation, Message, Refusal
from app.inbox.outbound.typing import forget_typing
from app.languages import detect
from app.meta import outgoing
from app.tenancy import Actor, commit, db, now, uuid7

from . import gate, phrases, situations, understanding
from .access import ModelAccess
from .assistant import Assistant, AssistantVersion, Setup
from .engagements import Engagement
from .engine import Decision, Situation, decide
from .hand_over import answer_id, hand_over
from .media_readings import MediaReading
from .prices import Price
from .providers.completion import Endpoint, ToolCall
from .situations import Talk
from .toolbox import Switched
from .turns import AssistantTurn
from .unanswered import UnansweredQuestion

# After so long without a word it says again that it is no person.
DISCLOSED_FOR = dt.timedelta(hours=24)
# Reasons to stay out of a conversation for which people are called, where it answers by itself.
CALLS_PEOPLE = ("turns", "hourly", "loop", "budget", "conversation_budget", "not_text", "interrupted")
# Questions that were about something and got no answer.
UNANSWERED = ("nothing_found", "model_hands_over", "asked_twice", "price", "promise", "link", "contact_detail")
ATTEMPTS = 2
# How long a turn waits for files that are still being downloaded or read, and how often it looks.
FILES_TAKE, FILES_PAUSE = dt.timedelta(seconds=60), dt.timedelta(seconds=2)


@dataclass
class Work:
    """A claimed turn, with all that the model is asked."""

    turn_id: uuid.UUID
    conversation_id: uuid.UUID
    situation: Situation
    endpoint: Endpoint | None
    price: Price | None
    tools: Switched


def answer(conversation_id: uuid.UUID) -> None:
    """Runs the turn that is due in a conversation, if there is one and no other worker has it."""
    if not has_read_files(conversation_id):
        return
    work = claim(conversation_id)
    if work is None:
        return
    decision = decide(work.situation, work.endpoint, work.tools)
    commit()
    Finishing(work, decision).run()


def has_read_files(conversation_id: uuid.UUID) -> bool:
    """Has voice messages and pictures read first, where it may. False: a file is on its way, and the turn waits."""
    engagement, assistant = Engagement.of(conversation_id), Assistant.current()
    conversation = Conversation.find(conversation_id)
    live = assistant.version if assistant else None
    if not (engagement and engagement.is_due and conversation and assistant and live) or assistant.mode == "off":
        return True
    talk = Talk.of(conversation)
    messages = understanding.readable(talk.unanswered, live.setup.tools)
    if not messages or obstacle(conversation, live.setup, talk, acts=assistant.mode != "suggests"):
        return True
    is_new = messages[-1].occurred_at > now() - FILES_TAKE
    readings = [MediaReading.want(message) for message in messages if message.media and message.media.is_stored]
    if is_new and (len(readings) < len(messages) or any(one.state == "reading" for one in readings)):
        engagement.refresh_locked().wait(FILES_PAUSE)
        return False
    waiting = [one.id for one in readings if one.state == "waiting"]
    commit()
    for reading_id in waiting:
        understanding.read_media(reading_id)
        commit()
    return True


def claim(conversation_id: uuid.UUID) -> Work | None:
    """Takes the turn. Where it is clear already that it says nothing, the turn is finished here."""
    engagement = Engagement.of(conversation_id)
    conversation = Conversation.find(conversation_id)
    assistant = Assistant.current()
    if engagement is None or conversation is None or assistant is None:
        return None
    turn_id = uuid7()
    if not engagement.refresh_locked().claim(turn_id):
        return None
    talk = Talk.of(conversation)
    version = pinned(engagement, assistant, conversation)
    live = assistant.version
    is_out = assistant.mode == "off" or Balance.of_closed()
    if version is None or live is None or is_out or not talk.unanswered:
        engagement.release()
        return None
    turn = AssistantTurn.begin("live", mode=assistant.mode, version_id=version.id, conversation_id=conversation.id)
    turn.id, turn.trigger_message_id = turn_id, talk.unanswered[-1].id
    turn.question = "\n".join(filter(None, map(talk.words_in, talk.unanswered)))[-4_000:]
    setup = version.setup
    turn.language = setup.language_for(spoken_in(talk) or engagement.language)
    if earlier := AssistantTurn.open_in(conversation.id):
        earlier.finish("superseded", "newer")
    # Where it may answer and how much counts at once, also in conversations that keep an older version.
    reason = obstacle(conversation, live.setup, talk, acts=assistant.mode != "suggests")
    reason = reason or ("" if any(map(talk.words_in, talk.unanswered)) else "not_text")
    if reason := reason or interrupted(engagement, turn.trigger_message_id):
        settle_obstacle(reason, turn, talk, setup, assistant, engagement)
        commit()
        return None
    access = ModelAccess.usable()
    situation = situations.situation_of(talk, setup, language=engagement.language, asked_back=engagement.asked_back)
    tools = Switched.of(setup, contact_id=conversation.contact_id, turn_id=turn.id, pretends=turn.mode != "alone")
    endpoint = access.endpoint(setup.model) if access else None
    commit()
    return Work(turn_id, conversation.id, situation, endpoint, access.price if access else None, tools)


def pinned(engagement: Engagement, assistant: Assistant, conversation: Conversation) -> AssistantVersion | None:
    """The version that this conversation began with; the live one where it begins anew."""
    if conversation.handled_by != "assistant" or engagement.version_id is None:
        engagement.version_id = assistant.version_id
    return AssistantVersion.find(engagement.version_id)


def spoken_in(talk: Talk) -> str:
    return detect(" ".join(map(talk.words_in, talk.unanswered)))


def interrupted(engagement: Engagement, trigger_message_id: uuid.UUID) -> str:
    """Whether workers died of this question, or one did after it had called another program, which is not repeated."""
    if engagement.attempts == 0:
        return ""
    has_called = AssistantTurn.has_called(trigger_message_id)
    return "interrupted" if engagement.attempts >= ATTEMPTS or has_called else ""


def obstacle(conversation: Conversation, setup: Setup, talk: Talk, *, acts: bool) -> str:
    """Why it says nothing here. One that only suggests may do so beside a person, at any hour."""
    last = talk.unanswered[-1]
    if situations.is_answer_to_survey(last):
        return "survey"
    if all(map(situations.is_form, talk.unanswered)):
        return "form"
    if gate.is_old(last):
        return "old"
    if elsewhere := gate.is_elsewhere(conversation, setup):
        return elsewhere
    if acts:
        if refusal := conversation.gate.refusal("text", {}, by=Actor("assistant")):
            return refusal.kind if refusal.kind in ("with_person", "automation_paused") else "refused"
        if out := gate.is_out_of_hours(setup) or gate.is_over_limits(conversation, setup, talk.since, talk.messages):
            return out
    return gate.is_over_budget(setup) or gate.is_over_budget_here(conversation, setup, talk.since)


def settle_obstacle(
    reason: str, turn: AssistantTurn, talk: Talk, setup: Setup, assistant: Assistant, engagement: Engagement
) -> None:
    """It stays out; where it has been answering by itself and cannot go on, people are called."""
    turn.reason = reason
    engagement.release()
    if reason in CALLS_PEOPLE and has_to_say_so(turn, talk.conversation):
        conversation = talk.conversation.locked()
        turn.action = "hand_over"
        hand_over(conversation, setup, turn, talk, by=assistant.actor(setup))
        engagement.leave()
        turn.finish("handed_over")
        return
    turn.action = "stay_silent"
    turn.finish("silent")


def has_to_say_so(turn: AssistantTurn, conversation: Conversation) -> bool:
    """Whether a hand-over is the assistant's to announce: it answers by itself, or its approved answers went out here.

    The line is the business's own, so no one has to approve it.
    """
    return turn.mode == "alone" or (turn.mode == "approval" and conversation.handled_by == "assistant")


class Finishing:
    """The end of a turn: what was decided is checked against what happened meanwhile, and applied."""

    def __init__(self, work: Work, decision: Decision) -> None:
        self.work, self.decision = work, decision
        self.engagement = Engagement.get_or_make(work.conversation_id).refresh_locked()
        self.conversation: Conversation = Conversation.get_or_404(work.conversation_id).locked()
        self.turn = AssistantTurn.get_or_404(work.turn_id)
        self.assistant = Assistant.get_or_make()
        self.setup = work.situation.setup
        self.actor = self.assistant.actor(self.setup)

    def run(self) -> None:
        self.turn.record(self.decision, self.work.price, self.work.endpoint.model if self.work.endpoint else "")
        self.work.tools.note_calls()
        if self.decision.used_model and (access := ModelAccess.current()):
            access.note(self.decision.problem)
        if reason := self.overtaken():
            self.turn.finish("superseded", reason)
            if self.engagement.turn_id == self.turn.id:
                self.engagement.release()
            return
        self.engagement.release()
        self.engagement.language = self.decision.language or self.engagement.language
        if self.decision.reason in UNANSWERED:
            question = "\n".join(self.work.situation.questions)
            UnansweredQuestion.count_one(question, self.decision.language, self.conversation.id)
        self.execute()

    def overtaken(self) -> str:
        """What happened while the model was thinking, or "". The conversation is locked: nothing comes in between."""
        if not self.engagement.is_mine(self.turn.id):
            return "newer"
        if self.assistant.mode != self.turn.mode:
            return "switched_off"
        newest = Talk.of(self.conversation).unanswered
        if not newest:
            return "answered"
        if newest[-1].id != self.turn.trigger_message_id:
            return "newer"
        if self.turn.mode == "suggests":
            return ""
        if refusal := self.conversation.refusal_of_automation():
            return str(refusal.kind)
        return ""

    def execute(self) -> None:
        action = self.decision.action
        if action == "stay_silent":
            self.turn.finish("silent")
        elif action == "hand_over" and has_to_say_so(self.turn, self.conversation):
            hand_over(self.conversation, self.setup, self.turn, Talk.of(self.conversation), by=self.actor)
            self.engagement.leave()
            self.turn.finish("handed_over")
        elif self.turn.mode != "alone":
            is_suggestion = self.turn.mode == "suggests"
            self.turn.finish(("suggested" if is_suggestion else "waiting") if self.decision.reply else "withheld")
        else:
            self.send()

    def send(self) -> None:
        try:
            message = send_answer(self.conversation, self.engagement, self.turn, self.setup, by=self.actor)
        except (Refusal, ClientIdReused):
            self.turn.finish("failed", "refused")
            return
        self.engagement.asked_back = self.engagement.asked_back + 1 if self.decision.action == "ask" else 0
        self.work.tools.execute(self.decision.calls, self.conversation, self.actor)
        self.turn.message_id = message.id
        self.turn.finish("sent")


def send_answer(
    conversation: Conversation, engagement: Engagement, turn: AssistantTurn, setup: Setup, *, by: Actor
) -> Message:
    """Puts the answer into the outbox; the first one says that it is no person, and offers one. Raises `Refusal`."""
    conversation.take(by=by)
    message = None
    for place, part in enumerate(parts_of(conversation, engagement, turn, setup)):
        client_id = uuid.uuid5(answer_id(turn), str(place)) if place else answer_id(turn)
        message = conversation.send(part, by=by, client_id=client_id)
    assert message
    engagement.disclosed_at = now()
    forget_typing(conversation)
    return message


def parts_of(
    conversation: Conversation, engagement: Engagement, turn: AssistantTurn, setup: Setup
) -> list[outgoing.Outgoing]:
    """The answer as one message, or the disclosure before it where both are too long for one with a button."""
    if engagement.disclosed_at and engagement.disclosed_at > now() - DISCLOSED_FOR:
        return [outgoing.text(turn.reply)]
    language = turn.language
    disclosure = setup.disclosure_in(language, situations.tenant_name())
    button = (phrases.PERSON_BUTTON_ID, phrases.in_language({}, phrases.PERSON_BUTTONS, language))
    together = "\n\n".join(filter(None, [disclosure, turn.reply]))
    if len(together) <= outgoing.LONGEST_BODY:
        return [outgoing.choices(together, [button])]
    return [outgoing.choices(disclosure, [button]), outgoing.text(turn.reply)]


def approve(turn: AssistantTurn, *, by: Actor) -> Message:
    """A person approved it: it goes out as the assistant's. Raises `Refusal`."""
    engagement = Engagement.get_or_make(turn.conversation_id).refresh_locked()  # type: ignore[arg-type]
    conversation: Any = Conversation.get_or_404(turn.conversation_id).locked()
    version = AssistantVersion.get_or_404(turn.version_id)
    actor = Assistant.get_or_make().actor(version.setup)
    message = send_answer(conversation, engagement, turn, version.setup, by=actor)
    tools = Switched.of(version.setup, contact_id=conversation.contact_id, turn_id=turn.id)
    tools.execute([ToolCall(one["name"], one["arguments"]) for one in turn.calls], conversation, actor)
    engagement.asked_back = engagement.asked_back + 1 if turn.action == "ask" else 0
    turn.message_id = message.id
    turn.settle("used", by=by)
    return message


def recover(conversation_id: uuid.UUID) -> None:
    """A worker died with this turn: it is due again, once; after that people are called."""
    engagement = Engagement.of(conversation_id)
    if engagement is None or engagement.refresh_locked().lease_until is None or engagement.lease_until > now():  # type: ignore[operator]
        return
    if (turn := AssistantTurn.find(engagement.turn_id)) and turn.state == "thinking":
        turn.finish("failed", "interrupted")
    attempts = engagement.attempts + 1
    engagement.release()
    engagement.attempts, engagement.due_at = attempts, engagement.due_at or now()
    db.session.flush()
