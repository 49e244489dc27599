"""Stored files end with what showed them, whatever is killed or unavailable; nothing slow holds a transaction."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.extensions import outside
from app.inbox.compose.writing import Writing
from app.inbox.conversations import Conversation, Message
from app.inbox.files.attachments import Attachment
from app.inbox.files.deletions import PATIENCE, FileDeletion, delete_later
from app.inbox.files.jobs import delete_files, enqueue_deletions
from app.storage import Folder, NotStored, StorageUnavailable, new_key
from app.tenancy import Actor, Tenant, db, tenant_scope
from app.tenancy.transactions import TransactionOpen
from tests.enqueued import Enqueued
from tests.world import World


def store(world: World) -> str:
    key = new_key(world.bakery.id)
    outside().storage.put(key, io.BytesIO(b"a file"))
    return key


def is_stored(key: str) -> bool:
    try:
        return bool(b"".join(outside().storage.stream(key)))
    except NotStored:
        return False


def unwanted(world: World) -> list[str]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(FileDeletion.storage_key)))


def test_a_file_ends_with_the_change_that_ends_it(world: World, enqueued: Enqueued) -> None:
    key = store(world)
    with tenant_scope(world.bakery.id):
        delete_later([key, None])
    assert is_stored(key) and enqueued.names == ["files.delete"]
    delete_files(world.bakery.id)
    assert not is_stored(key) and unwanted(world) == []


def test_what_the_store_refuses_is_tried_again(
    world: World, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise StorageUnavailable("away")

    key = store(world)
    with tenant_scope(world.bakery.id):
        delete_later([key])
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "delete", unavailable)
        delete_files(world.bakery.id)
    enqueued.clear()
    enqueue_deletions()
    assert unwanted(world) == [key] and enqueued.names == ["files.delete"]


def test_files_that_the_store_refuses_hold_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refused, other = [store(world) for _ in range(PATIENCE)], store(world)
    delete = Folder.delete

    def locked(self: Folder, key: str) -> None:
        if key in refused:
            raise StorageUnavailable("AccessDenied")
        delete(self, key)

    monkeypatch.setattr(Folder, "delete", locked)
    with tenant_scope(world.bakery.id):
        delete_later([*refused, other])
    for _ in range(2):
        delete_files(world.bakery.id)
    assert sorted(unwanted(world)) == sorted(refused) and not is_stored(other)


def test_killed_between_the_file_and_its_row_it_is_done_again(world: World) -> None:
    key = store(world)
    with tenant_scope(world.bakery.id):
        delete_later([key])
    outside().storage.delete(key)
    delete_files(world.bakery.id)
    assert unwanted(world) == []


CALLS: dict[str, Callable[[str], object]] = {
    "put": lambda key: outside().storage.put(key, io.BytesIO()),
    "stream": lambda key: next(outside().storage.stream(key)),
    "delete": lambda key: outside().storage.delete(f"{key}"),
    "fetch": lambda _key: outside().egress.get("https://example.com", {}, 10),
    "mail": lambda _key: outside().mailer.send("ann@example.com", "Hello", "Hello"),
}


@pytest.mark.parametrize("call", CALLS)
def test_nothing_that_takes_a_while_is_called_inside_a_transaction(world: World, call: str) -> None:
    with tenant_scope(world.bakery.id):
        db.session.get_one(Tenant, world.bakery.id)
        with pytest.raises(TransactionOpen):
            CALLS[call](new_key(world.bakery.id))


def test_of_several_files_none_is_sent_where_one_cannot_be_stored(
    carla: Conversation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Folder.put
    stored: list[str] = []

    def second_fails(self: Folder, key: str, file: Any) -> None:
        if stored:
            raise StorageUnavailable("full")
        stored.append(key)
        put(self, key, file)

    monkeypatch.setattr(Folder, "put", second_fails)
    files = [Attachment.of(io.BytesIO(f"%PDF-1.4 {count}".encode()), f"{count}.pdf") for count in range(2)]
    with tenant_scope(world.bakery.id):
        with pytest.raises(StorageUnavailable):
            Writing(Conversation.get_or_404(carla.id), "Hello", uuid.uuid4(), files).queue(by=Actor.agent(world.ann))
        assert db.session.scalars(select(Message).where(Message.direction == "outbound")).all() == []
