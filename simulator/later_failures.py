"""Decides whether a message that was accepted will fail later, and with which code."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulator import foreign_lines, magic
from simulator.context import Context
from simulator.credit_line import CreditLine
from simulator.media import TYPES, Media
from simulator.messages import NO_BUBBLE, Message

MONTH = 30 * 86400
NO_PAYMENT, WINDOW_CLOSED, SPAM, CAPPED, STOPPED = 131042, 131047, 131048, 131049, 131050
NOT_VALID, UNUSABLE_FILE = 131009, 131053


@dataclass(frozen=True)
class Failure:
    code: int
    details: str = ""


def failure_of(message: Message) -> Failure | None:
    if code := magic.failure_of(message.customer.wa_id):
        return Failure(code)
    if not foreign_lines.credit_of(message.number.waba) or message.world.knobs["credit_exhausted"]:
        return Failure(NO_PAYMENT)
    if CreditLine.of(message.world).is_used_up:
        return Failure(NO_PAYMENT, "The credit line is over its limit.")
    if message.template_id or message.type == "template":
        return _of_template(message) or _of_files(message)
    if not message.window_open:
        return Failure(WINDOW_CLOSED)
    if message.type == "reaction":
        return _of_reaction(message)
    message.relation.answer_to_ad()
    return _of_files(message)


def _of_template(message: Message) -> Failure | None:
    if message.category == "marketing" and message.relation.offers_stopped:
        return Failure(STOPPED)
    if message.category == "marketing" and message.customer.marketing_capped:
        return Failure(CAPPED)
    if not message.window_open and not message.relation.open_conversation():
        return Failure(SPAM, "The business portfolio has reached its messaging limit for the last 24 hours.")
    message.relation.answer_to_ad()
    return None


def _of_reaction(message: Message) -> Failure | None:
    target = Message.find(message.world, message.reference)
    too_old = message.world.clock.now() - MONTH
    reachable = (
        target
        and (target.phone_number_id, target.customer_id) == (message.phone_number_id, message.customer_id)
        and target.type not in NO_BUBBLE
        and target.deleted_at is None
        and target.created_at > too_old
    )
    return None if reachable else Failure(NOT_VALID, "The message to react to does not exist, is deleted or too old.")


def _of_files(message: Message) -> Failure | None:
    for kind, file in files_in(message.body, message.type):
        media = Media.find(message.world, file.get("id"))
        if media and not media.fits(kind):
            return Failure(UNUSABLE_FILE, f"{media.plain_type} of {media.file_size} bytes cannot be sent as {kind}.")
        if media and file.get("voice") and media.plain_type != "audio/ogg":
            return Failure(UNUSABLE_FILE, "A voice note must be an OGG file with one OPUS channel.")
    return None


def links_in(message: Message) -> list[tuple[str, str]]:
    return [(kind, file["link"]) for kind, file in files_in(message.body, message.type) if file.get("link")]


def files_in(content: Any, kind: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields every file in the content, at any depth: its own, a header's, those of carousel cards."""
    if isinstance(content, list):
        for item in content:
            yield from files_in(item)
    elif isinstance(content, dict):
        if kind in TYPES and ("id" in content or "link" in content):
            yield kind, content
        else:
            for name, inner in content.items():
                yield from files_in(inner, name)


def missing_file(world: Context, content: Any, kind: str, phone_number_id: str) -> str | None:
    """The kind of the first file whose id is not one of this number's, or None."""
    for kind_of_file, file in files_in(content, kind):
        if "id" in file and not Media.usable(world, str(file["id"]), phone_number_id):
            return kind_of_file
    return None
