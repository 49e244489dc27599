"""Filters and functions that templates call. What a page needs often is loaded once per request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from flask import g, url_for
from flask_babel import format_currency, format_decimal, format_timedelta
from flask_babel import gettext as _
from flask_login import current_user

from app.contacts.settings import ContactSettings
from app.hours.models import ServicePolicy, Urgency
from app.inbox.blueprint import bp
from app.inbox.compose.blocks import Block, parse_blocks
from app.inbox.compose.drafts import LIFETIME, Draft
from app.inbox.compose.markup import Run, parse_markup
from app.inbox.compose.offers import best_offer, sent_since_closed
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.words import CONVERSATION_STATES, MESSAGE_STATES
from app.inbox.desk.notes import Note, name_runs
from app.inbox.desk.preferences import DeskPreference
from app.inbox.desk.shortcuts import commands_and_places
from app.inbox.files.voice import can_make_voice_notes
from app.inbox.inbound.surveys import counts
from app.message_templates.models import TemplateList
from app.meta.outgoing import EXTENSIONS, TAKEN, Outgoing
from app.meta.outgoing import LARGEST as LARGEST_OF
from app.templating import named_dollar
from app.tenancy import current_actor, now


@bp.app_template_filter()
def marked_up(text: str, most: int) -> list[Run]:
    """A text as runs, each with its styles, links and phone numbers apart; after `most` of them the rest is plain."""
    if "default_country" not in g:
        g.default_country = ContactSettings.default_country()
    runs = parse_markup(text, g.default_country)
    return runs if len(runs) <= most else [*runs[:most], Run("".join(run.text for run in runs[most:]))]


@bp.app_template_filter()
def message_state(state: str) -> str:
    return str(_(MESSAGE_STATES[state]))


@bp.app_template_filter()
def conversation_state(state: str) -> str:
    return str(_(CONVERSATION_STATES[state]))


@bp.app_template_filter()
def blocks(text: str) -> list[Block]:
    """A text as its quotes, lists and paragraphs."""
    return parse_blocks(text)


@bp.app_template_filter()
def unmarked(text: str) -> str:
    """A text without WhatsApp's markup."""
    return "".join(run.text for run in parse_markup(text))


@bp.app_template_filter()
def price(amount: Decimal, currency: str) -> str:
    """An amount in a currency, in the reader's language; without the currency where its code is none."""
    shown = str(format_currency(amount, currency)) if len(currency) == 3 else str(format_decimal(amount))
    return named_dollar(shown, currency)


@bp.app_template_filter()
def named(body: str, note: Note) -> list[tuple[str, bool]]:
    """A note as runs, each with whether it mentions a colleague."""
    return name_runs(body, note)


@bp.app_template_global()
def new_id() -> str:
    """An id for a form, so that a second click is the same action."""
    return str(uuid.uuid4())


@bp.app_template_global()
def draft_message(conversation: Conversation) -> Message:
    """An empty message: the page copies its bubble and fills in text and id while it sends."""
    message = Message.outbound(conversation, Outgoing("text", ""), by=current_actor(), client_id=uuid.UUID(int=0))
    message.author_name = current_actor().name
    return message


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
    """The `accept` attribute of a file field: the types of one kind, or all that WhatsApp accepts."""
    kinds = [kind] if kind else [*TAKEN]
    types = [mime for kind in kinds for mime in TAKEN[kind]]
    return ",".join([*types, *(f".{extension}" for extension, mime in EXTENSIONS.items() if mime in types)])


@bp.app_template_global()
def file_limits() -> dict[str, Any]:
    """The largest size in bytes and the types of each kind, for the page's own check."""
    return {kind: {"most": LARGEST_OF[kind], "types": TAKEN[kind]} for kind in TAKEN}


bp.add_app_template_global(counts, "survey_counts")


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a customer waits against the promised response time: `state` for the ring, and words."""

    state: str
    words: str


@bp.app_template_global()
def response_wait(conversation: Conversation) -> Wait | None:
    """The wait of the customer; None where none waits, or no response time was promised."""
    if conversation.waiting_since is None or not conversation.is_active:
        return None
    policy, is_first = service_policy(), conversation.answered_at is None
    urgency = policy.urgency(conversation.waiting_since, is_first=is_first)
    due = policy.due_at(conversation.waiting_since, is_first=is_first)
    if urgency is None or due is None:
        return None
    left = format_timedelta(due - now(), granularity="minute", add_direction=True)
    words = _("Reply was due %(when)s", when=left) if urgency is Urgency.LATE else _("Reply due %(when)s", when=left)
    return Wait(urgency.value, words)


def service_policy() -> ServicePolicy:
    """The tenant's opening hours and response times, loaded once per request."""
    if "service_policy" not in g:
        g.service_policy = ServicePolicy.current()
    return g.service_policy  # type: ignore[no-any-return]


@bp.app_template_global()
def commands() -> list[tuple[str, str, str]]:
    """Each command with its words and the reader's key for it."""
    remapped = preference().custom_keys
    return [(name, words, remapped.get(name, key)) for name, (key, words) in commands_and_places().items()]


@bp.app_template_global()
def enter_sends() -> bool:
    """Whether Enter sends, for the reader."""
    return preference().enter_sends


def preference() -> DeskPreference:
    """The reader's preferences, loaded once per request."""
    if "desk_preference" not in g:
        g.desk_preference = DeskPreference.get_or_new(g.membership)
    return cast("DeskPreference", g.desk_preference)


@bp.app_template_global()
def draft_in(conversation: Conversation, kind: str) -> Draft | None:
    """The reader's draft. For an erased contact an empty one from the future, so that browsers delete theirs too."""
    if conversation.contact.is_erased:
        return Draft(body="", typed_at=now() + LIFETIME)
    return Draft.find_for(conversation, kind, current_user)


@bp.app_template_global()
def draft_attributes(conversation: Conversation, kind: str, draft: Draft | None) -> dict[str, object]:
    """For the draft's field: where it is saved, its key in the browser, and its age in milliseconds."""
    address = url_for("inbox.save_draft", conversation_id=conversation.id, what=kind)
    key = f"{current_user.id}/{conversation.id}/{kind}"
    return {"data-draft": address, "data-draft-key": key, "data-draft-age": draft.age if draft else None}


@bp.app_template_global()
def offer_context(conversation: Conversation) -> dict[str, Any]:
    """What to offer while the window is closed. Fetches the list from Meta if there is none."""
    offer, ways = best_offer(conversation, by=current_actor(), tenant=g.tenant), conversation.ways_to_write
    if offer is None:
        TemplateList.fresh(conversation.phone_number.waba_id)
    return {
        "conversation": conversation,
        "offer": offer,
        "estimate": conversation.terms.price_of(offer.template.category if offer else "utility", now()),
        "sent": sent_since_closed(conversation),
        "ways": ways,
    }


@bp.app_template_global()
def conversation_name(conversation: Conversation) -> str:
    """Whom it is with. A group is called by its name once WhatsApp has sent it."""
    return conversation.contact.name or (_("Group") if conversation.is_group else _("No name"))
