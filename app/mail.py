"""Email by `MAIL_URL`: `smtp://user:password@host:587`, `smtps://…`, or `file:///folder` for a demo."""

from __future__ import annotations

import pathlib
import smtplib
import ssl
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

log = structlog.get_logger()


class Mail(NamedTuple):
    """A plain-text email."""

    to: str
    subject: str
    body: str


@dataclass
class Mailer:
    url: str
    # Called before each email is sent, and may refuse by raising.
    before_call: Callable[[], object] = lambda: None

    def send(self, to: str, subject: str, body: str) -> None:
        """Sends one plain-text email. Raises OSError or smtplib.SMTPException if the server does not accept it."""
        self.before_call()
        send(self.url, to, subject, body)

    def send_all(self, mails: Iterable[Mail]) -> None:
        """Sends each. Raises as `send` does, if none went out: then all can be sent again.

        An address that the server refuses, or a line that is lost on the way, does not send the others theirs twice.
        """
        sent, problems = 0, []
        for mail in mails:
            try:
                self.send(*mail)
                sent += 1
            except (OSError, smtplib.SMTPException) as error:
                problems.append(error)
        if problems and not sent:
            raise problems[0]
        for problem in problems:
            log.error("email not sent", reason=type(problem).__name__)


def send(mail_url: str, to: str, subject: str, body: str) -> None:
    target = urlsplit(mail_url)
    message = EmailMessage()
    message["From"] = parse_qs(target.query).get("from", ["Switchboard <no-reply@localhost>"])[0]
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid()
    message.set_content(body)
    if target.scheme == "file":
        write(pathlib.Path(target.path), message)
    else:
        post(
            target.scheme,
            target.hostname or "localhost",
            target.port,
            target.username,
            target.password,
            message,
        )


def write(folder: pathlib.Path, message: EmailMessage) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{uuid.uuid4().hex}.eml").write_bytes(bytes(message))


def post(
    scheme: str, host: str, port: int | None, user: str | None, password: str | None, message: EmailMessage
) -> None:
    connect = smtplib.SMTP_SSL if scheme == "smtps" else smtplib.SMTP
    with connect(host, port or (465 if scheme == "smtps" else 587), timeout=15) as server:
        server.ehlo()
        if scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if user:
            server.login(unquote(user), unquote(password or ""))
        server.send_message(message)
