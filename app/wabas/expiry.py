"""The end of a token: warned of in time, and renewed with one click."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app import mail, tokens
from app.extensions import outside
from app.meta import embedded_signup, system_users
from app.meta.errors import MetaError
from app.tenancy import Membership, Role, Tenant, announce, commit, db

from .models import Waba


def warn(waba: Waba) -> None:
    """Mails owners and admins, once at each of the days."""
    if not waba.warning_due:
        return
    waba.token_warned_days = waba.warning_step
    link = tokens.link("wabas.index", tenant_slug=(tenant := db.session.get_one(Tenant, waba.tenant_id)).slug)
    members = select(Membership).where(Membership.role.in_((Role.OWNER, Role.ADMIN)))
    subject = _("WhatsApp of %(name)s: let us in again", name=tenant.name)
    for member in db.session.scalars(members):
        body = render_template("wabas/mail/expiry.txt", user=member.user, waba=waba, link=link)
        mail.send(outside().settings.mail_url, member.user.email, subject, body)
    announce("waba", waba.id)


class NotRenewed(Exception):
    """Meta gives no new token this way; Facebook's window will."""


def renew(waba: Waba) -> None:
    """Fetches a new token for the business. Raises `NotRenewed`."""
    meta_id, business_id, here = waba.meta_id, waba.owner_business_id, outside()
    commit()
    if not business_id:
        raise NotRenewed
    try:
        token = system_users.renew_business_token(here.graph, here.settings.meta_system_user_token, business_id)
        info = embedded_signup.debug_token(here.graph, token, here.graph.app_token)
    except MetaError as error:
        raise NotRenewed from error
    if not info.is_valid or info.waba_ids is None or meta_id not in info.waba_ids:
        raise NotRenewed
    waba.refresh_locked().renew(token, info.expires_at, info.user_id)
    announce("waba", waba.id)
    waba.check_later()
