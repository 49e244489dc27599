"""Mails that say how much of a balance, a limit or a monthly cap is used up."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app import mail, tokens
from app.extensions import settings
from app.tenancy import Membership, Tenant, commit, db
from app.tenancy.permissions import OWNERS

from .balances import Balance


def mail_alert(level: int) -> None:
    """Mails the owners. A level that is no longer true, as after a top-up, is left out."""
    balance = Balance.current()
    if balance is None or balance.alerted < level:
        return
    tenant = db.session.get_one(Tenant, balance.tenant_id)
    members = db.session.scalars(select(Membership).where(Membership.role.in_(OWNERS))).all()
    link = tokens.link("costs.index", tenant_slug=tenant.slug)
    subject = _("WhatsApp of %(name)s: %(level)d%% of the budget is used", name=tenant.name, level=level)
    bodies = [
        (member.user.email, render_template("billing/mail/alert.txt", user=member.user, balance=balance, link=link))
        for member in members
    ]
    commit()
    for address, body in bodies:
        mail.send(settings.mail_url, address, subject, body)
