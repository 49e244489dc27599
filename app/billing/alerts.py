"""Mails to owners: how much of a balance is used up, the end of a trial, a card that was refused."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app import tokens
from app.extensions import mailer
from app.tenancy import Membership, Tenant, commit, db
from app.tenancy.permissions import OWNERS

from .balances import Balance
from .recharges import STOPPED, Recharge


def mail_alert(level: int) -> None:
    """A level that is no longer true, as after a top-up, is left out."""
    balance = Balance.current()
    if balance is None or balance.alerted < level:
        return
    name = db.session.get_one(Tenant, balance.tenant_id).name
    subject = _("WhatsApp of %(name)s: %(level)d%% of the budget is used", name=name, level=level)
    mail_owners(balance, subject, "billing/mail/alert.txt", "costs.index")


def mail_trial(stage: str) -> None:
    """`soon`, `over`, or `on` where the plan goes on."""
    balance = Balance.current()
    if balance is None or balance.plan is None:
        return
    name = db.session.get_one(Tenant, balance.tenant_id).name
    subject = {
        "soon": _("WhatsApp of %(name)s: the trial ends soon", name=name),
        "over": _("WhatsApp of %(name)s: the trial has ended", name=name),
    }.get(stage) or _("WhatsApp of %(name)s: your plan has begun", name=name)
    mail_owners(balance, subject, "billing/mail/trial.txt", "costs.plans", stage=stage)


def mail_recharge(reason: str) -> None:
    """Automatic recharge has stopped, or has charged as much as it may in a month (`limit`)."""
    balance, rule = Balance.current(), Recharge.current()
    if balance is None or rule is None:
        return
    name = db.session.get_one(Tenant, balance.tenant_id).name
    subject = _("WhatsApp of %(name)s: automatic recharge has stopped", name=name)
    words = _(STOPPED[reason]) if reason in STOPPED else ""
    mail_owners(balance, subject, "billing/mail/recharge.txt", "costs.index", rule=rule, words=words)


def mail_owners(balance: Balance, subject: str, template: str, page: str, **facts: Any) -> None:
    link = tokens.link(page, tenant_slug=db.session.get_one(Tenant, balance.tenant_id).slug)
    members = db.session.scalars(select(Membership).where(Membership.role.in_(OWNERS))).all()
    bodies = [
        (member.user.email, render_template(template, user=member.user, balance=balance, link=link, **facts))
        for member in members
    ]
    commit()
    mailer.send_all(subject, bodies)
