"""Messages with something to tap: up to three buttons, a list, a link, a form, a request for the customer's place."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.meta.contents import web_address
from app.words import N_

from .kinds import Outgoing, Refused, needed, within

MOST_BUTTONS = 3
MOST_ROWS = 10
LONGEST_BODY = 1024
LONGEST_LIST_BODY = 4096
LONGEST_HEADER = LONGEST_FOOTER = 60
LONGEST_BUTTON = 20
LONGEST_FLOW_BUTTON = 30
LONGEST_ROW = 24
LONGEST_DESCRIPTION = 72
LONGEST_URL = 2000

_BODY = N_("The text may have {most:,} characters. Shorten it by {over}.")
_HEADER = N_("The heading may have {most} characters. Shorten it by {over}.")
_FOOTER = N_("The footer may have {most} characters. Shorten it by {over}.")
_BUTTON = N_("A button may have {most} characters: “{value}” has {over} too many.")
_ROW = N_("A choice may have {most} characters: “{value}” has {over} too many.")
_DESCRIPTION = N_("The description of a choice can have {most} characters: “{value}” has {over} too many.")
_URL = N_("The address may have {most:,} characters. Shorten it by {over}.")
_WRITE = N_("Enter the text above the choices.")


class Row(NamedTuple):
    """A choice of a list."""

    title: str
    description: str = ""


def buttons(body: str, titles: Sequence[str], header: str = "", footer: str = "") -> Outgoing:
    labels = [within(title, LONGEST_BUTTON, _BUTTON) for title in titles if title.strip()]
    if not labels:
        raise Refused(N_("Write on at least one button."))
    if (over := len(labels) - MOST_BUTTONS) > 0:
        raise Refused(N_("WhatsApp shows at most 3 buttons; this has {over} more."), over=over)
    _distinct(labels, N_("Two buttons say “{value}”. Each needs words of its own."))
    replies = [
        {"type": "reply", "reply": {"id": f"button-{place}", "title": title}} for place, title in enumerate(labels, 1)
    ]
    return _shaped("button", body, {"buttons": replies}, header, footer)


def choices(body: str, titles: Sequence[tuple[str, str]]) -> Outgoing:
    """A text with up to three buttons, each as (id, title): the id says what a tap means."""
    replies = [{"type": "reply", "reply": {"id": id, "title": title}} for id, title in titles]
    return _shaped("button", body, {"buttons": replies})


def survey(question: str, titles: Sequence[tuple[str, str]]) -> Outgoing:
    """A question with up to three answers, each as (id, title)."""
    return choices(question, [(f"survey-{id}", title) for id, title in titles])


def menu(body: str, button: str, rows: Sequence[Row], header: str = "", footer: str = "") -> Outgoing:
    choices = [row for row in rows if row.title.strip()]
    if lost := next((row for row in rows if row.description.strip() and not row.title.strip()), None):
        raise Refused(N_("“{value}” describes a choice without a name. Enter a name."), value=lost.description.strip())
    if not choices:
        raise Refused(N_("Write at least one choice."))
    if (over := len(choices) - MOST_ROWS) > 0:
        raise Refused(N_("WhatsApp shows at most 10 choices; this has {over} more."), over=over)
    _distinct([row.title.strip() for row in choices], N_("Two choices say “{value}”. Each needs words of its own."))
    listed = [_row(place, row) for place, row in enumerate(choices, 1)]
    title = needed(button, LONGEST_BUTTON, N_("Write on the button that opens the list."), _BUTTON)
    action = {"button": title, "sections": [{"rows": listed}]}
    return _shaped("list", body, action, header, footer, LONGEST_LIST_BODY)


def link(body: str, title: str, url: str, header: str = "", footer: str = "") -> Outgoing:
    title = needed(title, LONGEST_BUTTON, N_("Write on the button."), _BUTTON)
    address = needed(url, LONGEST_URL, N_("Give the address that the button opens."), _URL)
    if not web_address(address):
        raise Refused(N_("The address begins with https://, for example https://bakery.example/menu."))
    action = {"name": "cta_url", "parameters": {"display_text": title, "url": address}}
    return _shaped("cta_url", body, action, header, footer)


def location_request(body: str) -> Outgoing:
    return _shaped("location_request_message", body, {"name": "send_location"})


def flow(
    body: str,
    title: str,
    flow_id: str,
    *,
    screen: str = "",
    data: Mapping[str, Any] | None = None,
    exchanges: bool = False,
    is_draft: bool = False,
    header: str = "",
    footer: str = "",
) -> Outgoing:
    """A form with the button that opens it. Its token is added when it goes out (`with_flow_token`).

    `exchanges`: its first screen comes from the data endpoint; else it may begin on a `screen`, with `data`.
    """
    title = needed(title, LONGEST_FLOW_BUTTON, N_("Write on the button that opens the form."), _BUTTON)
    if any(unicodedata.category(letter) == "So" for letter in title):
        raise Refused(N_("WhatsApp takes no emoji on this button. Remove it."))
    if not flow_id.strip():
        raise Refused(N_("Choose the form to send."))
    parameters: dict[str, Any] = {"flow_message_version": "3", "flow_id": flow_id.strip(), "flow_cta": title}
    parameters["flow_action"] = "data_exchange" if exchanges else "navigate"
    if is_draft:
        parameters["mode"] = "draft"
    if screen and not exchanges:
        parameters["flow_action_payload"] = {"screen": screen} | ({"data": dict(data)} if data else {})
    return _shaped("flow", body, {"name": "flow", "parameters": parameters}, header, footer)


def number_request(body: str) -> Outgoing:
    """With the button “Share phone number”."""
    return _shaped("request_contact_info", body, {"name": "request_contact_info"})


def _shaped(
    kind: str, body: str, action: dict[str, Any], header: str = "", footer: str = "", longest: int = LONGEST_BODY
) -> Outgoing:
    words = needed(body, longest, _WRITE, _BODY)
    shape: dict[str, Any] = {"type": kind, "body": {"text": words}, "action": action}
    if header := within(header, LONGEST_HEADER, _HEADER):
        shape["header"] = {"type": "text", "text": header}
    if footer := within(footer, LONGEST_FOOTER, _FOOTER):
        shape["footer"] = {"text": footer}
    return Outgoing("interactive", words, shape)


def _row(place: int, row: Row) -> dict[str, str]:
    listed = {"id": f"row-{place}", "title": within(row.title, LONGEST_ROW, _ROW)}
    if description := within(row.description, LONGEST_DESCRIPTION, _DESCRIPTION):
        listed["description"] = description
    return listed


def _distinct(titles: list[str], words: str) -> None:
    if twice := next((title for title in titles if titles.count(title) > 1), None):
        raise Refused(words, value=twice)
