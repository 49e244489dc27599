"""Emails to members, each in the language that they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.mail import Mail
from app.templating import in_language_of

from .models import Membership, User


def mails_to(members: Iterable[Membership], write: Callable[[User], tuple[str, str]]) -> list[Mail]:
    """One for each. `write` returns a mail's subject and body."""
    mails = []
    for member in members:
        with in_language_of(member.user):
            mails.append(Mail(member.user.email, *write(member.user)))
    return mails
