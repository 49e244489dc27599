"""Canned replies with a file, for a team, in several languages."""

from __future__ import annotations

import html
import io
import json
import pathlib
import re
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import current_app
from PIL import Image
from sqlalchemy import select

from app.extensions import outside
from app.inbox.compose.canned_files import CannedFile
from app.inbox.compose.canned_replies import CannedReply, fill_in
from app.inbox.compose.jobs import delete_orphaned_files
from app.inbox.conversations import Conversation, Message
from app.inbox.files.jobs import enqueue_deletions
from app.inbox.files.media import Media
from app.storage import StorageUnavailable
from app.team.models import Team
from app.tenancy import db, tenant_scope
from tests import world as people
from tests.client import FRAGMENT, Browser
from tests.enqueued import Enqueued
from tests.world import World

ADDRESS = "~/inbox/canned-replies"


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "peru").save(out, "JPEG")
    return out.getvalue()


def write(browser: Browser, at: str = ADDRESS, *, file: tuple[bytes, str] | None = None, **fields: str) -> Any:
    form: dict[str, Any] = {"shortcut": "cake", "body": "This one, {{first_name}}", "shared": "1"} | fields
    if file:
        form["file"] = (io.BytesIO(file[0]), file[1])
    return browser.post(at, form, content_type="multipart/form-data")


@pytest.fixture
def cake(ann: Browser, world: World) -> CannedReply:
    """A shared canned reply with a photo."""
    assert write(ann, file=(picture(), "cake.jpg")).status_code == 303
    return only(world)


def only(world: World) -> CannedReply:
    with tenant_scope(world.bakery.id):
        return db.session.scalars(select(CannedReply)).one()


def stored_files(world: World) -> list[CannedFile]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(CannedFile)))


def stored(world: World) -> list[str]:
    folder = pathlib.Path(urlsplit(f"file://{outside().storage.root}").path) / str(world.bakery.id)  # type: ignore[attr-defined]
    return [path.name for path in folder.rglob("*") if path.is_file()]


def offered(browser: Browser, talk: Conversation, typed: str = "cake") -> str:
    return str(browser.get(f"~/inbox/{talk.id}/canned-replies?q={typed}").text)


def send(browser: Browser, talk: Conversation, file: CannedFile, words: str = "This one, Carla") -> Any:
    form = {"body": words, "canned": str(file.id), "client_id": str(uuid.uuid4())}
    return browser.post(f"~/inbox/{talk.id}/messages", form, headers=FRAGMENT)


def test_its_file_is_offered_with_the_words(ben: Browser, world: World, carla: Conversation, cake: CannedReply) -> None:
    results = re.search(r'data-file="([^"]+)"', offered(ben, carla))
    assert results
    facts = json.loads(html.unescape(results[1]))
    (file,) = stored_files(world)
    assert (facts["id"], facts["name"], facts["kind"]) == (str(file.id), "cake.jpg", "image")
    assert ben.get(facts["address"]).mimetype == "image/webp"


def test_it_is_sent_as_that_media_with_the_words_as_caption(
    ben: Browser, world: World, carla: Conversation, cake: CannedReply
) -> None:
    (file,) = stored_files(world)
    assert send(ben, carla, file).status_code == 200
    with tenant_scope(world.bakery.id):
        sent = db.session.query(Message).filter_by(direction="outbound").one()
        copy = db.session.query(Media).one()
    assert (sent.type, sent.body, copy.sha256) == ("image", "This one, Carla", file.sha256)
    assert copy.storage_key and copy.storage_key != file.storage_key


def test_a_sent_file_outlives_its_canned_reply(
    ann: Browser, world: World, carla: Conversation, cake: CannedReply
) -> None:
    send(ann, carla, stored_files(world)[0])
    ann.post(f"{ADDRESS}/{cake.id}/removal")
    forget_orphans()
    with tenant_scope(world.bakery.id):
        copy = db.session.query(Media).one()
    assert stored_files(world) == [] and ann.get(f"~/inbox/media/{copy.id}").data == picture()


def forget_orphans() -> None:
    """What the clock and the workers do with files whose canned replies are gone."""
    delete_orphaned_files()
    enqueue_deletions()
    for name in ("compose.forget_files", "files.delete"):
        Enqueued(current_app).run(name)


def test_removing_a_canned_reply_deletes_its_file(ann: Browser, world: World, cake: CannedReply) -> None:
    assert len(stored(world)) == 2
    ann.post(f"{ADDRESS}/{cake.id}/removal")
    forget_orphans()
    assert stored(world) == [] and stored_files(world) == []


def test_removing_a_team_removes_its_canned_replies_and_files(ann: Browser, world: World) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(team := Team(id=uuid.uuid4(), name="Ovens"))
    write(ann, team=str(team.id), file=(picture(), "cake.jpg"))
    with tenant_scope(world.bakery.id):
        db.session.delete(Team.get_or_404(team.id))
    forget_orphans()
    assert stored(world) == []


def test_a_file_that_cannot_be_deleted_is_retried(
    ann: Browser, world: World, cake: CannedReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann.post(f"{ADDRESS}/{cake.id}/removal")
    with monkeypatch.context() as patched:
        patched.setattr(outside().storage, "delete", refuse)
        forget_orphans()
    assert len(stored(world)) == 2
    forget_orphans()
    assert stored_files(world) == [] and stored(world) == []


def refuse(_key: str) -> None:
    raise StorageUnavailable("away")


def test_another_file_takes_the_place_of_the_first(ann: Browser, world: World, cake: CannedReply) -> None:
    write(ann, f"{ADDRESS}/{cake.id}", file=(b"%PDF-1.4 menu", "menu.pdf"))
    forget_orphans()
    assert [file.filename for file in stored_files(world)] == ["menu.pdf"] and len(stored(world)) == 1


def test_a_change_of_words_leaves_the_file_and_a_tick_removes_it(ann: Browser, world: World, cake: CannedReply) -> None:
    write(ann, f"{ADDRESS}/{cake.id}", body="Or this one")
    assert [file.canned_reply_id for file in stored_files(world)] == [cake.id]
    write(ann, f"{ADDRESS}/{cake.id}", remove_file="1")
    assert [file.canned_reply_id for file in stored_files(world)] == [None]


@pytest.mark.parametrize(
    ("file", "fields", "words"),
    [
        ((b"<html>", "cake.html"), {}, "WhatsApp does not take “cake.html”"),
        ((picture(), "cake.jpg"), {"body": "x" * 1025}, "Shorten them by 1"),
        (None, {"body": ""}, "Enter a reply, or choose a file"),
    ],
)
def test_what_whatsapp_would_refuse_is_refused_here(
    ann: Browser, world: World, file: tuple[bytes, str] | None, fields: dict[str, str], words: str
) -> None:
    answer = write(ann, file=file, **fields)
    assert answer.status_code == 422 and words in answer.text
    assert stored_files(world) == [] and stored(world) == []


def test_a_hostile_file_is_only_ever_downloaded(ann: Browser, world: World) -> None:
    write(ann, file=(b"<script>alert(1)</script>", "menu.txt"))
    answer = ann.get(f"~/inbox/canned-files/{stored_files(world)[0].id}")
    assert answer.mimetype == "application/octet-stream" or answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_the_file_of_somebodys_own_reply_is_theirs_alone(
    ann: Browser, ben: Browser, sue: Browser, world: World, carla: Conversation
) -> None:
    write(ben, file=(picture(), "cake.jpg"))
    (file,) = stored_files(world)
    address = f"~/inbox/canned-files/{file.id}"
    assert [each.get(address).status_code for each in (ben, ann, sue)] == [200, 404, 404]
    answer = send(ann, carla, file)
    assert answer.status_code == 422 and "The file of this canned reply was removed." in answer.text


def test_a_teams_reply_is_offered_to_the_team(ann: Browser, ben: Browser, world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(team := Team(id=uuid.uuid4(), name="Ovens"))
        db.session.flush()
        team.set_members({world.ben.id})
    write(ann, team=str(team.id))
    assert "/cake" in offered(ben, carla) and "/cake" not in offered(ann, carla)


def test_the_customers_language_comes_first(ann: Browser, world: World, carla: Conversation) -> None:
    for language, words in (("de", "Guten Tag"), ("en", "Good day"), ("fr", "Bonjour")):
        write(ann, shortcut="hello", language=language, body=words)
    with tenant_scope(world.bakery.id):
        number = Conversation.get_or_404(carla.id).phone_number
    berliner = people.conversation(number, wa_id="4930901820", name="Karla")
    first = [re.search(r'data-inserts="([^"]+)"', offered(ann, talk, "hello")) for talk in (carla, berliner)]
    assert [results and results[1] for results in first] == ["Good day", "Guten Tag"]


def test_it_is_found_by_its_language(ann: Browser, carla: Conversation) -> None:
    write(ann, shortcut="hello", language="fr", body="Bonjour")
    assert "Bonjour" in offered(ann, carla, "fr")


@pytest.mark.parametrize("typed", ["grusse", "GRÜSSE", "Grüße", "Gru\u0308ße"])
def test_it_is_found_in_other_letters_for_the_same_word(ann: Browser, carla: Conversation, typed: str) -> None:
    write(ann, shortcut="bye", language="de", body="Liebe Grüße aus Köln")
    assert "Liebe Grüße" in offered(ann, carla, typed)


def test_of_thousands_of_long_replies_the_last_are_found_as_they_are_written(
    ann: Browser, world: World, carla: Conversation
) -> None:
    with tenant_scope(world.bakery.id):
        texts = [f"Liebe Grüße {n} " + "aus Köln, " * 390 for n in range(1_000)]
        db.session.add_all(CannedReply(shortcut=f"long{n}", body=text) for n, text in enumerate(texts))
    assert "Grüße 0 aus" in offered(ann, carla, "grusse 0 ")
    assert "Grüße 999 aus" in offered(ann, carla, "grüße 999 ")
    assert "Grüße 999 aus" not in offered(ann, carla, "grusse 999 ")


def test_a_shortcut_cannot_be_used_twice(ann: Browser, world: World, cake: CannedReply) -> None:
    answer = write(ann, body="Another")
    assert answer.status_code == 422 and "/cake already exists" in answer.text
    assert write(ann, body="Dieser", language="de").status_code == 303


def test_uses_are_counted_for_those_who_may_use_it(ann: Browser, ben: Browser, world: World, cake: CannedReply) -> None:
    assert ben.post(f"{ADDRESS}/{cake.id}/uses").status_code == 204
    write(ben, shortcut="mine")
    with tenant_scope(world.bakery.id):
        mine = db.session.query(CannedReply).filter_by(shortcut="mine").one()
    assert ann.post(f"{ADDRESS}/{mine.id}/uses").status_code == 404
    assert "Used 1 time" in ann.get(ADDRESS).text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Hello {{first_name}}!", "Hello {{first_name}}!"),
        ("Hello {{first_name|there}}!", "Hello there!"),
        ("Hello {{ name | friend }}!", "Hello friend!"),
        ("{{phone}}", "+1 650-555-1234"),
    ],
)
def test_a_variable_without_a_value_is_its_fallback_or_stays_open(
    world: World, carla: Conversation, body: str, words: str
) -> None:
    with tenant_scope(world.bakery.id):
        talk = Conversation.get_or_404(carla.id)
        talk.contact.name = "+1 650-555-1234"
        assert fill_in(body, talk, by=world.ann, tenant=world.bakery) == words


def test_where_there_are_none_yet_the_way_to_them_is_offered(ben: Browser, carla: Conversation) -> None:
    assert "/inbox/canned-replies" in offered(ben, carla, "")
    assert "/inbox/canned-replies" not in offered(ben, carla, "and")


# With buttons, a list, a link or a form.


@pytest.fixture
def talk(world: World) -> Conversation:
    return people.conversation(world.connect_numbers()[0])


BUTTONS = {"body": "Shall we deliver, {{first_name}}?", "first": "Yes", "second": "No"}


def save_sheet(browser: Browser, talk: Conversation, kind: str = "buttons", **fields: str) -> Any:
    at = f"~/inbox/{talk.id}/compose/{kind}/canned-reply"
    return browser.post(at, BUTTONS | {"shortcut": "delivery", "shared": "1"} | fields)


def test_a_sheet_is_saved_as_a_canned_reply_and_opens_filled_in(ann: Browser, talk: Conversation) -> None:
    assert "Type /delivery" in save_sheet(ann, talk).text
    listed = ann.get(f"~/inbox/{talk.id}/canned-replies?q=deliv", headers=FRAGMENT).text
    (opens,) = re.findall(r'data-opens="([^"]+)"', listed)
    assert 'data-inserts=""' in listed
    filled = ann.get(html.unescape(opens), headers=FRAGMENT).text
    assert "Shall we deliver, Carla?" in filled and 'value="Yes"' in filled and 'value="No"' in filled


def test_what_a_canned_sheet_sends_has_its_buttons(ann: Browser, world: World, talk: Conversation) -> None:
    save_sheet(ann, talk)
    ann.post(f"~/inbox/{talk.id}/compose/buttons", BUTTONS | {"client_id": str(uuid.uuid4())})
    with tenant_scope(world.bakery.id):
        sent = db.session.scalars(select(Message).where(Message.direction == "outbound")).one()
        assert sent.type == "interactive" and '"Yes"' in json.dumps(sent.content)


def test_sending_a_sheet_needs_no_shortcut(ann: Browser, talk: Conversation) -> None:
    page = ann.get(f"~/inbox/{talk.id}/compose/buttons", headers=FRAGMENT).text
    (field,) = re.findall(r'<input[^>]+name="shortcut"[^>]*>', page)
    assert "required" not in field


def test_a_sheet_that_whatsapp_would_refuse_is_not_saved(ann: Browser, world: World, talk: Conversation) -> None:
    assert save_sheet(ann, talk, first="", second="").status_code == 422
    assert save_sheet(ann, talk, shortcut="two words").status_code == 422
    assert save_sheet(ann, talk, "location").status_code == 404
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(CannedReply)).all() == []


def test_a_colleagues_own_sheet_opens_empty(ann: Browser, ben: Browser, world: World, talk: Conversation) -> None:
    save_sheet(ben, talk, shared="")
    with tenant_scope(world.bakery.id):
        own = db.session.scalars(select(CannedReply)).one()
    page = ann.get(f"~/inbox/{talk.id}/compose/buttons?canned={own.id}", headers=FRAGMENT).text
    assert "Shall we deliver" not in page


def test_a_list_opens_with_its_choices(ann: Browser, talk: Conversation) -> None:
    rows = {"rows-0-name": "Bread", "rows-0-description": "Rye", "rows-1-name": "Cake", "button": "Choose"}
    save_sheet(ann, talk, "list", **rows)
    listed = ann.get(f"~/inbox/{talk.id}/canned-replies?q=", headers=FRAGMENT).text
    (opens,) = re.findall(r'data-opens="([^"]+)"', listed)
    page = ann.get(html.unescape(opens), headers=FRAGMENT).text
    assert 'value="Bread"' in page and 'value="Rye"' in page and 'value="Cake"' in page
