"""What a request takes is given back, also when its answer is never read: HEAD, a connection that drops, a refusal."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from app.extensions import outside
from app.inbox.files.media import Media
from app.storage import new_key
from app.tenancy import db, tenant_scope
from tests.client import Browser, isolated
from tests.test_isolation import WORDS, Foreign
from tests.world import World

Taken = dict[str, Any]


@pytest.fixture
def pages(app: Flask, world: World, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that can be got: of a tenant with a stored file, of the console, of anybody."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ids = WORDS | Foreign.create(world).ids | {"tenant_id": str(world.shoes.id), "tenant_slug": "shoes", "token": "x"}
    store_file(world, ids["media_id"], tmp_path)
    adapter = app.url_map.bind("localhost")
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint != "static"]
    return [
        adapter.build(rule.endpoint, {name: ids[name] for name in rule.arguments}, force_external=False)
        for rule in rules
        if rule.arguments <= ids.keys()
    ]


def store_file(world: World, media_id: str, folder: pathlib.Path) -> None:
    with tenant_scope(world.shoes.id):
        media = Media.get_or_404(media_id)
        media.state, media.size, media.content_type = "stored", 200_000, "image/jpeg"
        media.storage_key = media.thumbnail_key = key = new_key(world.shoes.id)
    with (folder / "picture").open("w+b") as picture:
        picture.write(b"x" * 200_000)
        picture.seek(0)
        outside().storage.put(key, picture)


@pytest.fixture
def database(superuser_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        yield connection


HELD = """
    select (select count(*) from pg_stat_activity where state like 'idle in transaction%' and datname = d),
           (select count(*) from pg_locks l join pg_database b on b.oid = l.database
            where l.locktype = 'advisory' and b.datname = d)
    from current_database() d
"""


def taken(app: Flask, database: psycopg.Connection, folder: pathlib.Path) -> Taken:
    """What this process holds now."""
    return {
        "connections": [engine.pool.checkedout() for engine in db.engines.values()],  # type: ignore[attr-defined]
        "open transactions and locks": database.execute(HELD).fetchone(),
        "streams": app.extensions["hub"].count,
        "bodies": app.wsgi_app.wsgi_app.budget.used,  # type: ignore[attr-defined]
        "files": open_files(),
        "temporary files": sorted(path.name for path in folder.iterdir()),
    }


def open_files() -> list[str]:
    """Without sockets, which pools keep."""
    results = []
    for link in pathlib.Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if not target.startswith(("socket:", "pipe:", "anon_inode:", "/proc", "/dev")):
            results.append(target)
    return sorted(results)


def head(answer: Iterator[bytes]) -> None:
    """The server sends no body, and closes."""


def dropped(answer: Iterator[bytes]) -> None:
    """The connection breaks after the first bytes."""
    next(iter(answer), b"")


@pytest.mark.parametrize(("method", "reads"), [("HEAD", head), ("GET", head), ("GET", dropped)])
def test_whatever_becomes_of_an_answer_all_is_given_back(
    app: Flask,
    world: World,
    pages: list[str],
    database: psycopg.Connection,
    tmp_path: pathlib.Path,
    method: str,
    reads: Callable[[Iterator[bytes]], None],
) -> None:
    sue, pat = Browser(app).signed_in_as(world.sue).confirmed(), Browser(app).signed_in_as(world.pat)
    before, leaks = taken(app, database, tmp_path), []
    for address in pages:
        browser = pat if address.startswith("/platform") else sue
        for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"})[: 3 if "/media/" in address else 1]:
            isolated(request, app, browser, method, address, headers, reads)
        if (after := taken(app, database, tmp_path)) != before:
            leaks.append(f"{address}: { ({name: after[name] for name in after if after[name] != before[name]}) }")
    assert leaks == []


def request(
    app: Flask,
    browser: Browser,
    method: str,
    address: str,
    headers: dict[str, str],
    reads: Callable[[Iterator[bytes]], None],
) -> None:
    """As a server calls the app: it reads as much as it can send, and always closes."""
    builder = EnvironBuilder(path=address, method=method, headers=list(headers.items()))
    environ = builder.get_environ()
    cookie = browser.client.get_cookie("session")
    environ["HTTP_COOKIE"] = f"session={cookie.value}" if cookie else ""
    answer: Any = app.wsgi_app(environ, lambda *_: lambda _bytes: None)
    try:
        reads(answer)
    finally:
        getattr(answer, "close", lambda: None)()
        builder.close()


def test_a_stored_file_that_is_never_read_is_closed(app: Flask, world: World, pages: list[str]) -> None:
    with tenant_scope(world.shoes.id):
        key = db.session.query(Media).filter(Media.state == "stored").one().storage_key
    stream: Any = outside().storage.stream(key or "")
    stream.close()
    assert stream.file.closed
