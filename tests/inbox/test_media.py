"""Files from customers: fetched from Meta, kept, and given to no one but their tenant."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import pathlib
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from app.extensions import outside
from app.inbox.files.media import Media
from app.inbox.files.thumbnails import make_thumbnail
from app.inbox.inbound import jobs as media_jobs
from app.inbox.inbound.jobs import fetch, recover_waiting_files
from app.sniffing import readable_name, sniff
from app.storage import Folder
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive, conversation, files, graph_answering
from tests.client import FRAGMENT, Browser
from tests.posts import message
from tests.world import World

numbers = itertools.count(1)


def picture(form: str = "JPEG", size: tuple[int, int] = (400, 300), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, form, **options)
    return out.getvalue()


PHOTO = picture()
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00" + b"\x00" * 100
OGG = b"OggS" + b"\x00" * 100


class Shelf:
    """Meta's side: the files it keeps, what it was asked, and what goes wrong."""

    host = "lookaside.fbsbx.com"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requested: list[httpx.Request] = []
        self.trouble: list[httpx.Response] = []
        self.redirect = ""

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requested.append(request)
        if self.trouble:
            return self.trouble.pop(0)
        if request.url.host == "graph.facebook.com":
            id = request.url.path.rpartition("/")[2]
            if id not in self.files:
                return httpx.Response(400, json={"error": {"code": 100, "error_subcode": 33, "message": "no such id"}})
            return httpx.Response(200, json={"url": f"https://{self.host}/{id}", "sha256": "", "id": id})
        if self.redirect:
            return httpx.Response(302, headers={"Location": self.redirect})
        return httpx.Response(200, content=iter([self.files[request.url.path[1:]]]))

    def carries(self, data: bytes, kind: str = "image", sha256: str | None = None, **more: Any) -> dict[str, Any]:
        """A message with this file."""
        id = f"10{next(numbers)}"
        self.files[id] = data
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode() if sha256 is None else sha256
        content: dict[str, Any] = {kind: {"id": id, "sha256": digest, "mime_type": "image/jpeg"} | more}
        return message(type=kind, **content)


@pytest.fixture(autouse=True)
def shelf(world: World, tmp_path: pathlib.Path) -> Iterator[Shelf]:
    world.connect_numbers()
    shelf, usual = Shelf(), (outside().graph, outside().storage)
    graph_answering(shelf.answer)
    outside().storage = Folder(tmp_path)
    yield shelf
    outside().graph, outside().storage = usual


def fetched(world: World) -> Media:
    """What became of the only file, after one try at it."""
    (file,) = files(world)
    fetch(world.bakery.id, file.id)
    return files(world)[0]


def come_due(world: World) -> None:
    with tenant_scope(world.bakery.id):
        db.session.execute(db.update(Media).values(next_attempt_at=now()))


def test_a_photo_is_downloaded_stored_and_shown(ann: Browser, world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO, caption="*Look*"))
    file = fetched(world)
    assert (file.state, file.content_type, file.size, file.error) == ("stored", "image/jpeg", len(PHOTO), None)
    assert (file.width, file.height) == (400, 300)
    page = ann.get(f"~/inbox/{conversation(world).id}").text
    assert f"/inbox/media/{file.id}/thumbnail" in page and "<strong>Look</strong>" in page
    assert 'width="320" height="240"' in page
    assert ann.get(f"~/inbox/media/{file.id}").data == PHOTO


def test_the_token_goes_to_meta_in_a_header_and_nowhere_else(world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO))
    fetched(world)
    assert [request.headers["Authorization"] for request in shelf.requested] == ["Bearer EAA-bakery"] * 2
    assert not any("EAA" in str(request.url) for request in shelf.requested)


def test_a_file_is_asked_for_as_the_number_it_came_to(world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO))
    fetched(world)
    assert shelf.requested[0].url.params["phone_number_id"] == "106540352242922"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "fbsbx.com.evil.example",
        "evilfbsbx.com",
        "x@evil.example",
        "127.0.0.1",
        "lookaside.fbsbx.com:8443",
    ],
)
def test_another_host_gets_neither_token_nor_request(world: World, shelf: Shelf, host: str) -> None:
    shelf.host = host
    arrive(shelf.carries(PHOTO))
    assert fetched(world).state == "failed"
    assert [request.url.host for request in shelf.requested] == ["graph.facebook.com"]


def test_a_redirect_is_not_followed(world: World, shelf: Shelf) -> None:
    shelf.redirect = "https://evil.example/steal"
    arrive(shelf.carries(PHOTO))
    assert fetched(world).state == "waiting"
    assert {request.url.host for request in shelf.requested} == {"graph.facebook.com", "lookaside.fbsbx.com"}


@pytest.mark.parametrize("expected", [hashlib.sha256(PHOTO).hexdigest(), hashlib.sha256(PHOTO).hexdigest().upper(), ""])
def test_checksums_come_in_two_spellings_or_not_at_all(world: World, shelf: Shelf, expected: str) -> None:
    arrive(shelf.carries(PHOTO, sha256=expected))
    assert fetched(world).state == "stored"


@pytest.mark.parametrize("expected", [hashlib.sha256(b"other").hexdigest(), "not a checksum", "====", "é"])
def test_a_file_with_another_checksum_is_tried_three_times_then_refused(
    world: World, shelf: Shelf, expected: str
) -> None:
    arrive(shelf.carries(PHOTO, sha256=expected))
    states = []
    for _ in range(3):
        come_due(world)
        states.append(fetched(world).state)
    assert states == ["waiting", "waiting", "failed"]
    assert files(world)[0].storage_key is None


def test_too_large_a_file_is_given_up_while_it_streams(
    ann: Browser, world: World, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_jobs, "LARGEST", 1000)
    arrive(shelf.carries(b"x" * 1001))
    assert fetched(world).state == "failed"
    assert "larger than WhatsApp allows" in ann.get(f"~/inbox/{conversation(world).id}").text


def test_a_file_that_meta_has_no_more_says_so(ann: Browser, world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO))
    shelf.files.clear()
    assert fetched(world).state == "gone"
    page = ann.get(f"~/inbox/{conversation(world).id}").text
    assert "no longer has this file" in page and "/attempts" not in page


def test_after_seven_days_the_page_says_that_it_was_too_late(ann: Browser, world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO))
    shelf.files.clear()
    with tenant_scope(world.bakery.id):
        db.session.execute(db.update(Media).values(created_at=now().replace(year=2020)))
    assert fetched(world).state == "gone"
    assert "downloaded in time" in ann.get(f"~/inbox/{conversation(world).id}").text


def test_trouble_on_the_way_is_waited_out(ann: Browser, world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO))
    shelf.trouble = [httpx.Response(503)]
    file = fetched(world)
    assert file.state == "waiting" and file.next_attempt_at and file.next_attempt_at > now()
    assert "retry automatically" in ann.get(f"~/inbox/{conversation(world).id}").text
    come_due(world)
    assert fetched(world).state == "stored"


def test_a_full_store_loses_nothing(world: World, shelf: Shelf, tmp_path: pathlib.Path) -> None:
    (tmp_path / str(world.bakery.id)).write_text("in the way")
    arrive(shelf.carries(PHOTO))
    assert fetched(world).state == "waiting"
    (tmp_path / str(world.bakery.id)).unlink()
    come_due(world)
    assert fetched(world).state == "stored"


def test_a_revoked_token_pauses_the_number_and_the_file_waits(world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO))
    shelf.trouble = [httpx.Response(401, json={"error": {"code": 190, "message": "expired"}})]
    assert fetched(world).state == "waiting"
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(db.select(PhoneNumber.state)).one() == "paused"


def test_a_file_is_fetched_by_one_at_a_time(world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO))
    (file,) = files(world)
    with tenant_scope(world.bakery.id):
        assert Media.claim(str(file.id))
        assert Media.claim(str(file.id)) is None
    assert fetched(world).state == "waiting"
    assert shelf.requested == []


def test_a_worker_that_died_is_made_up_for(world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(PHOTO))
    with tenant_scope(world.bakery.id):
        Media.claim(str(files(world)[0].id))
    outside().redis.flushdb()
    recover_waiting_files()
    assert outside().redis.llen("rq:queue:files") == 0
    come_due(world)
    recover_waiting_files()
    assert outside().redis.llen("rq:queue:files") == 1


def test_who_comes_too_late_with_a_file_throws_it_away(
    world: World, shelf: Shelf, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(shelf.carries(PHOTO))
    monkeypatch.setattr(media_jobs.Fetching, "mine", lambda self: None)
    assert fetched(world).state == "waiting"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_that_failed_is_tried_again_when_asked(ben: Browser, world: World, shelf: Shelf) -> None:
    shelf.host = "evil.example"
    arrive(shelf.carries(PHOTO))
    file = fetched(world)
    assert f"/inbox/media/{file.id}/attempts" in ben.get(f"~/inbox/{conversation(world).id}").text
    shelf.host = "lookaside.fbsbx.com"
    answer = ben.post(f"~/inbox/media/{file.id}/attempts", headers=FRAGMENT)
    assert answer.status_code == 200 and 'data-testid="bubble"' in answer.text
    assert fetched(world).state == "stored"


def test_a_message_without_a_file_id_says_so(ann: Browser, world: World) -> None:
    arrive(message(type="image", image={"caption": "lost"}))
    assert files(world)[0].state == "failed"
    assert "send the address of this file" in ann.get(f"~/inbox/{conversation(world).id}").text


def test_the_same_message_twice_has_one_file(world: World, shelf: Shelf) -> None:
    twice = shelf.carries(PHOTO)
    arrive(twice, twice)
    arrive(twice)
    assert len(files(world)) == 1


@pytest.mark.parametrize(
    ("kind", "data", "html"),
    [
        ("video", MP4, "<video"),
        ("audio", OGG, "<audio"),
        ("sticker", picture("WEBP"), 'alt="Sticker"'),
        ("document", b"%PDF-1.7 x", 'class="part file"'),
        ("document", PHOTO, 'class="part file"'),
        ("audio", b"#!AMR\n", 'class="part file"'),
    ],
)
def test_each_kind_has_its_own_way_to_be_shown(
    ann: Browser, world: World, shelf: Shelf, kind: str, data: bytes, html: str
) -> None:
    arrive(shelf.carries(data, kind))
    fetched(world)
    assert html in ann.get(f"~/inbox/{conversation(world).id}").text


def test_a_voice_note_is_called_one(ann: Browser, world: World, shelf: Shelf) -> None:
    arrive(shelf.carries(OGG, "audio", voice=True))
    fetched(world)
    assert 'aria-label="Voice note"' in ann.get(f"~/inbox/{conversation(world).id}").text


SCRIPT = b"<script>alert(document.domain)</script>"
HOSTILE = {
    "svg with a script": b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
    "html": b"<!doctype html>" + SCRIPT,
    "html with a byte order mark": b"\xef\xbb\xbf<html>" + SCRIPT,
    "html in utf-7": b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "xhtml": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">' + SCRIPT + b"</html>",
    "xml with a stylesheet": b'<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><x/>',
    "mhtml": b"MIME-Version: 1.0\nContent-Type: text/html\n\n" + SCRIPT,
    "javascript": b"alert(document.domain)",
    "gif and javascript": b"GIF89a/*" + b"\x00" * 20 + b"*/=1;alert(1)",
    "pdf and html": b"%PDF-1.7\n" + SCRIPT,
    "jpeg and html": b"\xff\xd8\xff\xe0" + SCRIPT,
    "png, cut": picture("PNG")[:60],
    "jpeg, cut": PHOTO[:200],
    "zip": b"PK\x03\x04" + b"\x00" * 40,
    "macro document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 40,
    "executable": b"MZ" + b"\x00" * 40,
    "nothing": b"",
    "one byte": b"\xff",
    "eicar": rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
}


@pytest.mark.parametrize("kind", ["image", "document", "video", "audio", "sticker"])
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_file_is_ever_a_page(ann: Browser, world: World, shelf: Shelf, data: bytes, kind: str) -> None:
    arrive(shelf.carries(data, kind, filename="photo.jpg", mime_type="text/html"))
    file = fetched(world)
    answer = ann.get(f"~/inbox/media/{file.id}")
    assert answer.data == data
    assert answer.mimetype in {"application/octet-stream", "application/pdf", "image/gif", "image/jpeg", "image/png"}
    assert answer.mimetype.startswith("image/") or answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "<img class=" not in ann.get(f"~/inbox/{conversation(world).id}").text


NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\temp\\a.pdf": "a.pdf",
    "invoice\u202efdp.exe": "invoicefdp.exe",
    'a"b\r\nSet-Cookie: x=1.pdf': 'a"bSet-Cookie: x=1.pdf',
    "naïve 🎉.pdf": "naïve 🎉.pdf",
    "x" * 300 + ".pdf": "x" * 190 + ".pdf",
    "\u200f": "",
}


@pytest.mark.parametrize(("name", "saved"), NAMES.items())
def test_names_are_disarmed(ann: Browser, world: World, shelf: Shelf, name: str, saved: str) -> None:
    arrive(shelf.carries(b"%PDF-", "document", filename=name))
    file = fetched(world)
    assert file.filename == readable_name(saved)
    answer = ann.get(f"~/inbox/media/{file.id}")
    expected = answer.headers["Content-Disposition"]
    assert expected.isascii() and expected.startswith('attachment; filename="') and "Set-Cookie" not in answer.headers
    assert "\r" not in expected and file.storage_key and "passwd" not in file.storage_key


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * ((width // 8 + 1) * min(height, 20_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("data", [bomb(60_000, 60_000), bomb(6400, 6400), b"\x89PNG\r\n\x1a\n", SCRIPT])
def test_a_bomb_has_no_thumbnail(data: bytes, tmp_path: pathlib.Path) -> None:
    (tmp_path / "bomb").write_bytes(data)
    with (tmp_path / "bomb").open("rb") as file:
        assert make_thumbnail(file) is None


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_thumbnail_is_small_and_tells_nothing_of_where_it_was_taken(form: str, tmp_path: pathlib.Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "at home"
    (tmp_path / "big").write_bytes(picture(form, (3000, 2000), exif=exif))
    with (tmp_path / "big").open("rb") as file:
        made = make_thumbnail(file)
    assert made and max(Image.open(io.BytesIO(made.data)).size) == 640
    assert b"at home" not in made.data
    assert (made.width, made.height) == ((3000, 2000) if form == "GIF" else (2000, 3000))


@pytest.mark.parametrize(
    ("head", "kind", "content_type"),
    [
        (MP4, "video", "video/mp4"),
        (MP4, "audio", "audio/mp4"),
        (b"\x00\x00\x00\x18ftyp3gp4", "video", "video/3gpp"),
        (b"\x00\x00\x00\x18ftypqt  ", "video", "application/octet-stream"),
        (b"ID3\x03", "audio", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio", "audio/aac"),
        (b"\xff\xff\xff\xff", "audio", "application/octet-stream"),
        (b"RIFF\x00\x00\x00\x00WEBP", "sticker", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", "audio", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, kind: str, content_type: str) -> None:
    assert sniff(head, kind) == content_type


@pytest.fixture
def stored(world: World, shelf: Shelf) -> Media:
    arrive(shelf.carries(MP4, "video"))
    return fetched(world)


@pytest.mark.parametrize(
    ("wanted", "status", "expected", "body"),
    [
        ("bytes=0-3", 206, f"bytes 0-3/{len(MP4)}", MP4[:4]),
        ("bytes=4-", 206, f"bytes 4-{len(MP4) - 1}/{len(MP4)}", MP4[4:]),
        ("bytes=-5", 206, f"bytes {len(MP4) - 5}-{len(MP4) - 1}/{len(MP4)}", MP4[-5:]),
        ("bytes=9999-", 416, f"bytes */{len(MP4)}", b""),
        ("lines=1-2", 200, None, MP4),
        ("nonsense", 200, None, MP4),
    ],
)
def test_players_may_ask_for_a_part(
    ann: Browser, stored: Media, wanted: str, status: int, expected: str | None, body: bytes
) -> None:
    answer = ann.get(f"~/inbox/media/{stored.id}", headers={"Range": wanted})
    assert (answer.status_code, answer.headers.get("Content-Range"), answer.data) == (status, expected, body)
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_browser_caches_a_file_but_revalidates_it(ann: Browser, stored: Media, world: World) -> None:
    first = ann.get(f"~/inbox/media/{stored.id}")
    assert str(world.bakery.id) in first.headers["ETag"] and first.headers["Cache-Control"] == "private, no-cache"
    again = ann.get(f"~/inbox/media/{stored.id}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_part_of_another_version_is_not_given(ann: Browser, stored: Media) -> None:
    headers = {"Range": "bytes=0-3", "If-Range": '"another"'}
    assert ann.get(f"~/inbox/media/{stored.id}", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["", "/thumbnail"])
def test_a_member_of_another_tenant_gets_no_file(sue: Browser, stored: Media, path: str) -> None:
    assert sue.get(f"~/inbox/media/{stored.id}{path}").status_code == 404
    sue.tenant = "shoes"
    assert sue.get(f"~/inbox/media/{stored.id}{path}").status_code == 404


def test_a_member_of_another_tenant_may_not_retry_a_download(sue: Browser, stored: Media) -> None:
    sue.tenant = "shoes"
    assert sue.post(f"~/inbox/media/{stored.id}/attempts").status_code == 404


def test_the_file_of_a_deleted_message_is_not_given(ann: Browser, world: World, shelf: Shelf) -> None:
    photo = shelf.carries(PHOTO)
    arrive(photo)
    file = fetched(world)
    wamid = photo["value"]["messages"][0]["id"]
    arrive(message(type="revoke", revoke={"original_message_id": wamid}))
    assert ann.get(f"~/inbox/media/{file.id}").status_code == 404
    assert ann.get(f"~/inbox/media/{file.id}/thumbnail").status_code == 404


def test_with_another_graph_url_files_come_from_that_host(world: World, shelf: Shelf) -> None:
    graph_answering(shelf.answer, "http://127.0.0.1:9000")
    theirs = ("http://127.0.0.1:9000/x", "http://localhost:9000/x")
    others = ("http://127.0.0.1:9100/x", "https://lookaside.fbsbx.com/x", "http://10.0.0.1:9000/x", "http://[", "")
    assert [url for url in (*theirs, *others) if outside().graph._is_metas(url)] == list(theirs)
