"""A test message to one's own phone: the whole way through the outbox, with its ticks."""

from __future__ import annotations

import uuid

from flask import redirect, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.models import ContactIdentity
from app.inbox.compose.problems import explain
from app.inbox.conversations import Conversation, NumberUnavailable, Refusal, WindowClosed
from app.meta.spellings import other_spellings
from app.numbers.blueprint import bp
from app.numbers.forms import TrialForm
from app.tenancy import current_actor, db, requires
from app.wabas.models import PhoneNumber

from .passport import passport


@bp.post("/<uuid:phone_number_id>/trial")
@requires("numbers.manage")
def send_trial(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    """Sends only where the phone has written first: otherwise WhatsApp accepts nothing but paid templates."""
    number, form = PhoneNumber.get_or_404(phone_number_id), TrialForm()
    if not form.validate():
        return passport(number, trial_form=form), 422
    words = _("This is a test message from Switchboard. If you can read it, everything works.")
    try:
        conversation = conversation_with(number, form.phone.wa_id)
        if conversation is None:
            raise WindowClosed
        conversation.reply(words, by=current_actor(), client_id=uuid.uuid4(), source="trial")
    except WindowClosed:
        form.phone.errors = [_("Send hello from this phone first, then try again.")]
    except NumberUnavailable:
        form.phone.errors = [_("This number is not connected.")]
    except Refusal as refusal:
        form.phone.errors = [explain(refusal)]
    else:
        return redirect(url_for("inbox.show", conversation_id=conversation.id), 303)
    return passport(number, trial_form=form), 422


def conversation_with(number: PhoneNumber, wa_id: str) -> Conversation | None:
    same = ContactIdentity.contact_id == Conversation.contact_id
    mine = select(Conversation).join(ContactIdentity, same).where(Conversation.phone_number_id == number.id)
    spellings = (wa_id, *other_spellings(wa_id))
    return db.session.scalar(mine.where(ContactIdentity.kind == "wa_id", ContactIdentity.value.in_(spellings)).limit(1))
