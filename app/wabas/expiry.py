"""Warnings before access expires or the time to register a number ends; and renewing access."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app import tokens
from app.extensions import mailer, outside
from app.meta import embedded_signup, system_users
from app.meta.errors import MetaError
from app.tenancy import Membership, Role, Tenant, User, announce, commit, db
from app.tenancy.mails import mails_to
from app.words import N_

from .models import PhoneNumber, Waba


def warn(waba: Waba) -> None:
    """Mails owners and admins that access expires, once at each of `WARNED_AT`. Killed meanwhile, it mails again."""
    if waba.access_ends.is_due:
        tenant = db.session.get_one(Tenant, waba.tenant_id)
        subject = N_("WhatsApp of %(name)s: renew Facebook access")
        mail_managers(tenant, subject, "wabas/mail/expiry.txt", waba=waba)
        waba.token_warned_days = waba.access_ends.step
        announce("waba", waba.id)


def warn_of_registration(number: PhoneNumber) -> None:
    """Mails them that a number is still not registered, once at each of `REGISTER_WARNED_AT`."""
    if number.state == "connecting" and number.registration_ends.is_due:
        tenant = db.session.get_one(Tenant, number.tenant_id)
        subject = N_("WhatsApp of %(name)s: your number is not connected yet")
        mail_managers(tenant, subject, "wabas/mail/registration.txt", number=number)
        number.register_warned_days = number.registration_ends.step
        announce("number", number.id)


def mail_managers(tenant: Tenant, subject: str, template: str, **context: object) -> None:
    link = tokens.link("numbers.index", tenant_slug=tenant.slug)
    members = select(Membership).where(Membership.role.in_((Role.OWNER, Role.ADMIN)))

    def write(user: User) -> tuple[str, str]:
        return _(subject, name=tenant.name), render_template(template, user=user, link=link, **context)

    mails = mails_to(db.session.scalars(members), write)
    commit()
    mailer.send_all(mails)


class NotRenewed(Exception):
    """Meta gives no new token this way; the Facebook window does."""


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
