"""The mail that says that a webhook was disabled."""

from __future__ import annotations

from flask import current_app, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app.extensions import mailer, settings
from app.tenancy import Membership, Tenant, User, commit, db
from app.tenancy.mails import mails_to
from app.tenancy.permissions import ADMINS

from .endpoints import WebhookEndpoint


def mail_disabled(endpoint_id: object) -> None:
    """Mails owners and admins, once. Who dies meanwhile has it sent again."""
    endpoint = WebhookEndpoint.find(endpoint_id)
    if endpoint is None or not endpoint.is_mail_due:
        return
    tenant = db.session.get_one(Tenant, endpoint.tenant_id)
    members = db.session.scalars(select(Membership).where(Membership.role.in_(ADMINS)))
    values = {"tenant_slug": tenant.slug, "endpoint_id": endpoint.id}
    link = settings.public_url + current_app.url_map.bind("").build("hooks.show", values)

    def write(_user: User) -> tuple[str, str]:
        subject = _("A webhook of %(name)s was disabled", name=tenant.name)
        return subject, render_template("hooks/mail/disabled.txt", tenant=tenant, endpoint=endpoint, link=link)

    mails = mails_to(members, write)
    commit()
    mailer.send_all(mails)
    endpoint.is_mail_due = False
