"""What a browser, or whoever pretends to be one, says of itself before anything is done for it."""

from __future__ import annotations

import pytest
from flask import Flask, request

from app.config import Settings
from app.egress import is_outside
from tests.apps import running
from tests.client import FRAGMENT, Browser
from tests.world import World

HTTPS = {"public_url": "https://desk.example"}


def seen_by(settings: Settings, forwarded: str, **changed: object) -> str | None:
    """The address that an app with these settings takes for the client's."""
    with running(settings.model_copy(update=changed)) as app:
        seen: list[str | None] = []
        app.before_request(lambda: seen.append(request.remote_addr))
        app.test_client().get("/healthz", headers={"X-Forwarded-For": forwarded})
    return seen[0]


def test_without_a_proxy_a_header_sets_no_address(settings: Settings) -> None:
    assert seen_by(settings, "192.0.2.7") == "127.0.0.1"


@pytest.mark.parametrize(
    ("count", "address"), [(0, "127.0.0.1"), (1, "192.0.2.3"), (2, "192.0.2.2"), (None, "192.0.2.3")]
)
def test_the_address_is_as_far_from_the_end_as_there_are_proxies(
    settings: Settings, count: int | None, address: str
) -> None:
    assert seen_by(settings, "192.0.2.1, 192.0.2.2, 192.0.2.3", proxies=count, **HTTPS) == address


@pytest.mark.parametrize("host", ["evil.example", "desk.example.evil.example", "desk.example:99", "127.0.0.1", "[::1]"])
def test_a_page_opens_under_our_name_only(settings: Settings, host: str) -> None:
    with running(settings.model_copy(update=HTTPS)) as app:
        client, secure = app.test_client(), {"X-Forwarded-Proto": "https", "Host": host}
        assert client.get("/sign-in", headers=secure).status_code == 400
        assert client.get("/nowhere", headers=secure).status_code == 400
        assert client.get("/healthz", headers=secure).status_code == 200
        assert client.get("/sign-in", headers=secure | {"Host": "desk.example"}).status_code == 200


FAR_AWAY = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"


@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Range", "If-Unmodified-Since"])
def test_a_date_of_another_age_is_passed_over(app: Flask, name: str) -> None:
    both = ({name: FAR_AWAY, "Range": "bytes=0-1"}, {name: FAR_AWAY})
    part, whole = (app.test_client().get("/static/favicon.svg", headers=sent, buffered=True) for sent in both)
    assert (part.status_code, whole.status_code) == (200 if name == "If-Range" else 206, 200)


def test_an_ipv4_caller_of_a_server_that_listens_on_ipv6_is_itself(app: Flask) -> None:
    for address, seen in (("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8::1", "2001:db8::1"), ("fe80::1%eth0", None)):
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            assert request.remote_addr == (seen or address)


def test_a_flashed_message_is_not_eaten_by_an_error_page(app: Flask, browser: Browser) -> None:
    with browser.client.session_transaction() as session:
        session["_flashes"] = [("message", "Saved just now.")]
    assert "Saved just now." not in browser.get("/nowhere").text
    assert "Saved just now." in browser.get("/sign-in").text


def test_a_bulk_change_leads_back_to_a_page_of_ours_only(ann: Browser) -> None:
    for referrer, target in (
        ("https://evil.example/t/bakery/inbox/", "/t/bakery/inbox/"),
        ("http://localhost//evil.example", "/t/bakery/inbox/"),
        ("http://[::1", "/t/bakery/inbox/"),
        ("http://localhost/t/bakery/inbox/?view=mine", "/t/bakery/inbox/"),
    ):
        assert ann.post("~/inbox/bulk", {}, headers={"Referer": referrer}).location == target


@pytest.mark.parametrize("path", ["/sign-in", "/nowhere", "/healthz", "/t/bakery/inbox/"])
def test_every_answer_has_the_security_headers(ann: Browser, path: str) -> None:
    headers = ann.client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["3fff::1", "3fff:fff:ffff::1", "5f00::1", "2001:db8::1", "fec0::1"])
def test_documentation_and_segment_routing_are_not_the_open_internet(address: str) -> None:
    assert not is_outside(address)


def test_a_text_with_nul_loses_it_everywhere(ann: Browser) -> None:
    for path in ("~/stories?q=a%00b", "~/failures?code=%00", "~/inbox/search?q=%00&until=9999-12-31", "/t/%00/inbox/"):
        assert ann.get(path, headers=FRAGMENT).status_code < 500


def test_a_name_with_nul_is_stored_without_it(ann: Browser, world: World) -> None:
    assert ann.post("~/team/teams", {"name": "Ov\x00ens"}).status_code == 303
    assert ann.post("~/inbox/macros", {"name": "D\x00one", "note": "Done"}).status_code == 303
    assert "Ovens" in ann.get("~/team/teams").text
