"""The mail to owners that their business is closed."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app import tokens
from app.extensions import mailer
from app.tenancy import Membership, Tenant, commit, current_tenant_id, db
from app.tenancy.permissions import OWNERS


def mail_closed() -> None:
    tenant = db.session.get_one(Tenant, current_tenant_id())
    if tenant.closed_at is None:
        return
    link = tokens.link("closing.closed", tenant_slug=tenant.slug)
    subject = _("%(name)s is closed on Switchboard", name=tenant.name)
    owners = db.session.scalars(select(Membership).where(Membership.role.in_(OWNERS))).all()
    bodies = [
        (each.user.email, render_template("closing/mail/closed.txt", user=each.user, tenant=tenant, link=link))
        for each in owners
    ]
    commit()
    mailer.send_all(subject, bodies)
