"""API keys in the settings: added, changed, renewed and revoked by admins, each recorded; the secret is shown once."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.api import ApiKey
from app.api import keys as api_keys
from app.api.scopes import SCOPES
from app.developers.forms import scopes_of
from app.team.models import Team, TeamChange
from app.tenancy import Actor, db, now, tenant_scope
from tests.client import Browser, isolated
from tests.world import World

SECRET = re.compile(r"sb_(?:live|team|test)_[0-9A-Za-z]{43}")


def filled(**more: Any) -> dict[str, Any]:
    """The form of a new key."""
    return {"id": str(uuid.uuid4()), "name": "Web shop", "kind": "live", "access": "read"} | more


def secret_in(page: str) -> str:
    return next(iter(SECRET.findall(page)), "")


def status_of_call(app: Flask, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return isolated(app.test_client().get, "/api/v1/me", headers=headers).status_code


def all_keys(world: World) -> list[ApiKey]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(ApiKey.in_order()))


def changes(world: World) -> Iterator[tuple[str, str, str, str]]:
    with tenant_scope(world.bakery.id):
        for one in db.session.scalars(select(TeamChange).order_by(TeamChange.id)):
            yield one.kind, one.about, one.old, one.new


def test_a_new_key_works_and_its_secret_is_shown_once(app: Flask, owner: Browser, world: World) -> None:
    answer = owner.post("~/keys", filled())
    secret = secret_in(answer.text)
    assert answer.status_code == 201 and status_of_call(app, secret) == 200
    assert answer.headers["Cache-Control"] == "no-store"
    (key,) = all_keys(world)
    for page in ("~/keys", f"~/keys/{key.id}"):
        text = owner.get(page).text
        assert key.prefix in text and not SECRET.search(text)


def test_sending_the_form_again_adds_no_second_key_and_shows_no_secret(owner: Browser, world: World) -> None:
    form = filled()
    owner.post("~/keys", form)
    again = owner.post("~/keys", form)
    assert again.status_code == 303 and not SECRET.search(again.text)
    assert len(all_keys(world)) == 1


def test_the_secret_is_in_no_session_and_no_log(owner: Browser, caplog: pytest.LogCaptureFixture) -> None:
    secret = secret_in(owner.post("~/keys", filled()).text)
    with owner.client.session_transaction() as session:
        assert secret not in str(dict(session))
    assert secret not in caplog.text


@pytest.mark.parametrize("access", ["read", "send", "all"])
def test_a_preset_is_the_scopes_that_it_names(owner: Browser, world: World, access: str) -> None:
    owner.post("~/keys", filled(access=access, scopes=["messages:raw"]))
    (key,) = all_keys(world)
    assert key.scopes == scopes_of(access)
    risky = {name for name in key.scopes if SCOPES[name].is_risky}
    assert bool(risky) == (access == "all")


def test_scopes_are_chosen_one_by_one(owner: Browser, world: World) -> None:
    owner.post("~/keys", filled(access="custom", scopes=["messages:write", "nonsense:read"]))
    assert [key.scopes for key in all_keys(world)] == [["messages:write"]]


def test_a_key_expires_at_the_end_of_the_day_and_works_from_its_networks(owner: Browser, world: World) -> None:
    owner.post("~/keys", filled(expires_on="2031-05-04", networks="203.0.113.7\r\n 2001:db8::/32 \r\n203.0.113.7"))
    (key,) = all_keys(world)
    assert key.expires_at == dt.datetime(2031, 5, 5, tzinfo=dt.UTC)
    assert key.networks == ["203.0.113.7", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": " "}, "Enter a name."),
        ({"name": "x" * 81}, "Use at most 80 characters."),
        ({"kind": "gold"}, "Choose one of the options."),
        ({"kind": "team"}, "Choose the team whose numbers the key reaches."),
        ({"kind": "team", "team_id": str(uuid.uuid4())}, "Choose the team whose numbers the key reaches."),
        ({"access": "custom"}, "Choose at least one permission."),
        ({"expires_on": "2020-01-01"}, "This date is in the past."),
        ({"expires_on": "soon"}, "Enter a date"),
        ({"expires_on": "2100-01-01"}, "Enter a date before the year 2100."),
        ({"networks": "203.0.113.0/24\nexample.com"}, "“example.com” is no IP address or network"),
        ({"networks": "203.0.113.7/24"}, "Did you mean 203.0.113.0/24?"),
        ({"networks": "fe80::1%eth0"}, "is no IP address or network"),
        ({"networks": "\n".join(f"203.0.113.{n}" for n in range(51))}, "Enter at most 50 addresses."),
    ],
)
def test_a_mistake_is_shown_at_its_field(owner: Browser, world: World, wrong: dict[str, str], words: str) -> None:
    answer = owner.post("~/keys", filled(**wrong))
    assert answer.status_code == 422 and words in answer.text and all_keys(world) == []


def test_a_team_key_names_its_team_and_says_when_it_was_deleted(owner: Browser, world: World) -> None:
    with tenant_scope(world.bakery.id):
        team = Team(name="Night shift")
        db.session.add(team)
        db.session.flush()
    owner.post("~/keys", filled(kind="team", team_id=str(team.id)))
    assert "Night shift" in owner.get("~/keys").text
    owner.post(f"~/team/teams/{team.id}/removal")
    assert "Team deleted" in owner.get("~/keys").text
    assert "it reaches no number" in owner.get(f"~/keys/{all_keys(world)[0].id}").text


def test_a_key_is_changed_and_each_part_recorded(owner: Browser, world: World, key: ApiKey) -> None:
    form = {"name": "CRM", "access": "custom", "scopes": ["messages:write"], "networks": "203.0.113.7"}
    assert owner.post(f"~/keys/{key.id}", form | {"expires_on": "2031-05-04"}).status_code == 303
    assert list(changes(world)) == [
        ("key_name", "CRM", "Web shop", "CRM"),
        ("key_scopes", "CRM", "messages:read", "messages:write"),
        ("key_networks", "CRM", "", "203.0.113.7"),
        ("key_expiry", "CRM", "", "2031-05-05T00:00:00+00:00"),
    ]
    page = owner.get("~/team/changes").text
    assert "renamed the API key “Web shop” to “CRM”" in page and "messages:write" in page


def test_saving_what_is_shown_changes_nothing(owner: Browser, world: World, key: ApiKey) -> None:
    with tenant_scope(world.bakery.id):
        db.session.execute(update(ApiKey).values(expires_at=dt.datetime(2031, 5, 4, 13, 30, tzinfo=dt.UTC)))
    form = {"name": "Web shop", "access": "custom", "scopes": ["messages:read"], "expires_on": "2031-05-04"}
    assert owner.post(f"~/keys/{key.id}", form).status_code == 303
    assert list(changes(world)) == []


def test_an_expired_key_can_be_renamed_with_its_expiry_as_it_is(owner: Browser, world: World, key: ApiKey) -> None:
    with tenant_scope(world.bakery.id):
        db.session.execute(update(ApiKey).values(expires_at=dt.datetime(2021, 5, 4, tzinfo=dt.UTC)))
    form = {"name": "CRM", "access": "custom", "scopes": ["messages:read"], "expires_on": "2021-05-03"}
    assert owner.post(f"~/keys/{key.id}", form).status_code == 303
    assert "Expired" in owner.get("~/keys").text


@pytest.mark.parametrize(("overlap", "still_works"), [("none", 401), ("day", 200), ("nonsense", 401)])
def test_a_renewed_key_has_a_new_secret_beside_the_old(
    app: Flask, owner: Browser, world: World, overlap: str, still_works: int
) -> None:
    old = secret_in(owner.post("~/keys", filled()).text)
    (key,) = all_keys(world)
    answer = owner.post(f"~/keys/{key.id}/renewal", {"prefix": key.prefix, "overlap": overlap})
    assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store"
    assert status_of_call(app, secret_in(answer.text)) == 200
    assert status_of_call(app, old) == still_works
    assert [kind for kind, *_ in changes(world)] == ["key_creation", "key_renewal"]


def test_sending_a_renewal_again_makes_no_third_secret(owner: Browser, world: World, key: ApiKey) -> None:
    form = {"prefix": key.prefix, "overlap": "week"}
    renewed = secret_in(owner.post(f"~/keys/{key.id}/renewal", form).text)
    again = owner.post(f"~/keys/{key.id}/renewal", form)
    assert again.status_code == 303 and renewed.startswith(all_keys(world)[0].prefix)


def test_a_revoked_key_is_refused_and_can_not_be_changed(app: Flask, owner: Browser, world: World) -> None:
    secret = secret_in(owner.post("~/keys", filled()).text)
    (key,) = all_keys(world)
    assert owner.post(f"~/keys/{key.id}/revocation").status_code == 303
    assert status_of_call(app, secret) == 401
    for address in ("", "/renewal", "/revocation"):
        assert owner.post(f"~/keys/{key.id}{address}", {"name": "CRM", "access": "all"}).status_code == 303
    assert [kind for kind, *_ in changes(world)] == ["key_creation", "key_revocation"]
    assert "Revoked" in owner.get("~/keys").text and "<form" not in owner.get(f"~/keys/{key.id}").text.split("<main")[1]


def test_keys_are_for_admins_who_give_their_password(ann: Browser, ben: Browser, key: ApiKey) -> None:
    for path in ("~/keys", "~/keys/new", f"~/keys/{key.id}"):
        assert ben.get(path).status_code == 403
    assert ben.post("~/keys", filled()).status_code == 403
    assert ann.get("~/keys").status_code == 200
    for address in ("", f"/{key.id}", f"/{key.id}/renewal", f"/{key.id}/revocation"):
        assert "/confirmation" in ann.post(f"~/keys{address}", filled()).headers["Location"]


def test_a_stranger_finds_no_key(sue: Browser, key: ApiKey) -> None:
    stranger = sue.confirmed()
    for address in ("", "/renewal", "/revocation"):
        assert stranger.post(f"~/keys/{key.id}{address}", filled()).status_code == 404
    assert stranger.get(f"~/keys/{key.id}").status_code == 404
    assert "Web shop" not in stranger.get("~/keys").text


def test_a_business_has_so_many_keys_and_revoked_ones_do_not_count(
    owner: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MOST_KEYS", 2)
    for _ in range(3):
        owner.post("~/keys", filled())
    assert len(all_keys(world)) == 2
    owner.post(f"~/keys/{all_keys(world)[0].id}/revocation")
    assert owner.post("~/keys", filled()).status_code == 201


def test_a_key_that_works_is_listed_before_revoked_ones(owner: Browser, world: World) -> None:
    with tenant_scope(world.bakery.id):
        for n in range(60):
            key, _secret = ApiKey.create(f"key {n}", "live", [], by=Actor.agent(world.ann))
            key.revoked_at = now() if n else None
            db.session.flush()
    assert ">key 0<" in owner.get("~/keys").text
    assert ">key 1<" in owner.get("~/keys?page=2").text
