"""Migration 0022 turns sentences into kinds and facts, and back, with rows in the tables."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from app.tenancy import db, platform_scope
from tests.world import World, conversation

BEFORE, AFTER = "0021", "0022"
LINES = {
    "image": ("sent a photo: Look", "Look", {"kind": "image"}),
    "document": ("sent a file (a.pdf)", "", {"kind": "document_named", "name": "a.pdf"}),
    "text": ("sent a photo", "sent a photo", None),
    "": ("reacted 👍 to “Rye”", "Rye", {"kind": "reaction", "emoji": "👍"}),
    "order": ("Bestellung", "", {"kind": "plain", "line": "Bestellung"}),
}
MESSAGE = """
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, content, state, wamid,
                          occurred_at, created_at, fence, attempts)
    select tenant_id, :id, id, phone_number_id, 'inbound', :type, :body, '{"preview": "sent", "raw": {}}', 'received',
           :wamid, now(), now(), 0, 0 from conversations where id = :talk
"""
LINE = "update conversations set last_message_preview = :line, last_message_id = :message where id = :talk"
HELD = """
    insert into held_changes (webhook_event_id, kind, reason, payload, received_at, field, phone_number_meta_id,
                              waba_meta_id)
    values (1, 'failed', :reason, '', now(), '', '', '')
"""


def run(statement: str, **given: Any) -> Any:
    with platform_scope("tests"):
        results: Any = db.session.execute(text(statement), given)
        return results.all() if results.returns_rows else None


@pytest.fixture
def talks(app: Flask, world: World) -> dict[str, uuid.UUID]:
    number, _ = world.connect_numbers()
    results = {kind: conversation(number, wa_id=f"1650555{n:04}").id for n, kind in enumerate(LINES)}
    db.engine.dispose()
    downgrade(revision=BEFORE)
    for kind, talk in results.items():
        message = uuid.uuid4() if kind else None
        if kind:
            body = LINES[kind][1]
            run(MESSAGE, id=message, type=kind, body=body, wamid=f"wamid.{kind}", talk=talk)
        run(LINE, line=LINES[kind][0], message=message, talk=talk)
    run(HELD, reason="could not be carried out: DataError")
    return results


def test_what_was_written_in_english_becomes_data_and_english_again(talks: dict[str, uuid.UUID]) -> None:
    upgrade(revision=AFTER)
    for kind, talk in talks.items():
        (row,) = run("select last_message_preview, last_message_facts from conversations where id = :talk", talk=talk)
        assert tuple(row) == LINES[kind][1:], kind
    assert run("select count(*) from messages where content ? 'preview'") == [(0,)]
    assert run("select reason, detail from held_changes") == [("failed", "DataError")]
    downgrade(revision=BEFORE)
    for kind, talk in talks.items():
        (row,) = run("select last_message_preview from conversations where id = :talk", talk=talk)
        assert row[0] == LINES[kind][0], kind
    assert run("select content ->> 'preview' from messages where type = 'document'") == [("sent a file",)]
    assert run("select reason from held_changes") == [("could not be carried out: DataError",)]
    upgrade()
