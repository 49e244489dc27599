"""What templates call: looked up once for a page where it can be."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from flask import g, url_for
from flask_babel import format_currency, format_decimal, format_timedelta
from flask_babel import gettext as _
from flask_login import current_user

from app.hours.models import Ring, ServicePolicy
from app.inbox.blueprint import bp
from app.inbox.compose.drafts import KEPT, Draft
from app.inbox.compose.markup import Run, runs
from app.inbox.compose.offers import best_offer, sent_since_closed
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.notes import Note, name_runs
from app.inbox.desk.preferences import DeskPreference
from app.inbox.desk.shortcuts import commands_and_places
from app.inbox.files.voice import can_make_voice_notes
from app.inbox.inbound.surveys import counts
from app.message_templates.models import TemplateList
from app.meta.outgoing import EXTENSIONS, TAKEN
from app.meta.outgoing import LARGEST as LARGEST_OF
from app.tenancy import current_actor, now


@bp.app_template_filter()
def marked_up(text: str) -> list[Run]:
    """A text as runs, each with its styles."""
    return runs(text)


@bp.app_template_filter()
def unmarked(text: str) -> str:
    return "".join(run.text for run in runs(text))


@bp.app_template_filter()
def price(amount: Decimal, currency: str) -> str:
    return str(format_currency(amount, currency)) if len(currency) == 3 else str(format_decimal(amount))


@bp.app_template_filter()
def named(body: str, note: Note) -> list[tuple[str, bool]]:
    """A note as runs, each with whether it names a colleague."""
    return name_runs(body, note)


@bp.app_template_global()
def new_id() -> str:
    return str(uuid.uuid4())


@bp.app_template_global()
def draft_message(conversation: Conversation) -> Message:
    """What a bubble looks like before it is sent: the page fills in its text and id."""
    return Message.outbound(conversation, "", by=current_actor(), client_id=uuid.UUID(int=0))


@bp.app_template_global()
def sender_choices() -> list[tuple[str, str]]:
    """Who may have sent a message, as filters offer it: names of SENDERS."""
    return [
        ("customer", _("Customer")),
        ("people", _("Team member")),
        ("automation", _("Automation")),
        ("campaigns", _("Campaign")),
        ("api", _("API")),
        ("system", _("Switchboard")),
    ]


bp.add_app_template_global(can_make_voice_notes)


@bp.app_template_global()
def accepted_files(kind: str = "") -> str:
    """What the file picker offers: all that WhatsApp takes, or what is of one kind."""
    kinds = [kind] if kind else [*TAKEN]
    types = [mime for kind in kinds for mime in TAKEN[kind]]
    return ",".join([*types, *(f".{extension}" for extension, mime in EXTENSIONS.items() if mime in types)])


@bp.app_template_global()
def file_limits() -> dict[str, Any]:
    """For the page's own check: the largest file of each kind, and the types of each."""
    return {kind: {"most": LARGEST_OF[kind], "types": TAKEN[kind]} for kind in TAKEN}


bp.add_app_template_global(counts, "survey_counts")


@dataclass(frozen=True, slots=True)
class Wait:
    state: str
    words: str


@bp.app_template_global()
def response_ring(conversation: Conversation) -> Wait | None:
    """None where nobody waits, or nothing was promised."""
    if conversation.waiting_since is None or not conversation.is_active:
        return None
    policy, is_first = promised(), conversation.answered_at is None
    ring, due = (
        policy.ring(conversation.waiting_since, is_first=is_first),
        policy.due_at(conversation.waiting_since, is_first=is_first),
    )
    if ring is None or due is None:
        return None
    left = format_timedelta(abs(due - now()), granularity="minute")
    words = _("Answer overdue for %(time)s", time=left) if ring is Ring.LATE else _("Answer due in %(time)s", time=left)
    return Wait(ring.value, words)


def promised() -> ServicePolicy:
    """Looked up once for a page."""
    if "service_policy" not in g:
        g.service_policy = ServicePolicy.current()
    return g.service_policy  # type: ignore[no-any-return]


@bp.app_template_global()
def commands() -> list[tuple[str, str, str]]:
    """Each command with its words and the key it has for whoever looks at the page."""
    remapped = preference().remapped
    return [(name, words, remapped.get(name, key)) for name, (key, words) in commands_and_places().items()]


@bp.app_template_global()
def enter_sends() -> bool:
    return preference().enter_sends


def preference() -> DeskPreference:
    """Of whoever looks at the page."""
    if "desk_preference" not in g:
        g.desk_preference = DeskPreference.of(g.membership)
    return cast("DeskPreference", g.desk_preference)


@bp.app_template_global()
def draft_in(conversation: Conversation, kind: str) -> Draft | None:
    """What the reader has typed there. Of somebody who was erased nothing is brought back, from no browser either."""
    if conversation.contact.is_erased:
        return Draft(body="", typed_at=now() + KEPT)
    return Draft.of(conversation, kind, current_user)


@bp.app_template_global()
def draft_attributes(conversation: Conversation, kind: str, draft: Draft | None) -> dict[str, object]:
    """For the field it stands in: where it is saved, its name in the browser, and how old those words are."""
    address = url_for("inbox.keep_draft", conversation_id=conversation.id, what=kind)
    key = f"{current_user.id}/{conversation.id}/{kind}"
    return {"data-draft": address, "data-draft-key": key, "data-draft-age": draft.age if draft else None}


@bp.app_template_global()
def offer_context(conversation: Conversation) -> dict[str, Any]:
    """What to send while only templates may be sent. Meta is asked when nothing is known yet."""
    found = best_offer(conversation, by=current_actor(), tenant=g.tenant)
    if found is None:
        TemplateList.fresh(conversation.phone_number.waba_id)
    return {
        "conversation": conversation,
        "offer": found,
        "estimate": found and conversation.terms.price_of(found.template.category, now()),
        "sent": sent_since_closed(conversation),
    }


@bp.app_template_global()
def conversation_name(conversation: Conversation) -> str:
    """Whom it is with. A group is called by its name once WhatsApp has told it."""
    return conversation.contact.name or (_("Group") if conversation.is_group else _("No name"))
