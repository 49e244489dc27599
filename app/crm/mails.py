"""The mail that says that a CRM needs a new token."""

from __future__ import annotations

from flask import current_app, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app.extensions import mailer, settings
from app.tenancy import Membership, Tenant, User, commit, db
from app.tenancy.mails import mails_to
from app.tenancy.permissions import ADMINS

from .models import CrmConnection


def mail_needs_token(connection_id: object) -> None:
    """Mails owners and admins, once. Who dies meanwhile has it sent again."""
    connection = CrmConnection.find(connection_id)
    if connection is None or not connection.is_mail_due:
        return
    tenant = db.session.get_one(Tenant, connection.tenant_id)
    members = db.session.scalars(select(Membership).where(Membership.role.in_(ADMINS)))
    link = settings.public_url + current_app.url_map.bind("").build("crm.index", {"tenant_slug": tenant.slug})

    def write(_user: User) -> tuple[str, str]:
        subject = _("%(crm)s of %(name)s needs a new token", crm=connection.name, name=tenant.name)
        return subject, render_template("crm/mail/needs_token.txt", tenant=tenant, connection=connection, link=link)

    mails = mails_to(members, write)
    commit()
    mailer.send_all(mails)
    connection.is_mail_due = False
