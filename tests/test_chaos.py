"""A short run of `make chaos`, with every kind of harm once; and that what it compares with would notice."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import text

from app.tenancy import db, platform_scope
from bench.chaos.database import Database
from bench.chaos.findings import Finding, differences
from bench.chaos.model import Model
from dev.stack import ROOT
from tests.arrivals import arrive
from tests.posts import message, post
from tests.world import BAKERY_NUMBER, World

AT = 1_790_000_000


def test_whatever_is_killed_nothing_is_lost_doubled_or_wrong() -> None:
    command = [sys.executable, "-m", "bench.chaos", "quick"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"SEED": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]


@pytest.fixture
def written_model(world: World) -> Model:
    """Two messages, a reaction and an edit; in the database, and as the model reads them."""
    world.connect_numbers()
    about: dict[str, Any] = {"message_id": "wamid.1", "emoji": "👍"}
    edited = {"original_message_id": "wamid.2", "message": {"type": "text", "text": {"body": "two!"}}}
    changes = [
        message("one", wamid="wamid.1", at=AT),
        message("two", wamid="wamid.2", at=AT + 9),
        message(wamid="wamid.3", at=AT + 5, type="reaction", reaction=about),
        message(wamid="wamid.4", at=AT + 20, type="edit", edit=edited),
    ]
    arrive(*changes)
    model = Model()
    model.read(post(*changes))
    return model


def findings(model: Model, superuser_url: str) -> list[tuple[str, str]]:
    return [(each.kind, each.what) for each in Database(superuser_url).against(model, [BAKERY_NUMBER])]


def test_the_model_and_the_database_agree(written_model: Model, superuser_url: str) -> None:
    assert findings(written_model, superuser_url) == []


@pytest.mark.parametrize(
    ("harm", "results"),
    [
        ("delete from messages where wamid = 'wamid.1'", [("lost", "message")]),
        ("update messages set wamid = 'wamid.x' where wamid = 'wamid.1'", [("lost", "message"), ("wrong", "message")]),
        ("update conversations set unread_count = 3", [("wrong", "conversation")]),
        ("update conversations set last_message_preview = 'two'", [("wrong", "conversation")]),
        ("update reactions set emoji = ''", [("wrong", "reaction")]),
        ("delete from message_changes", [("lost", "change")]),
        ("update webhook_events set drained_at = null", [("stuck", "post")]),
    ],
)
def test_every_difference_is_named(
    written_model: Model, superuser_url: str, harm: str, results: list[tuple[str, str]]
) -> None:
    with platform_scope("tests"):
        db.session.execute(text(harm))
    assert findings(written_model, superuser_url) == results


def test_what_is_there_twice_is_doubled() -> None:
    assert differences("send", {"a": 1}, [("a", 1), ("a", 1)]) == [Finding("doubled", "send", "a", 1, 2)]
