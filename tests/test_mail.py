"""One email to several people reaches each once, whatever the server makes of one of them."""

from __future__ import annotations

import smtplib

import pytest

from app.mail import Mail, Mailer

MAILS = [Mail("ann@example.com", "Hello", "Hello Ann"), Mail("ben@example.com", "Hello", "Hello Ben")]


class Server:
    """Refuses some addresses."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.delivered = refused, list[str]()

    def take(self, _url: str, to: str, _subject: str, _body: str) -> None:
        if to in self.refused:
            raise smtplib.SMTPRecipientsRefused({to: (550, b"no such mailbox")})
        self.delivered.append(to)


@pytest.mark.parametrize("refused", ["ann@example.com", "ben@example.com"])
def test_an_address_that_is_refused_holds_up_no_other(refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(refused)
    monkeypatch.setattr("app.mail.send", server.take)
    Mailer("smtp://mail.example").send_all(MAILS)
    assert server.delivered == [mail.to for mail in MAILS if mail.to != refused]


def test_where_none_goes_out_all_are_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("ann@example.com", "ben@example.com")
    monkeypatch.setattr("app.mail.send", server.take)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        Mailer("smtp://mail.example").send_all(MAILS)
    server.refused = ()
    Mailer("smtp://mail.example").send_all(MAILS)
    assert server.delivered == ["ann@example.com", "ben@example.com"]


def test_to_no_one_nothing_is_sent() -> None:
    Mailer("smtp://mail.example").send_all([])
