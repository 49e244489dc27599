"""What people do at the front door, and what arrives by mail."""

from __future__ import annotations

import pathlib
import re
import shutil
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.extensions import settings
from app.team.jobs import mail_email_confirmation, mail_invitation, mail_password_reset
from app.team.models import EmailConfirmation, Invitation, PasswordReset
from app.tenancy import Membership, Tenant, User, db, global_scope, platform_scope, tenant_scope
from tests.client import Browser

PASSWORD = "correct horse battery"
NEW_PASSWORD = "three unrelated words"


def sign_in(browser: Browser, email: str = "ann@example.com", password: str = PASSWORD, **more: str) -> TestResponse:
    query = {"next": more.pop("next")} if "next" in more else {}
    return browser.post("/sign-in", {"email": email, "password": password}, query_string=query, headers=more)


def is_in(browser: Browser) -> bool:
    """Whether this browser has a session that works."""
    return "/sign-in" not in browser.get("/businesses").headers.get("Location", "")


def cookie(browser: Browser) -> str:
    results = browser.client.get_cookie("session")
    return results.value if results else ""


def with_cookie(app: Flask, value: str, tenant: str = "") -> Browser:
    """A browser that sends a cookie that somebody kept."""
    made = Browser(app, tenant=tenant)
    made.client.set_cookie("session", value)
    return made


def rows(kind: type[Any]) -> list[Any]:
    with platform_scope("tests"):
        return list(db.session.scalars(select(kind)).unique())


def member(tenant: Tenant, user: User) -> Membership:
    results = membership(tenant, user)
    assert results, f"{user.email} is not in {tenant.name}"
    return results


def membership(tenant: Tenant, user: User) -> Membership | None:
    with tenant_scope(tenant.id):
        return db.session.scalar(select(Membership).where(Membership.user_id == user.id))


def mails() -> list[tuple[str, str, str]]:
    """To whom, about what, and the words of the mails sent since the last look."""
    folder = pathlib.Path(urlsplit(settings.mail_url).path)
    results = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))]
    shutil.rmtree(folder, ignore_errors=True)
    return [(mail["To"], mail["Subject"], mail.get_content()) for mail in results]


def deliver_mails() -> list[tuple[str, str, str]]:
    """What the worker would do by now."""
    mails()
    for reset in rows(PasswordReset):
        mail_password_reset(str(reset.id))
    for confirmation in rows(EmailConfirmation):
        mail_email_confirmation(str(confirmation.id))
    for invitation in rows(Invitation):
        mail_invitation(str(invitation.tenant_id), str(invitation.id))
    return mails()


def link_in(text: str) -> str:
    """The path of the link in a mail."""
    results = re.search(r"http://localhost(/\S+)", text)
    assert results, text
    return results[1]


def token_in(text: str) -> str:
    return link_in(text).partition("token=")[2]


def ask_for_reset(browser: Browser, email: str = "ann@example.com") -> str:
    """Asks for a new password and tells the path of the link that arrives."""
    browser.post("/forgotten-password", {"email": email})
    return link_in(deliver_mails()[0][2])


def ask_to_sign_up(browser: Browser, email: str = "tom@tea.example") -> str:
    """Enters an address to sign up with and tells the path of the link that arrives."""
    answer = browser.post("/sign-up", {"email": email})
    assert answer.status_code == 200, answer.text
    return link_in(deliver_mails()[0][2])


def create_business(browser: Browser, link: str, **form: str) -> TestResponse:
    """What somebody enters behind the link of their sign-up."""
    entered = {"business": "Tea & Sons", "name": "Tom", "password": PASSWORD} | form
    return browser.post("/sign-up/business", {"token": link.partition("token=")[2]} | entered)


def invite(browser: Browser, email: str = "ned@example.com", role: str = "agent") -> str:
    """Invites somebody and tells the path of the link that arrives."""
    answer = browser.post("~/team/invitations", {"emails": email, "role": role})
    assert answer.status_code == 303, answer.text
    return link_in(deliver_mails()[0][2])


def accept(browser: Browser, link: str, name: str = "Ned", password: str = PASSWORD) -> TestResponse:
    token = link.partition("token=")[2]
    return browser.post("/invitation", {"token": token, "name": name, "password": password})


def user_with(email: str) -> User:
    with global_scope():
        results: User | None = db.session.scalar(select(User).where(User.email == email))
    assert results, email
    return results
