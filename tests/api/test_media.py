"""Files by program: uploaded, sent as often as one likes, downloaded, and gone after a while."""

from __future__ import annotations

import datetime as dt
import io
import socket
import uuid
from typing import Any

import pytest
from flask import Flask, current_app
from PIL import Image
from werkzeug.test import TestResponse

from app.api import ApiKey
from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.inbox.files import uploaded_files
from app.inbox.files.jobs import delete_expired_files
from app.inbox.files.media import Media
from app.inbox.files.uploaded_files import UploadedFile
from app.message_templates.models import MessageTemplate
from app.storage import Folder, NotStored, StorageUnavailable
from app.team.models import Team
from app.tenancy import db, now, tenant_scope, uuid7
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller, MakeCaller
from tests.client import isolated
from tests.enqueued import Enqueued
from tests.simulated import Served
from tests.world import World

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
MP3 = b"ID3" + bytes(400)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "tan").save(file, "PNG")
    return file.getvalue()


OPUS = b"OggS" + bytes(24) + b"OpusHead\x01\x01" + bytes(200)
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(200)
WEBP = b"RIFF\x20\x00\x00\x00WEBPVP8 " + bytes(200)


def upload(caller: Caller, data: bytes = PDF, name: str = "menu.pdf", mime: str = "", **headers: str) -> TestResponse:
    sent = {"Content_Type": mime or "application/octet-stream"} | headers
    return caller.call("POST", f"/media?filename={name}", data, **sent)


def file_id(caller: Caller, data: bytes = PDF, name: str = "menu.pdf") -> str:
    return str(upload(caller, data, name).json["id"])  # type: ignore[index]


def send(caller: Caller, talk: Conversation, type: str, part: dict[str, Any], **headers: str) -> TestResponse:
    body = {"type": type, "to": {"conversation_id": str(talk.id)}, type: part}
    return caller.post("/messages", body, **headers)


def watch_puts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of what is stored from now on."""
    keys, put = list[str](), Folder.put

    def watched(self: Folder, key: str, file: Any) -> None:
        keys.append(key)
        put(self, key, file)

    monkeypatch.setattr(Folder, "put", watched)
    return keys


def problem(answer: TestResponse) -> dict[str, Any]:
    return dict(answer.get_json(force=True))


def test_what_is_uploaded_is_downloaded_byte_by_byte(shop: Caller) -> None:
    made = upload(shop)
    assert made.status_code == 201 and made.json
    assert (made.json["kind"], made.json["mime"], made.json["size"]) == ("document", "application/pdf", len(PDF))
    got = shop.get(f"/media/{made.json['id']}")
    assert got.data == PDF and got.mimetype == "application/pdf"
    assert got.headers["Content-Disposition"].startswith('attachment; filename="menu.pdf"')
    assert got.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in got.headers["Content-Security-Policy"]


def test_a_part_of_it_is_downloaded(shop: Caller) -> None:
    path = f"/media/{file_id(shop)}"
    part = shop.get(path, Range="bytes=1-3")
    assert (part.status_code, part.data) == (206, b"PDF")
    assert shop.get(path, Range="bytes=5000-").status_code == 416
    assert shop.get(path, If_None_Match=part.headers["ETag"]).status_code == 304


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "menu.pdf", "is empty"),
        (b"GIF89a" + bytes(50), "a.gif", "MP4"),
        (b"MZ" + bytes(50), "a.pdf", "program"),
        (b"<html>", "a.docx", "web page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(6 * 1024 * 1024), "a.png", "too large"),
    ],
)
def test_what_whatsapp_would_not_take_is_refused_in_words(shop: Caller, data: bytes, name: str, words: str) -> None:
    answer = upload(shop, data, name)
    assert (answer.status_code, problem(answer)["code"]) == (422, "unacceptable")
    assert words in problem(answer)["detail"]
    assert shop.get("/media").json == {"data": [], "next": None}


def test_names_lose_their_paths_and_disguises(shop: Caller) -> None:
    names = [upload(shop, PDF, name).json["filename"] for name in ("..%2F..%2Fetc%2Fmenu.pdf", "%E2%80%AEfdp.exe.pdf")]  # type: ignore[index]
    assert names == ["menu.pdf", "fdp.exe.pdf"]


def test_more_than_whatsapp_takes_is_not_even_read(shop: Caller) -> None:
    headers = {"Authorization": f"Bearer {shop.secret}", "Content-Type": "video/mp4"}
    size = {"CONTENT_LENGTH": str(101 * 1024 * 1024)}
    answer = isolated(shop.client.post, "/api/v1/media", headers=headers, data=b"x", environ_overrides=size)
    assert (answer.status_code, problem(answer)["code"]) == (413, "too_large")
    assert "104,857,600" in problem(answer)["detail"]


@pytest.mark.parametrize("mime", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "nonsense"])
def test_a_form_around_the_file_is_refused(shop: Caller, mime: str) -> None:
    assert problem(upload(shop, mime=mime))["code"] == "unsupported_media_type"


def test_nothing_is_read_before_the_key_is_known(caller: MakeCaller) -> None:
    reader = caller(scopes=["messages:read"])
    assert problem(upload(reader))["code"] == "missing_scope"
    assert reader.get("/media").status_code == 403
    assert caller(scopes=[]).get(f"/media/{uuid.uuid4()}").status_code == 403


def test_no_transaction_is_open_while_it_is_read_or_stored(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    put, open = Folder.put, []

    def watched(self: Folder, key: str, file: Any) -> None:
        open.append(db.session().in_transaction())
        put(self, key, file)

    monkeypatch.setattr(Folder, "put", watched)
    upload(shop, Idempotency_Key="k")
    assert open == [False]


def test_the_same_upload_twice_is_one_file(shop: Caller) -> None:
    first, second = (upload(shop, Idempotency_Key="menu") for _ in range(2))
    assert first.json == second.json and second.headers["Idempotent-Replayed"] == "true"
    assert len(shop.get("/media").json["data"]) == 1  # type: ignore[index]
    assert problem(upload(shop, PDF + b"\n", Idempotency_Key="menu"))["code"] == "idempotency_key_reused"


def test_a_file_that_is_cut_in_the_middle_is_not_stored(app: Flask, shop: Caller) -> None:
    with Served(app) as served, socket.create_connection(("127.0.0.1", served.server.port), timeout=10) as sender:
        head = f"POST /api/v1/media HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {shop.secret}\r\n"
        head += f"Content-Type: application/pdf\r\nIdempotency-Key: menu\r\nContent-Length: {len(PDF)}\r\n\r\n"
        sender.sendall(head.encode() + PDF[:-10])
        sender.shutdown(socket.SHUT_WR)
        assert sender.recv(100).split()[1] == b"400"
    assert shop.get("/media").json == {"data": [], "next": None}
    again = upload(shop, Idempotency_Key="menu")
    assert again.status_code == 201 and "Idempotent-Replayed" not in again.headers


def test_what_could_not_be_stored_is_uploaded_again(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise StorageUnavailable("full")

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "put", unavailable)
        answer = upload(shop, Idempotency_Key="menu")
        assert (answer.status_code, problem(answer)["code"]) == (503, "storage_away")
    assert upload(shop, Idempotency_Key="menu").status_code == 201


@pytest.mark.parametrize(("limit", "value"), [("MOST_FILES", 1), ("MOST_BYTES", len(PDF) + 1)])
def test_a_business_has_room_for_so_many(
    shop: Caller, caller: MakeCaller, world: World, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(uploaded_files, limit, value)
    first = file_id(shop)
    assert problem(upload(shop))["code"] == "no_room_for_files"
    assert upload(caller(world.shoes)).status_code == 201
    assert shop.delete(f"/media/{first}").status_code == 204
    assert upload(shop).status_code == 201


def test_uploaded_files_are_listed(shop: Caller) -> None:
    first, second = file_id(shop), file_id(shop)
    page = shop.get("/media?limit=1").json
    assert page and [one["id"] for one in page["data"]] == [second]
    assert [one["id"] for one in shop.get(f"/media?after={page['next']}").json["data"]] == [first]  # type: ignore[index]


def forget_expired() -> None:
    """What the clock and the workers do with files that are over."""
    delete_expired_files()
    for name in ("files.forget_uploads", "files.delete"):
        Enqueued(current_app).run(name)


def test_a_deleted_file_is_gone_with_its_bytes(shop: Caller, world: World) -> None:
    id = file_id(shop)
    with tenant_scope(world.bakery.id):
        key = UploadedFile.get_or_404(id).storage_key
    assert shop.delete(f"/media/{id}").status_code == 204
    assert shop.get(f"/media/{id}").status_code == 404 and shop.delete(f"/media/{id}").status_code == 404
    forget_expired()
    with tenant_scope(world.bakery.id):
        assert UploadedFile.find(id) is None
    with pytest.raises(NotStored):
        outside().storage.stream(key)


def test_it_ends_after_thirty_days_and_not_before(shop: Caller, world: World) -> None:
    saved, over = file_id(shop), file_id(shop)
    with tenant_scope(world.bakery.id):
        assert UploadedFile.get_or_404(saved).expires_at > now() + dt.timedelta(days=29)
        UploadedFile.get_or_404(over).expires_at = now()
    forget_expired()
    assert [one["id"] for one in shop.get("/media").json["data"]] == [saved]  # type: ignore[index]


FILES = [
    ("image", picture(), "a.png", {"caption": "Bread"}),
    ("video", MP4, "a.mp4", {"caption": "Baking"}),
    ("audio", MP3, "a.mp3", {}),
    ("audio", OPUS, "a.ogg", {"voice": True}),
    ("document", PDF, "a.pdf", {"caption": "Menu", "filename": "Menu 2027.pdf"}),
    ("sticker", WEBP, "a.webp", {}),
]


@pytest.mark.parametrize(("type", "data", "name", "part"), FILES, ids=[f"{one[0]} {one[2]}" for one in FILES])
def test_a_message_carries_it(
    shop: Caller, carla: Conversation, enqueued: Enqueued, type: str, data: bytes, name: str, part: dict[str, Any]
) -> None:
    answer = send(shop, carla, type, {"media_id": file_id(shop, data, name)} | part)
    assert answer.status_code == 202 and answer.json, answer.get_json(force=True)
    file = answer.json["file"]
    assert (answer.json["text"], file["kind"]) == (part.get("caption", ""), type)
    assert (file["filename"], file["is_voice"]) == (part.get("filename", name), part.get("voice", False))
    assert shop.get(file["address"]).data == data
    assert "outbound.upload" in enqueued.names


def test_one_file_is_sent_often_and_each_message_has_its_own(shop: Caller, carla: Conversation) -> None:
    id = file_id(shop)
    first, second = (send(shop, carla, "document", {"media_id": id}).json for _ in range(2))
    shop.delete(f"/media/{id}")
    forget_expired()
    assert first and second and first["file"]["id"] != second["file"]["id"]
    assert all(shop.get(one["file"]["address"]).data == PDF for one in (first, second))


def test_the_same_message_twice_is_sent_and_stored_once(
    shop: Caller, carla: Conversation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, puts = file_id(shop), watch_puts(monkeypatch)
    answers = [send(shop, carla, "document", {"media_id": id}, Idempotency_Key="k").data for _ in range(2)]
    with tenant_scope(world.bakery.id):
        db.session.execute(db.text("delete from idempotent_requests"))
    answers.append(send(shop, carla, "document", {"media_id": id}, Idempotency_Key="k").data)
    assert len(set(answers)) == 1 and len(puts) == 1


def test_what_is_refused_leaves_nothing_in_the_store(
    shop: Caller, carla: Conversation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, puts = file_id(shop), watch_puts(monkeypatch)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now() - dt.timedelta(hours=25)
    assert problem(send(shop, carla, "document", {"media_id": id}))["code"] == "window_closed"
    assert puts == []


def test_a_copy_without_a_message_is_deleted(
    shop: Caller, carla: Conversation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, puts = file_id(shop), watch_puts(monkeypatch)
    body = {"type": "document", "to": {"conversation_id": str(carla.id)}, "document": {"media_id": id}}
    answer = shop.post("/messages", body | {"reply_to": str(uuid.uuid4())}, Idempotency_Key="k")
    assert answer.status_code == 422 and len(puts) == 1
    with pytest.raises(NotStored):
        outside().storage.stream(puts[0])
    assert shop.post("/messages", body, Idempotency_Key="k").status_code == 202


@pytest.mark.parametrize(
    ("type", "part", "pointer"),
    [
        ("image", {}, "/image"),
        ("document", {"media_id": str(uuid.uuid4())}, "/document/media_id"),
        ("document", {"media_id": "x"}, "/document/media_id"),
        ("document", {"caption": "x" * 1025}, "/document/caption"),
        ("document", {"voice": True}, "/document/voice"),
        ("audio", {"caption": "x"}, "/audio/caption"),
    ],
)
def test_a_file_in_the_wrong_place_is_pointed_at(
    shop: Caller, carla: Conversation, type: str, part: dict[str, Any], pointer: str
) -> None:
    answer = send(shop, carla, type, {"media_id": file_id(shop)} | part)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in problem(answer)["errors"]] == [pointer]


def test_only_opus_can_be_a_voice_note(shop: Caller, carla: Conversation) -> None:
    answer = send(shop, carla, "audio", {"media_id": file_id(shop, MP3, "a.mp3"), "voice": True})
    assert "Opus" in problem(answer)["detail"]


def picture_template(world: World, number: PhoneNumber) -> MessageTemplate:
    with tenant_scope(world.bakery.id):
        made = MessageTemplate(waba_id=number.waba_id, meta_id="9", name="menu", language="en", category="UTILITY")
        made.id, made.status, made.parameter_format = uuid7(), "APPROVED", "POSITIONAL"
        made.components = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Our menu of today."}]
        db.session.add(made)
    return made


def test_a_template_begins_with_it(shop: Caller, world: World, number: PhoneNumber) -> None:
    part = {"id": str(picture_template(world, number).id), "file": file_id(shop, picture(), "a.png")}
    body = {"type": "template", "to": {"phone": "+49 151 12345678"}, "template": part}
    answer = shop.post("/messages", body)
    assert answer.status_code == 202 and answer.json, answer.get_json(force=True)
    assert answer.json["file"]["kind"] == "image"


def test_a_template_without_its_file_or_with_another_is_refused(
    shop: Caller, world: World, carla: Conversation, number: PhoneNumber
) -> None:
    menu = str(picture_template(world, number).id)
    for more in ({}, {"file": file_id(shop)}):
        answer = send(shop, carla, "template", {"id": menu} | more)
        assert answer.status_code == 422, more
    with tenant_scope(world.bakery.id):
        MessageTemplate.get_or_404(menu).components = [{"type": "BODY", "text": "Our menu of today."}]
    answer = send(shop, carla, "template", {"id": menu, "file": file_id(shop)})
    assert "no place for a file" in problem(answer)["detail"]


def test_the_neighbour_neither_reads_nor_sends_it(
    shop: Caller, caller: MakeCaller, world: World, carla: Conversation
) -> None:
    theirs, id = caller(world.shoes), file_id(shop)
    sent = send(shop, carla, "document", {"media_id": id}).json
    assert sent
    for path in (f"/media/{id}", sent["file"]["address"]):
        assert theirs.get(path).status_code == 404 and theirs.delete(path).status_code == 404
    assert theirs.get("/media").json == {"data": [], "next": None}


def test_a_teams_key_reaches_its_own_files(caller: MakeCaller, world: World, carla: Conversation, shop: Caller) -> None:
    with tenant_scope(world.bakery.id):
        bread, cakes = Team(name="Bread"), Team(name="Cakes")
        db.session.add_all([bread, cakes])
        db.session.flush()
        NumberDesk.change(carla.phone_number_id, team=bread, read_receipts="always")
    ours, others, of_none = (caller(kind="team", team_id=id) for id in (bread.id, cakes.id, None))
    id = file_id(ours)
    sent = send(ours, carla, "document", {"media_id": id}).json
    file_id(shop)
    for path in (f"/media/{id}", sent["file"]["address"]):  # type: ignore[index]
        assert [each.get(path).status_code for each in (ours, shop, others, of_none)] == [200, 200, 404, 404]
    assert of_none.get("/media").json == {"data": [], "next": None}


def test_a_file_that_its_sender_deleted_is_gone(shop: Caller, carla: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        message = Message(conversation_id=carla.id, phone_number_id=carla.phone_number_id, direction="inbound")
        message.state, message.type, message.id = "received", "document", uuid7()
        db.session.add(message)
        db.session.flush()
        media = Media(message_id=message.id, kind="document", state="waiting")
        db.session.add(media)
    assert shop.get(f"/media/{media.id}").status_code == 404


class Revoking(io.BytesIO):
    """A file whose key is revoked while it arrives."""

    tenant_id: uuid.UUID

    def read(self, size: int | None = -1) -> bytes:
        with tenant_scope(self.tenant_id):
            for key in db.session.scalars(db.select(ApiKey)):
                key.revoke()
        return super().read(size)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def test_a_file_whose_key_is_revoked_while_it_arrives_is_not_stored(shop: Caller, world: World) -> None:
    headers = {"Authorization": f"Bearer {shop.secret}", "Content-Type": "application/pdf"}
    file = Revoking(PDF)
    file.tenant_id = world.bakery.id
    options: dict[str, Any] = {"headers": headers, "content_length": len(PDF), "input_stream": file}
    answer = isolated(shop.client.post, "/api/v1/media?filename=menu.pdf", **options)
    assert answer.json and (answer.status_code, answer.json["code"]) == (401, "key_revoked")
    with tenant_scope(world.bakery.id):
        assert db.session.scalar(db.select(db.func.count(UploadedFile.id))) == 0
