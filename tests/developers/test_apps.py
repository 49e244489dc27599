"""Signing in with an app, as an editor for code does: registered, allowed by a person, with tokens of its own."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import html
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.api import ApiKey, keys
from app.api.jobs import forget_ended_apps
from app.api.keys import ApiKeyRoute
from app.api.rates import Limit
from app.developers import limits, sign_ins
from app.developers.clients import Client
from app.developers.sign_ins import AppSignIn
from app.extensions import redis
from app.tenancy import Actor, Membership, db, global_scope, now, tenant_scope
from tests.client import Browser, isolated
from tests.closing.closures import mark_closed
from tests.enqueued import Enqueued
from tests.world import World

CALLBACK = "http://127.0.0.1:4711/callback"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass
class App:
    """A program on somebody's computer that speaks OAuth 2.1 and MCP."""

    app: Flask
    client_id: str = ""
    requested: dict[str, Any] = field(default_factory=dict)

    def post(self, path: str, data: Any, method: str = "POST", **headers: str) -> TestResponse:
        return isolated(self.app.test_client().open, path, method=method, data=data, headers=headers)

    def get(self, path: str) -> dict[str, Any]:
        return isolated(self.app.test_client().get, path).json  # type: ignore[return-value]

    def register(self, *uris: str, name: str = "Editor") -> TestResponse:
        answer = self.post("/oauth/register", json.dumps({"client_name": name, "redirect_uris": uris or [CALLBACK]}))
        self.client_id = answer.json.get("client_id", "") if answer.json else ""
        return answer

    def query(self, **more: Any) -> dict[str, Any]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
        query = {"response_type": "code", "client_id": self.client_id, "redirect_uri": CALLBACK, "state": "s1"}
        return query | {"code_challenge": challenge, "code_challenge_method": "S256", "scope": "messages:read"} | more

    def allowed_by(self, who: Browser, **more: Any) -> dict[str, str]:
        """What the person's browser brings back to the app."""
        page = who.get("/oauth/authorize", query_string=self.query(**more)).headers["Location"]
        answer = who.post(page, {"scopes": self.query(**more)["scope"].split()})
        assert answer.status_code == 303, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def exchange(self, code: str, **more: str) -> TestResponse:
        form = {"grant_type": "authorization_code", "code": code, "client_id": self.client_id}
        return self.post("/oauth/token", form | {"redirect_uri": CALLBACK, "code_verifier": VERIFIER} | more)

    def renew(self, token: str, **more: str) -> TestResponse:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.client_id}
        return self.post("/oauth/token", form | more)

    def ask(self, access: str) -> int:
        """The status of a request to the tools."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
        headers = {"Authorization": f"Bearer {access}", "Content-Type": "application/json"}
        headers |= {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
        return self.post("/mcp", json.dumps(body), **headers).status_code


@pytest.fixture
def editor(app: Flask) -> App:
    made = App(app)
    made.register()
    return made


@pytest.fixture
def tokens(editor: App, owner: Browser) -> dict[str, Any]:
    answer = editor.exchange(editor.allowed_by(owner)["code"])
    assert answer.status_code == 200 and answer.json
    return answer.json  # type: ignore[no-any-return]


def the_key(world: World) -> ApiKey:
    with tenant_scope(world.bakery.id):
        return db.session.scalars(select(ApiKey)).one()


def test_an_app_finds_the_way_from_the_resource_to_the_tools(editor: App, owner: Browser) -> None:
    (server,) = editor.get("/.well-known/oauth-protected-resource/mcp")["authorization_servers"]
    about = editor.get("/.well-known/oauth-authorization-server")
    assert about["issuer"] == server and about["code_challenge_methods_supported"] == ["S256"]
    brought = editor.allowed_by(owner, resource=f"{server}/mcp")
    assert brought["state"] == "s1" and brought["iss"] == server
    answer = editor.exchange(brought["code"])
    assert answer.json and answer.json["token_type"] == "Bearer" and answer.json["scope"] == "messages:read"
    assert answer.headers["Cache-Control"] == "no-store"
    assert editor.ask(answer.json["access_token"]) == 200


def test_the_page_names_app_business_permissions_and_place(editor: App, owner: Browser) -> None:
    page = owner.get("/oauth/authorize", query_string=editor.query(scope="messages:read messages:raw")).headers[
        "Location"
    ]
    text = owner.get(page).text
    assert "Editor" in text and "Bakery" in text and "messages:read" in text and "a program on this computer" in text
    assert 'value="messages:read" checked' in " ".join(text.split())
    assert 'value="messages:raw" checked' not in " ".join(text.split())
    assert "conversations:read" not in text


def test_fewer_permissions_may_be_given_and_never_more(editor: App, owner: Browser, world: World) -> None:
    scope = "messages:read contacts:read"
    page = owner.get("/oauth/authorize", query_string=editor.query(scope=scope)).headers["Location"]
    assert owner.post(page, {"scopes": ["messages:raw"]}).status_code == 422
    assert owner.post(page, {"scopes": ["contacts:read", "messages:raw"]}).status_code == 303
    assert the_key(world).scopes == ["contacts:read"]


def test_an_answer_is_given_once(editor: App, owner: Browser, world: World) -> None:
    page = owner.get("/oauth/authorize", query_string=editor.query()).headers["Location"]
    answers = [owner.post(page, {"scopes": ["messages:read"]}).status_code for _ in range(2)]
    assert answers == [303, 404] and the_key(world).kind == "app"


def test_a_request_is_the_persons_own_and_gets_old(
    editor: App, owner: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = owner.get("/oauth/authorize", query_string=editor.query()).headers["Location"]
    other = Browser(editor.app, "shoes").signed_in_as(world.sue).confirmed()
    assert other.get(page.replace("/t/bakery/", "/t/shoes/")).status_code == 404
    later = now() + dt.timedelta(minutes=11)
    monkeypatch.setattr(sign_ins, "database_now", lambda: later)
    assert owner.get(page).status_code == 404


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"resource": "https://evil.example/mcp"}, "invalid_target"),
        ({"state": ["s1", "s2"]}, "invalid_request"),
    ],
)
def test_what_an_app_asks_wrongly_it_hears_if_the_person_goes_there(
    editor: App, owner: Browser, more: dict[str, Any], error: str
) -> None:
    page = owner.get("/oauth/authorize", query_string=editor.query(**more))
    target = html.unescape(re.search(r'class="btn" href="([^"]+)"', page.text)[1])  # type: ignore[index]
    assert page.status_code == 400 and target.startswith(f"{CALLBACK}?error={error}") and "state=s1" in target


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": "made-up"},
        {"client_id": ""},
        {"client_id": "x" * 5_000},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:4711/other"},
        {"redirect_uri": "http://127.0.0.1:4711@evil.example/callback"},
        {"redirect_uri": CALLBACK.replace("call", "ca\nll")},
    ],
)
def test_no_answer_goes_to_an_address_that_was_not_registered(
    editor: App, owner: Browser, more: dict[str, Any]
) -> None:
    answer = owner.get("/oauth/authorize", query_string=editor.query(**more))
    assert answer.status_code == 400 and "Location" not in answer.headers


def test_on_this_computer_any_port_will_do(editor: App, owner: Browser) -> None:
    elsewhere = CALLBACK.replace("4711", "50123")
    assert owner.get("/oauth/authorize", query_string=editor.query(redirect_uri=elsewhere)).status_code == 303


@pytest.mark.parametrize(
    "uri",
    [
        "javascript://x/%0aalert(1)",
        "data:text/html,x",
        "http://shop.example/callback",
        "https://shop.example/callback#part",
        "https://user@shop.example/",
        "https://",
        "https://*/callback",
        "https://shop.example;sandbox/callback",
        "https://shop.example,script-src/callback",
        "http://127.0.0.1:99999/",
        "//shop.example",
        "callback",
        "https://shop.example/ x",
        "https://shop.example/" + "x" * 300,
        5,
    ],
)
def test_an_unsafe_address_is_not_registered(app: Flask, uri: Any) -> None:
    answer = App(app).register(uri)
    assert answer.status_code == 400 and answer.json and answer.json["error"] == "invalid_redirect_uri"


@pytest.mark.parametrize(
    "uri",
    ["https://shop.example/callback", "cursor://app/oauth", "http://localhost/c", "http://[::1]:80/c", "com.app:/x"],
)
def test_a_safe_one_is(app: Flask, uri: str) -> None:
    answer = App(app).register(uri)
    assert answer.status_code == 201 and answer.json and answer.json["redirect_uris"] == [uri]
    client = Client.read(answer.json["client_id"])
    assert client and client.takes(uri)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"redirect_uris": "x"}', b'{"redirect_uris": []}', b"\xff"])
def test_garbage_registers_nothing(app: Flask, body: bytes) -> None:
    assert App(app).post("/oauth/register", body).status_code == 400


@pytest.mark.parametrize(
    "more",
    [
        {"code_verifier": "another-verifier-that-is-long-enough-to-be-one-012"},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:4712/callback"},
        {"client_id": "another"},
    ],
)
def test_a_code_is_for_who_asked_for_it(editor: App, owner: Browser, more: dict[str, str]) -> None:
    answer = editor.exchange(editor.allowed_by(owner)["code"], **more)
    assert answer.status_code == 400 and answer.json == {"error": "invalid_grant"}


@pytest.mark.parametrize("code", ["", "x", "x" * 5_000, "sb_code_x_y", f"sb_code_{'0' * 32}_x", "sb_code_\x00_é"])
def test_what_is_no_code_is_none(editor: App, code: str) -> None:
    assert editor.exchange(code).status_code == 400
    assert editor.renew(code).status_code == 400


def test_a_code_used_twice_ends_what_it_began(editor: App, owner: Browser) -> None:
    code = editor.allowed_by(owner)["code"]
    answer = editor.exchange(code)
    assert answer.json and editor.ask(answer.json["access_token"]) == 200
    assert editor.exchange(code).status_code == 400
    assert editor.ask(answer.json["access_token"]) == 401


def test_a_code_that_was_not_fetched_in_time_is_worthless(editor: App, owner: Browser, world: World) -> None:
    code = editor.allowed_by(owner)["code"]
    with tenant_scope(world.bakery.id):
        db.session.execute(update(ApiKey).values(expires_at=now() - dt.timedelta(seconds=1)))
    assert editor.exchange(code).status_code == 400


def test_the_clock_of_one_machine_does_not_end_a_sign_in(
    editor: App, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = editor.allowed_by(owner)["code"]
    later = now() + dt.timedelta(minutes=10)
    for module in (sign_ins, keys):
        monkeypatch.setattr(module, "now", lambda: later)
    tokens = editor.exchange(code).json
    assert tokens and editor.renew(tokens["refresh_token"]).status_code == 200


def test_a_code_stays_worthless_when_its_key_is_given_more_time(editor: App, owner: Browser, world: World) -> None:
    code = editor.allowed_by(owner)["code"]
    with tenant_scope(world.bakery.id):
        db.session.execute(update(ApiKey).values(expires_at=None))
        db.session.execute(update(AppSignIn).values(created_at=now() - dt.timedelta(minutes=3)))
    assert editor.exchange(code).status_code == 400


def test_sign_ins_that_came_to_nothing_take_no_keys_place(
    editor: App, owner: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST_KEYS", 1)
    editor.allowed_by(owner)
    with tenant_scope(world.bakery.id):
        db.session.execute(update(ApiKey).values(expires_at=now() - dt.timedelta(seconds=1)))
    assert editor.exchange(editor.allowed_by(owner)["code"]).status_code == 200


def test_sign_ins_that_are_not_renewed_take_no_keys_place(
    editor: App, owner: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST_KEYS", 1)
    old = editor.exchange(editor.allowed_by(owner)["code"]).json
    with tenant_scope(world.bakery.id):
        db.session.execute(update(ApiKey).values(renewed_at=now() - dt.timedelta(days=61)))
    assert old and editor.renew(old["refresh_token"]).status_code == 400
    assert editor.exchange(editor.allowed_by(owner)["code"]).status_code == 200


def test_apps_take_no_place_of_keys_that_people_add(
    editor: App, owner: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST_KEYS", 1)
    editor.exchange(editor.allowed_by(owner)["code"])
    with tenant_scope(world.bakery.id):
        key, _secret = ApiKey.create("Shop", "live", ["messages:read"], by=Actor.system("tests"))
        assert key.state == "active"


def test_an_app_that_signs_in_again_and_again_ends_its_oldest(
    editor: App, owner: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_ins, "MOST_OF_AN_APP", 2)
    answers = [editor.exchange(editor.allowed_by(owner)["code"]).json for _ in range(3)]
    assert [editor.ask(each["access_token"]) for each in answers if each] == [401, 200, 200]


@pytest.mark.parametrize(
    ("ended", "is_left"),
    [
        ({"revoked_at": 29}, True),
        ({"revoked_at": 31}, False),
        ({"expires_at": 31}, False),
        ({"renewed_at": 89}, True),
        ({"renewed_at": 91}, False),
        ({"kind": "live", "revoked_at": 91}, True),
    ],
)
def test_keys_of_apps_are_deleted_a_month_after_their_end(
    tokens: dict[str, Any], world: World, enqueued: Enqueued, ended: dict[str, Any], is_left: bool
) -> None:
    ago = {name: now() - dt.timedelta(days=days) if name != "kind" else days for name, days in ended.items()}
    with tenant_scope(world.bakery.id):
        db.session.execute(update(ApiKey).values(ago))
    forget_ended_apps()
    enqueued.run("api.forget_ended_apps")
    with tenant_scope(world.bakery.id):
        assert bool(db.session.scalar(select(ApiKey))) is is_left
    with global_scope():
        assert bool(db.session.scalar(select(ApiKeyRoute))) is is_left


@pytest.mark.parametrize(
    ("limit", "call"),
    [
        ("TOKEN", lambda app: app.exchange("sb_code_x_y")),
        ("TOKEN", lambda app: app.renew("x")),
        ("TOKEN", lambda app: app.post("/oauth/revoke", {"token": "x"})),
        ("REGISTER", lambda app: app.register()),
        ("METADATA", lambda app: app.post("/.well-known/oauth-authorization-server", None, method="GET")),
        ("METADATA", lambda app: app.post("/.well-known/oauth-protected-resource/mcp", None, method="GET")),
        ("METADATA", lambda app: app.post("/.well-known/oauth-protected-resource/api/v1", None, method="GET")),
    ],
)
def test_a_network_that_calls_too_often_waits_and_no_other(
    editor: App, limit: str, call: Callable[[App], TestResponse]
) -> None:
    use_up(getattr(limits, limit))
    answer = call(editor)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) >= 1
    assert answer.json and answer.json["error"] == "temporarily_unavailable"
    assert limits.seconds_to_wait(getattr(limits, limit), "192.0.2.7") == 0


def use_up(limit: Limit, who: str = "127.0.0.1") -> None:
    """For minutes from now."""
    redis.set(f"{limit.name}:{who}", time.time() + 600)


def test_a_person_who_opens_too_many_sign_ins_waits_and_no_other(editor: App, owner: Browser, world: World) -> None:
    use_up(limits.AUTHORIZE, str(world.ben.id))
    assert owner.get("/oauth/authorize", query_string=editor.query()).status_code != 429
    use_up(limits.AUTHORIZE, str(world.ann.id))
    assert owner.get("/oauth/authorize", query_string=editor.query()).status_code == 429


@pytest.mark.parametrize("path", ["/oauth/register", "/oauth/token", "/oauth/revoke"])
def test_a_large_body_is_not_read(editor: App, path: str) -> None:
    assert editor.post(path, {"token": "x" * 30_000, "grant_type": "x"}).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/oauth/token", 405),
        ("POST", "/oauth/tokens", 404),
        ("PUT", "/.well-known/oauth-authorization-server", 405),
    ],
)
def test_a_program_that_calls_wrongly_reads_json(editor: App, method: str, path: str, status: int) -> None:
    answer = isolated(editor.app.test_client().open, path, method=method, headers={"Accept": "text/html"})
    assert answer.status_code == status and (answer.json or {})["error"] == "invalid_request"
    assert "<" not in answer.text and ("Allow" in answer.headers) == (status == 405)


def test_a_token_ends_after_an_hour_and_is_renewed(editor: App, tokens: dict[str, Any]) -> None:
    assert tokens["expires_in"] == 3_600
    with global_scope():
        db.session.execute(update(ApiKeyRoute).values(ends_at=now() - dt.timedelta(seconds=1)))
    assert editor.ask(tokens["access_token"]) == 401
    answer = editor.renew(tokens["refresh_token"])
    assert answer.json and editor.ask(answer.json["access_token"]) == 200
    assert answer.json["refresh_token"] != tokens["refresh_token"]


def test_a_token_for_renewal_that_was_used_ends_the_sign_in(editor: App, tokens: dict[str, Any], world: World) -> None:
    newer = editor.renew(tokens["refresh_token"]).json
    with tenant_scope(world.bakery.id):
        db.session.execute(update(AppSignIn).values(renewed_at=now() - dt.timedelta(minutes=1)))
    assert editor.renew(tokens["refresh_token"]).status_code == 400
    assert newer and editor.ask(newer["access_token"]) == 401


def test_who_stole_a_token_and_renewed_it_twice_loses_it_when_the_app_comes(
    editor: App, tokens: dict[str, Any]
) -> None:
    stolen = editor.renew(tokens["refresh_token"]).json
    again = editor.renew(stolen["refresh_token"]).json  # type: ignore[index]
    assert again and editor.ask(again["access_token"]) == 200
    assert editor.renew(tokens["refresh_token"]).status_code == 400
    assert editor.ask(again["access_token"]) == 401 and editor.renew(again["refresh_token"]).status_code == 400


def test_an_app_that_loses_every_answer_may_ask_again_for_half_a_minute(
    editor: App, tokens: dict[str, Any], world: World
) -> None:
    answers = [editor.renew(tokens["refresh_token"]) for _ in range(4)]
    last = answers[-1].json
    assert last and editor.ask(last["access_token"]) == 200
    with tenant_scope(world.bakery.id):
        db.session.execute(update(AppSignIn).values(renewed_at=now() - dt.timedelta(seconds=31)))
    assert editor.renew(tokens["refresh_token"]).status_code == 400 and editor.ask(last["access_token"]) == 401


def test_an_app_that_renews_in_parallel_may_use_either_answer(
    editor: App, tokens: dict[str, Any], world: World
) -> None:
    answers = [editor.renew(tokens["refresh_token"]).json for _ in range(3)]
    with tenant_scope(world.bakery.id):
        db.session.execute(update(AppSignIn).values(renewed_at=now() - dt.timedelta(minutes=1)))
    with global_scope():
        ends = list(db.session.scalars(select(ApiKeyRoute.ends_at).where(ApiKeyRoute.ends_at.is_not(None))))
    assert sum(end > now() + dt.timedelta(minutes=50) for end in ends if end) == 3
    for answer in answers:
        assert answer and editor.ask(answer["access_token"]) == 200
    first, *_others = answers
    assert first and editor.renew(first["refresh_token"]).status_code == 200


def test_an_app_that_lost_the_answer_ends_its_sign_in_with_the_token_that_it_has(
    editor: App, tokens: dict[str, Any]
) -> None:
    lost = editor.renew(tokens["refresh_token"]).json
    editor.post("/oauth/revoke", {"token": tokens["refresh_token"]})
    assert lost and editor.ask(lost["access_token"]) == 401


def test_an_app_that_lost_the_answer_renews_once_more(editor: App, tokens: dict[str, Any]) -> None:
    assert [editor.renew(tokens["refresh_token"]).status_code for _ in range(2)] == [200, 200]


def test_renewal_is_for_the_same_app(editor: App, tokens: dict[str, Any]) -> None:
    other = App(editor.app)
    other.register(name="Other")
    assert other.renew(tokens["refresh_token"]).status_code == 400
    assert editor.renew(tokens["refresh_token"]).status_code == 200


def test_a_token_for_the_tools_does_not_open_the_api_and_the_other_way_round(editor: App, owner: Browser) -> None:
    ours = editor.get("/.well-known/oauth-authorization-server")["issuer"]
    for resource, expected in (("mcp", (200, 401)), ("api/v1", (401, 200))):
        answer = editor.exchange(editor.allowed_by(owner, resource=f"{ours}/{resource}")["code"]).json
        assert answer
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        me = isolated(editor.app.test_client().get, "/api/v1/me", headers=headers)
        assert (editor.ask(answer["access_token"]), me.status_code) == expected


def test_it_ends_with_the_membership(editor: App, tokens: dict[str, Any], world: World) -> None:
    with tenant_scope(world.bakery.id):
        db.session.delete(db.session.scalars(select(Membership).where(Membership.user_id == world.ann.id)).one())
    assert editor.ask(tokens["access_token"]) == 401
    assert editor.renew(tokens["refresh_token"]).status_code == 400


def test_the_list_says_that_who_signed_in_has_left(editor: App, owner: Browser, world: World) -> None:
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Membership).where(Membership.user_id == world.ben.id).values(role="admin"))
    editor.allowed_by(Browser(editor.app, "bakery").signed_in_as(world.ben).confirmed())
    assert "Member left" not in owner.get("~/keys").text
    with tenant_scope(world.bakery.id):
        db.session.delete(db.session.scalars(select(Membership).where(Membership.user_id == world.ben.id)).one())
    assert "Member left" in owner.get("~/keys").text


def test_it_ends_when_the_member_may_not_manage_keys_any_more(
    editor: App, tokens: dict[str, Any], world: World
) -> None:
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Membership).where(Membership.user_id == world.ann.id).values(role="agent"))
    assert editor.ask(tokens["access_token"]) == 401


Revoke = Callable[[App, Browser, dict[str, Any], uuid.UUID], TestResponse]


@pytest.mark.parametrize(
    "revoke",
    [
        lambda app, _owner, tokens, _id: app.post("/oauth/revoke", {"token": tokens["refresh_token"]}),
        lambda app, _owner, tokens, _id: app.post("/oauth/revoke", {"token": tokens["access_token"]}),
        lambda _app, owner, _tokens, key: owner.post(f"~/keys/{key}/revocation"),
    ],
    ids=["by the app", "by the app with the other token", "in the settings"],
)
def test_it_is_revoked(editor: App, owner: Browser, tokens: dict[str, Any], world: World, revoke: Revoke) -> None:
    assert revoke(editor, owner, tokens, the_key(world).id).status_code in (200, 303)
    assert editor.ask(tokens["access_token"]) == 401
    assert editor.renew(tokens["refresh_token"]).status_code == 400


def test_what_is_no_token_is_revoked_without_a_word(editor: App) -> None:
    assert {editor.post("/oauth/revoke", {"token": one}).status_code for one in ("", "x", "sb_app_x")} == {200}


def test_it_is_listed_with_the_keys(owner: Browser, tokens: dict[str, Any], world: World) -> None:
    assert tokens["access_token"] not in owner.get("~/keys").text
    assert "Editor" in owner.get("~/keys").text and "App" in owner.get("~/keys").text
    page = owner.get(f"~/keys/{the_key(world).id}").text
    assert "Renew" not in page and "Revoke key" in page
    assert owner.post(f"~/keys/{the_key(world).id}/renewal").status_code == 404


def test_agents_connect_no_apps(editor: App, owner: Browser, ben: Browser) -> None:
    page = owner.get("/oauth/authorize", query_string=editor.query()).headers["Location"]
    assert ben.get(page).status_code == 403


def test_a_strangers_token_reaches_only_their_business(editor: App, world: World, tokens: dict[str, Any]) -> None:
    sue = Browser(editor.app, "shoes").signed_in_as(world.sue).confirmed()
    theirs = editor.exchange(editor.allowed_by(sue)["code"]).json
    assert theirs and editor.ask(theirs["access_token"]) == 200
    # A token that names another business is found nowhere.
    forged = theirs["refresh_token"].replace(world.shoes.id.hex, world.bakery.id.hex)
    assert editor.renew(forged).status_code == 400
    assert the_key(world).name == "Editor" and tokens["scope"] == "messages:read"


def test_no_token_is_stored(tokens: dict[str, Any], world: World) -> None:
    with tenant_scope(world.bakery.id):
        stored = repr([vars(row) for model in (AppSignIn, ApiKey) for row in db.session.scalars(select(model))])
    assert not any(tokens[name] in stored for name in ("access_token", "refresh_token"))


def test_an_app_gets_nothing_more_of_a_closed_business(
    editor: App, owner: Browser, tokens: dict[str, Any], world: World
) -> None:
    code = editor.allowed_by(owner)["code"]
    mark_closed(world)
    for answer in (editor.renew(tokens["refresh_token"]), editor.exchange(code)):
        assert (answer.status_code, answer.json) == (400, {"error": "invalid_grant"})
