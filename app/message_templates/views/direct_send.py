"""Direct Send on the pages of templates: what is known of each account, and switching it on again after a report."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.blueprint import bp
from app.message_templates.direct_send import DirectSendAccess
from app.message_templates.models import MessageTemplate
from app.message_templates.settings import TemplateSettings
from app.tenancy import db, requires
from app.wabas.models import Waba


@dataclass(frozen=True, slots=True)
class Standing:
    """What a page says of one account. `reported` is the text that Meta reported, where it is in the list."""

    waba: Waba
    access: DirectSendAccess
    reported: str = ""


def standings() -> list[Standing]:
    """Of every account that can be sent from."""
    return [standing_of(waba) for waba in db.session.scalars(Waba.in_order()) if not waba.is_left]


def standing_of(waba: Waba) -> Standing:
    access = DirectSendAccess.of(waba.id)
    if not access.misused_at:
        return Standing(waba, access)
    named = MessageTemplate.waba_id == waba.id, MessageTemplate.name == access.misused_template
    template = db.session.scalar(select(MessageTemplate).where(*named).limit(1))
    words = template.definition.body_words.pieces[::2] if template else []
    # Of a whole text that varies Meta has nothing but the variable.
    return Standing(waba, access, template.definition.body if template and "".join(words).strip() else "")


def stopped() -> list[Standing]:
    """Those whose Direct Send a business that uses it cannot use at present, though it did."""
    if not TemplateSettings.current().uses_direct_send:
        return []
    return [one for one in standings() if one.access.misused_at or (one.access.is_refused and one.access.is_blocked)]


@bp.post("/direct-send/<uuid:waba_id>/restoration")
@requires("templates.approve")
def restore_direct_send(waba_id: uuid.UUID) -> AnyResponse:
    """Switches it on again after a report: once."""
    if DirectSendAccess.restore(Waba.get_or_404(waba_id).id):
        flash(_("Direct Send is on again."))
    else:
        flash(_("Direct Send stays off for this account."), "error")
    return redirect(url_for(".index"), 303)
