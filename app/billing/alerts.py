"""Mails to owners: how much of a balance is used up, the end of a trial, a card that was refused."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app import tokens
from app.extensions import mailer
from app.tenancy import Membership, Tenant, User, commit, db
from app.tenancy.mails import mails_to
from app.tenancy.permissions import OWNERS
from app.words import N_

from .balances import Balance
from .recharges import STOPPED, Recharge


def mail_alert(level: int) -> None:
    """A level that is no longer true, as after a top-up, is left out."""
    balance = Balance.current()
    if balance is None or balance.alerted < level:
        return
    subject = N_("WhatsApp of %(name)s: %(level)d%% of the budget is used")
    mail_owners(balance, subject, "billing/mail/alert.txt", "costs.index", level=level)


def mail_trial(stage: str) -> None:
    """`soon`, `over`, or `on` where the plan goes on."""
    balance = Balance.current()
    if balance is None or balance.plan is None:
        return
    subject = {
        "soon": N_("WhatsApp of %(name)s: the trial ends soon"),
        "over": N_("WhatsApp of %(name)s: the trial has ended"),
    }.get(stage) or N_("WhatsApp of %(name)s: your plan has begun")
    mail_owners(balance, subject, "billing/mail/trial.txt", "costs.plans", stage=stage)


def mail_recharge(reason: str) -> None:
    """Automatic recharge has stopped, or has charged as much as it may in a month (`limit`)."""
    balance, rule = Balance.current(), Recharge.current()
    if balance is None or rule is None:
        return
    subject = N_("WhatsApp of %(name)s: automatic recharge has stopped")
    words = STOPPED.get(reason, "")
    mail_owners(balance, subject, "billing/mail/recharge.txt", "costs.index", rule=rule, words=words)


def mail_owners(balance: Balance, subject: str, template: str, page: str, **facts: Any) -> None:
    """The subject's facts are the business's name and `facts`."""
    tenant = db.session.get_one(Tenant, balance.tenant_id)
    link = tokens.link(page, tenant_slug=tenant.slug)

    def write(user: User) -> tuple[str, str]:
        body = render_template(template, user=user, balance=balance, link=link, **facts)
        return _(subject, name=tenant.name, **facts), body

    mails = mails_to(db.session.scalars(select(Membership).where(Membership.role.in_(OWNERS))), write)
    commit()
    mailer.send_all(mails)
