"""What the assistant follows: customers' messages, replies of people, and the end of a conversation."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update

from app.billing.balances import Balance
from app.inbox.conversations import Conversation, Message
from app.inbox.inbound.readers import read_by_features
from app.tenancy import Happened, current_tenant_id, db, is_sandbox, later, now, subscriber

from .assistant import Assistant
from .engagements import FRESH, Engagement, begin_turns
from .media_readings import MediaReading
from .translations import MessageTranslation
from .turns import judge_by_reply

# Messages whose words are a person's answer: a text, or the caption of a file.
IN_WORDS = ("text", "image", "video", "document")


@subscriber("assistant", "message.received")
def answer_messages(received: list[Happened]) -> None:
    """Has a turn made in each conversation, a moment after the last message."""
    assistant = Assistant.current()
    if assistant is None or assistant.mode == "off" or is_sandbox(current_tenant_id()) or Balance.of_closed():
        return
    version = assistant.version
    fresh = [one for one in received if one.at > now() - FRESH]
    if version is None or not fresh:
        return
    wait = dt.timedelta(seconds=version.setup.debounce_seconds)
    messages = db.session.scalars(select(Message).where(Message.id.in_([one.subject_id for one in fresh]))).unique()
    read = read_by_features(list(messages))
    begin_turns([one.facts.conversation_id for one in fresh if one.subject_id not in read], wait)


@subscriber("assistant's suggestions", "message.queued", "message.sent")
def compare_replies(queued: list[Happened]) -> None:
    """A person wrote an answer of their own beside a suggestion: that says how good the suggestion was.

    A form, buttons or a product sent beside it are no other wording of it.
    """
    by_people = {one.subject_id: one.actor for one in queued if one.actor and one.actor.takes_over}
    if not by_people:
        return
    for message in db.session.scalars(select(Message).where(Message.id.in_(list(by_people)))):
        actor = by_people[message.id]
        if actor and message.body and message.type in IN_WORDS and message.is_reply:
            judge_by_reply(message.conversation_id, message.body, by=actor)


@subscriber("assistant's conversations", "conversation.resolved", "conversation.taken", "conversation.handed_over")
def leave_conversations(ended: list[Happened]) -> None:
    """The next time it begins anew: with the version that is live then, and saying again what it is."""
    for one in ended:
        if engagement := Engagement.of(one.subject_id):
            engagement.leave()


@subscriber("assistant's lessons", "conversation.resolved")
def learn_from_conversations(resolved: list[Happened]) -> None:
    """Has those read in which the team may have answered something new."""
    assistant = Assistant.current()
    if assistant is None or not assistant.learns or is_sandbox(current_tenant_id()):
        return
    for conversation_id in {one.subject_id for one in resolved}:
        later("assistant.learn", conversation_id)


@subscriber("assistant's memory", "contact.erased")
def forget(erased: list[Happened]) -> None:
    for one in erased:
        later("assistant.forget_contact", one.subject_id)


@subscriber("assistant's threads", "contact.merged", "contact.unmerged")
def follow_messages(merged: list[Happened]) -> None:
    """What was read and translated of a message is shown where the message is."""
    people = {id for one in merged for id in (one.subject_id, one.facts.other_id)}
    theirs = select(Conversation.id).where(Conversation.contact_id.in_(people))
    for model in (MediaReading, MessageTranslation):
        same = Message.tenant_id == model.tenant_id, Message.id == model.message_id
        moved = model.conversation_id.in_(theirs), Message.conversation_id != model.conversation_id
        follow = update(model).where(*same, *moved).values(conversation_id=Message.conversation_id)
        db.session.execute(follow, execution_options={"synchronize_session": False})
