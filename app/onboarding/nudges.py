"""Mails whoever left the Facebook window before its end: where they left, and how to continue."""

from __future__ import annotations

from smtplib import SMTPException

from flask import render_template
from flask_babel import gettext as _

from app import tokens
from app.extensions import mailer
from app.templating import in_language_of
from app.tenancy import Tenant, User, commit, db, now

from .models import Onboarding


def nudge(onboarding: Onboarding) -> None:
    """Sends the reminder once, if the attempt is still cancelled; not again where the process is killed meanwhile."""
    if onboarding.refresh_locked().state != "cancelled" or onboarding.nudged_at:
        return
    onboarding.nudged_at = now()
    tenant, user = db.session.get_one(Tenant, onboarding.tenant_id), db.session.get(User, onboarding.started_by_id)
    if user is None:
        return
    link = tokens.link("onboarding.show", tenant_slug=tenant.slug, onboarding_id=str(onboarding.id))
    with in_language_of(user):
        subject = _("Finish connecting WhatsApp")
        body = render_template("onboarding/mail/nudge.txt", onboarding=onboarding, user=user, link=link)
    address = user.email
    commit()
    try:
        mailer.send(address, subject, body)
    except (OSError, SMTPException):
        onboarding.nudged_at = None
        commit()
        raise
