"""The mail to owners that their business is closed."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app import tokens
from app.extensions import mailer
from app.tenancy import Membership, Tenant, User, commit, current_tenant_id, db
from app.tenancy.mails import mails_to
from app.tenancy.permissions import OWNERS


def mail_closed() -> None:
    tenant = db.session.get_one(Tenant, current_tenant_id())
    if tenant.closed_at is None:
        return
    link = tokens.link("closing.closed", tenant_slug=tenant.slug)

    def write(user: User) -> tuple[str, str]:
        subject = _("%(name)s is closed on Switchboard", name=tenant.name)
        return subject, render_template("closing/mail/closed.txt", user=user, tenant=tenant, link=link)

    mails = mails_to(db.session.scalars(select(Membership).where(Membership.role.in_(OWNERS))), write)
    commit()
    mailer.send_all(mails)
