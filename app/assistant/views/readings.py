"""Below a message: what a model heard or saw in its file, and its translation; and the buttons that ask for them."""

from __future__ import annotations

import uuid

from flask import abort, flash, g
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.access import ModelAccess
from app.assistant.blueprint import bp
from app.assistant.media_readings import MediaReading
from app.assistant.translations import MessageTranslation, translate
from app.assistant.words import PROBLEMS
from app.inbox.conversations import Conversation, Message
from app.tenancy import current_actor, requires

from .suggestions import shown


@bp.app_template_global()
def reading_of(message: Message) -> MediaReading | None:
    """What was read of a message's file. One query for a thread."""
    if message.id is None or message.is_outbound:
        return None
    by_message = g.setdefault("media_readings", {})
    if message.conversation_id not in by_message:
        by_message[message.conversation_id] = MediaReading.of_conversation(message.conversation_id)
    reading: MediaReading | None = by_message[message.conversation_id].get(message.id)
    return reading


@bp.app_template_global()
def can_transcribe() -> bool:
    """Whether a model is connected that listens."""
    if "can_transcribe" not in g:
        access = ModelAccess.current()
        g.can_transcribe = bool(access and access.hears)
    return bool(g.can_transcribe)


@bp.app_template_global()
def translation_of(message: Message) -> str:
    """A customer's message in the reader's language, where somebody asked for it. One query for a thread."""
    if message.id is None or message.is_outbound or message.is_deleted:
        return ""
    language, by_message = readers_language()[0], g.setdefault("translations", {})
    if message.conversation_id not in by_message:
        by_message[message.conversation_id] = MessageTranslation.of_conversation(message.conversation_id, language)
    translation = by_message[message.conversation_id].get(message.id)
    return translation.words if translation and translation.is_of(message) else ""


def readers_language() -> tuple[str, str]:
    """Its code, and its name in English."""
    locale = get_locale()
    return (locale.language, str(locale.english_name)) if locale else ("en", "English")


@bp.app_template_global()
def reading_problem(problem: str) -> str:
    return str(_(PROBLEMS.get(problem, problem)))


@bp.post("/transcripts/<uuid:message_id>")
@requires("inbox.reply")
def transcribe_message(message_id: uuid.UUID) -> AnyResponse:
    """Has a voice message of a customer written down. A worker does it; the thread shows it when it is there."""
    message = Message.get_or_404(message_id)
    conversation = Conversation.get_or_404(message.conversation_id)
    if message.is_outbound or not message.media or message.media.kind != "audio" or message.is_deleted:
        abort(404)
    if can_transcribe():
        MediaReading.want(message, by=current_actor()).read_later()
    else:
        words = PROBLEMS["cannot_hear"]
        flash(_(words), "error")
    return shown(conversation)


@bp.post("/translations/<uuid:message_id>")
@requires("inbox.reply")
def translate_message(message_id: uuid.UUID) -> AnyResponse:
    """Shows a customer's message in the reader's language, below the original."""
    message = Message.get_or_404(message_id)
    conversation = Conversation.get_or_404(message.conversation_id)
    if message.is_outbound:
        abort(404)
    if problem := translate(message, *readers_language()):
        flash(_(PROBLEMS[problem]), "error")
    return shown(conversation)
