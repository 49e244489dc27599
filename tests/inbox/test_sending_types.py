"""Every kind of message out: through the page, the outbox and Meta's HTTP, to the customer's phone and back."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.files.media import Media
from app.inbox.outbound.jobs import recover_waiting_uploads, upload
from app.message_templates.jobs import fetch_templates
from app.message_templates.models import MessageTemplate
from app.tenancy import db, now, platform_scope, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.simulated import Road

PDF = b"%PDF-1.4\n" + b"x" * 2000
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00" + b"\x00" * 100
MP3 = b"ID3\x04" + b"\x00" * 100
OPUS = b"OggS" + b"\x00" * 24 + b"OpusHead\x01\x01" + b"\x00" * 100

pytestmark = pytest.mark.usefixtures("at_once")


def picture(form: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, form)
    return out.getvalue()


@pytest.fixture
def talk(road: Road) -> Conversation:
    return road.customer_writes()


def send(ann: Browser, talk: Conversation, *files: tuple[bytes, str], **fields: Any) -> Any:
    given = {"client_id": str(uuid.uuid4()), "body": ""} | fields
    data = given | {"files": [(io.BytesIO(content), name) for content, name in files]}
    return ann.post(f"~/inbox/{talk.id}/messages", data, headers=FRAGMENT, content_type="multipart/form-data")


def compose(ann: Browser, talk: Conversation, kind: str, **fields: Any) -> Any:
    given = {"client_id": str(uuid.uuid4())} | fields
    return ann.post(f"~/inbox/{talk.id}/compose/{kind}", given, headers=FRAGMENT)


def outbound(road: Road) -> list[Message]:
    with tenant_scope(road.world.bakery.id):
        query = db.select(Message).where(Message.direction == "outbound").options(*Message.with_all_around_it())
        return list(db.session.scalars(query.order_by(Message.id)).unique())


def upload_all(road: Road) -> None:
    with tenant_scope(road.world.bakery.id):
        due = list(db.session.scalars(db.select(Media.id).where(Media.next_attempt_at <= now())))
    for media_id in due:
        upload(road.world.bakery.id, media_id)


def go(road: Road) -> None:
    upload_all(road)
    road.deliver()


def contents(road: Road) -> list[dict[str, Any]]:
    return [{"type": one["type"], "content": json.loads(one["body"])} for one in road.meta.accepted()]


def delivered(road: Road) -> None:
    road.until(lambda: {message.state for message in outbound(road)} == {"delivered"})


@pytest.mark.parametrize(
    ("file", "type", "expected"),
    [
        ((picture(), "cake.jpg"), "image", {"caption": "Look"}),
        ((picture("PNG"), "cake.png"), "image", {"caption": "Look"}),
        ((MP4, "cake.mp4"), "video", {"caption": "Look"}),
        ((PDF, "menu.pdf"), "document", {"caption": "Look", "filename": "menu.pdf"}),
        ((b"PK\x03\x04" + b"x" * 99, "menu.docx"), "document", {"caption": "Look", "filename": "menu.docx"}),
        ((b"Rye, 4 EUR", "menu.txt"), "document", {"caption": "Look", "filename": "menu.txt"}),
    ],
)
def test_a_file_reaches_the_customer_with_its_caption(
    road: Road, ann: Browser, talk: Conversation, file: tuple[bytes, str], type: str, expected: dict[str, str]
) -> None:
    assert send(ann, talk, file, body="Look").status_code == 200
    go(road)
    (sent,) = contents(road)
    assert sent["type"] == type and sent["content"].pop("id") and sent["content"] == expected
    delivered(road)


@pytest.mark.parametrize("file", [(MP3, "song.mp3"), (OPUS, "song.ogg"), (picture("WEBP"), "hello.webp")])
def test_what_takes_no_caption_has_the_words_before_it(
    road: Road, ann: Browser, talk: Conversation, file: tuple[bytes, str]
) -> None:
    send(ann, talk, file, body="Listen")
    go(road)
    road.deliver()
    assert [one["type"] for one in contents(road)] == ["text", "sticker" if "webp" in file[1] else "audio"]


def test_several_files_are_several_messages_in_order(road: Road, ann: Browser, talk: Conversation) -> None:
    send(ann, talk, (PDF, "1.pdf"), (picture(), "2.jpg"), (PDF, "3.pdf"), body="All of it")
    go(road)
    assert [one["content"].get("filename") for one in contents(road)] == ["1.pdf", None, "3.pdf"]
    assert [one["content"].get("caption") for one in contents(road)] == ["All of it", None, None]


@pytest.mark.parametrize(
    ("kind", "fields", "content"),
    [
        (
            "location",
            {"name": "Bakery", "address": "1 High Street", "latitude": "52.52", "longitude": "13,405"},
            {"latitude": 52.52, "longitude": 13.405, "name": "Bakery", "address": "1 High Street"},
        ),
        (
            "location",
            {"latitude": "https://www.openstreetmap.org/#map=15/52.5200/13.4050"},
            {"latitude": 52.52, "longitude": 13.405},
        ),
        (
            "contact",
            {"name": "Ben Baker", "phone": "+49 30 901820", "organisation": "Bakery"},
            [
                {
                    "name": {"formatted_name": "Ben Baker", "first_name": "Ben Baker"},
                    "phones": [{"phone": "+49 30 901820", "type": "CELL", "wa_id": "4930901820"}],
                    "org": {"company": "Bakery"},
                }
            ],
        ),
        (
            "link",
            {"body": "Our menu", "button": "Open", "url": "https://bakery.example/menu"},
            {
                "type": "cta_url",
                "body": {"text": "Our menu"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Open", "url": "https://bakery.example/menu"},
                },
            },
        ),
        (
            "location-request",
            {"body": "Where to?"},
            {
                "type": "location_request_message",
                "body": {"text": "Where to?"},
                "action": {"name": "send_location"},
            },
        ),
    ],
)
def test_what_is_more_than_words_reaches_the_customer(
    road: Road, ann: Browser, talk: Conversation, kind: str, fields: dict[str, str], content: Any
) -> None:
    assert compose(ann, talk, kind, **fields).status_code == 200
    go(road)
    assert [one["content"] for one in contents(road)] == [content]
    delivered(road)


def test_buttons_are_asked_tapped_and_answered(road: Road, ann: Browser, talk: Conversation) -> None:
    compose(ann, talk, "buttons", body="Rye today?", first="Yes", second="No", header="Bread", footer="Until six")
    go(road)
    delivered(road)
    (requested,) = outbound(road)
    answer = road.meta.post(
        "answers", wamid=requested.wamid, option=1, **{"from": "16505551234", "phone_number_id": road.number.meta_id}
    )
    road.until(lambda: road.message_with(answer["wamid"]) is not None)
    page = ann.get(f"~/inbox/{talk.id}").text
    for words in ("Rye today?", "Bread", "Until six", "Yes", "Tapped"):
        assert words in page


def test_a_list_shows_its_choices_on_both_sides(road: Road, ann: Browser, talk: Conversation) -> None:
    rows = {"rows-0-name": "Rye", "rows-0-description": "Dark", "rows-1-name": "Wheat"}
    assert compose(ann, talk, "list", body="Which bread?", button="Choose", **rows).status_code == 200
    go(road)
    (sent,) = contents(road)
    (section,) = sent["content"]["action"]["sections"]
    assert [row["title"] for row in section["rows"]] == ["Rye", "Wheat"]
    assert "Wheat" in ann.get(f"~/inbox/{talk.id}").text
    delivered(road)


def test_an_answer_quotes_the_message_it_answers(road: Road, ann: Browser, talk: Conversation) -> None:
    with tenant_scope(road.world.bakery.id):
        hello = db.session.query(Message).filter_by(conversation_id=talk.id).one()
    page = send(ann, talk, body="Hello yourself", reply_to=str(hello.id)).text
    road.deliver()
    assert "quote-words" in page
    (message,) = outbound(road)
    assert message.quoted and message.quoted.id == hello.id
    phone = road.meta.client.get("/control/api/accepted").json()["accepted"]
    assert len(phone) == 1 and message.reply_to_wamid == hello.wamid


def test_a_reaction_reaches_the_phone_and_is_taken_away_again(road: Road, ann: Browser, talk: Conversation) -> None:
    with tenant_scope(road.world.bakery.id):
        hello = db.session.query(Message).filter_by(conversation_id=talk.id).one()
    path = f"~/inbox/{talk.id}/messages/{hello.id}/reaction"
    assert "👍" in ann.post(path, {"emoji": "👍"}, headers=FRAGMENT).text
    ann.post(path, {"emoji": "👍"}, headers=FRAGMENT)
    assert ann.delete(path, headers=FRAGMENT).status_code == 200
    go(road)
    road.deliver()
    assert [one["content"]["emoji"] for one in contents(road)] == ["👍", ""]
    assert ann.get(f"~/inbox/{talk.id}").text.count('data-testid="bubble"') == 2  # Carla's, and the draft


@pytest.mark.parametrize("files", [[], [(picture(), "blue.jpg")]], ids=["words", "file"])
def test_what_was_sent_is_answered_again_once_the_window_has_closed(
    road: Road, ann: Browser, talk: Conversation, files: list[tuple[bytes, str]]
) -> None:
    once = {"client_id": str(uuid.uuid4()), "body": "Hello"}
    send(ann, talk, *files, **once)
    close_window(road, talk)
    assert send(ann, talk, *files, **once).status_code == 200
    assert send(ann, talk, *files, body="Hello").status_code == 422
    assert len(outbound(road)) == 1


def test_a_reaction_whose_response_was_lost_is_retried(road: Road, ann: Browser, talk: Conversation) -> None:
    with tenant_scope(road.world.bakery.id):
        hello = db.session.query(Message).filter_by(conversation_id=talk.id).one()
    ann.post(f"~/inbox/{talk.id}/messages/{hello.id}/reaction", {"emoji": "👍"}, headers=FRAGMENT)
    road.meta.post("faults", edge="messages", kind="drop-after-accept")
    road.deliver()
    with platform_scope("tests"):
        db.session.execute(text("update messages set next_attempt_at = now() where state = 'queued'"))
    road.deliver()
    assert len(road.meta.accepted()) == 2 and outbound(road)[0].state != "queued"


def test_a_template_is_filled_seen_and_sent_into_a_closed_window(road: Road, ann: Browser, talk: Conversation) -> None:
    close_window(road, talk)
    template = template_named(road, "order_update")
    address = f"~/inbox/{talk.id}/templates/{template.id}"
    gaps = {"body-0-1": "Carla", "body-0-2": "17", "url-0-1": "abc"}
    assert "Hi Carla, your order {{2}}" in ann.get(f"{address}?body-0-1=Carla", headers=FRAGMENT).text
    missing = ann.post(address, gaps | {"body-0-2": ""}, headers=FRAGMENT)
    assert missing.status_code == 422 and "Fill in {{2}}" in missing.text and "Carla" in missing.text
    assert "Hi Carla, your order 17 is on its way." in ann.post(address, gaps, headers=FRAGMENT).text
    go(road)
    (sent,) = contents(road)
    assert [part["type"] for part in sent["content"]["components"]] == ["body", "button"]
    delivered(road)


def test_a_template_with_a_photo_carries_the_photo(road: Road, ann: Browser, talk: Conversation) -> None:
    template = template_named(road, "summer_offer")
    address = f"~/inbox/{talk.id}/templates/{template.id}"
    data = {"body-0-first_name": "Carla", "client_id": str(uuid.uuid4())}
    assert "Choose one" in ann.post(address, data, headers=FRAGMENT).text
    ann.post(address, data | {"file": (io.BytesIO(picture()), "blue.jpg")}, headers=FRAGMENT)
    go(road)
    (sent,) = contents(road)
    (header,) = [part for part in sent["content"]["components"] if part["type"] == "header"]
    assert header["parameters"][0]["image"]["id"]
    delivered(road)


def test_a_template_with_a_place_carries_the_place(road: Road, ann: Browser, talk: Conversation) -> None:
    template = template_named(road, "meet_here")
    address = f"~/inbox/{talk.id}/templates/{template.id}"
    place = {f"location-0-{name}": value for name, value in (("latitude", "52.5"), ("longitude", "13.4"))}
    place |= {"location-0-name": "Bakery", "location-0-address": "Main Street 1"}
    assert "Name of the place" in ann.get(address).text
    assert "Fill in the latitude" in ann.post(address, place | {"location-0-latitude": ""}, headers=FRAGMENT).text
    ann.post(address, place, headers=FRAGMENT)
    go(road)
    (header,) = contents(road)[0]["content"]["components"]
    assert header["parameters"][0]["location"]["name"] == "Bakery"
    delivered(road)


def test_an_offer_ends_by_the_clock_beside_the_field(road: Road, ann: Browser, talk: Conversation) -> None:
    template = template_named(road, "bread_offer")
    address = f"~/inbox/{talk.id}/templates/{template.id}"
    form = {"expiration-0-expiration": "2040-01-01T12:00", "zone": "Asia/Tokyo", "code-0-code": "BREAD10"}
    assert "when the offer expires" in ann.post(address, form | {"expiration-0-expiration": ""}, headers=FRAGMENT).text
    ann.post(address, form, headers=FRAGMENT)
    go(road)
    parts = {part["type"]: part for part in contents(road)[0]["content"]["components"]}
    (end,) = parts["limited_time_offer"]["parameters"]
    noon = dt.datetime(2040, 1, 1, 3, tzinfo=dt.UTC)
    assert end["limited_time_offer"]["expiration_time_ms"] == noon.timestamp() * 1000
    delivered(road)


def test_templates_are_loaded_from_meta_and_saved(road: Road, ann: Browser, talk: Conversation) -> None:
    seed_templates(road)
    assert "Loading templates" in ann.get(f"~/inbox/{talk.id}/templates").text
    fetch_templates(road.world.bakery.id, road.number.waba_id)
    page = ann.get(f"~/inbox/{talk.id}/templates").text
    assert "Order update" in page and "paused_one" not in page


def test_outside_the_window_only_a_template_goes(road: Road, ann: Browser, talk: Conversation) -> None:
    close_window(road, talk)
    assert "Choose a template" in ann.get(f"~/inbox/{talk.id}").text
    answer = compose(ann, talk, "buttons", body="Well?", first="Yes")
    assert answer.status_code == 422 and "24-hour" in answer.text and "Well?" in answer.text
    assert send(ann, talk, (PDF, "a.pdf")).status_code == 422
    assert outbound(road) == []


def test_an_upload_that_fails_is_tried_again_and_nothing_is_sent_before(
    road: Road, ann: Browser, talk: Conversation
) -> None:
    send(ann, talk, (PDF, "menu.pdf"))
    road.meta.post("faults", edge="media", kind="accept-then-500")
    go(road)
    assert road.meta.accepted() == [] and outbound(road)[0].state == "queued"
    make_due(road)
    recover_waiting_uploads()
    go(road)
    delivered(road)
    assert len(road.meta.accepted()) == 1


def test_a_file_that_meta_refuses_fails_with_words(road: Road, ann: Browser, talk: Conversation) -> None:
    send(ann, talk, (PDF, "menu.pdf"))
    road.meta.post("faults", edge="media", kind="error", code=100, details="Param file must be a file")
    go(road)
    assert outbound(road)[0].state == "failed"
    assert "Param file must be a file" in ann.get(f"~/inbox/{talk.id}").text
    assert road.meta.accepted() == []


def test_an_upload_that_meta_has_forgotten_is_done_again(road: Road, ann: Browser, talk: Conversation) -> None:
    send(ann, talk, (PDF, "menu.pdf"))
    upload_all(road)
    forget_at_meta(road)
    with platform_scope("tests"):
        db.session.execute(text("update media set uploaded_at = now() - interval '1 h'"))
    road.deliver()
    assert outbound(road)[0].state == "queued" and road.meta.accepted() == []
    make_due(road)
    go(road)
    delivered(road)


def test_an_upload_older_than_meta_stores_it_is_done_again(road: Road, ann: Browser, talk: Conversation) -> None:
    send(ann, talk, (PDF, "menu.pdf"))
    upload_all(road)
    with platform_scope("tests"):
        db.session.execute(text("update media set uploaded_at = now() - interval '30 d'"))
    before = outbound(road)[0].media
    recover_waiting_uploads()
    go(road)
    after = outbound(road)[0].media
    assert before and after and before.meta_id != after.meta_id and len(road.meta.accepted()) == 1


def test_a_lost_answer_with_a_file_is_not_sent_twice(road: Road, ann: Browser, talk: Conversation) -> None:
    send(ann, talk, (PDF, "menu.pdf"))
    upload_all(road)
    road.meta.post("faults", edge="messages", kind="drop-after-accept")
    road.deliver()
    assert outbound(road)[0].state == "unknown"
    go(road)
    assert len(road.meta.accepted()) == 1
    delivered(road)


def test_the_same_file_posted_twice_is_one_message_and_one_stored_file(
    road: Road, ann: Browser, talk: Conversation
) -> None:
    id = str(uuid.uuid4())
    for _ in range(2):
        assert send(ann, talk, (PDF, "menu.pdf"), client_id=id).status_code == 200
    assert send(ann, talk, (PDF + b"!", "menu.pdf"), client_id=id).status_code == 422
    (message,) = outbound(road)
    saved = list((outside().storage.root / str(message.tenant_id)).rglob("*"))  # type: ignore[attr-defined]
    assert len([path for path in saved if path.is_file()]) == 1


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ((b"GIF89a" + b"\x00" * 50, "dance.gif"), "is a GIF"),
        ((b"\x00\x00\x00\x18ftypheic" + b"\x00" * 50, "cake.heic"), "HEIC"),
        ((b"\x1a\x45\xdf\xa3" + b"\x00" * 50, "film.webm"), "WebM"),
        ((b"MZ" + b"\x00" * 50, "virus.exe"), "does not take “virus.exe”"),
        ((b"MZ" + b"\x00" * 50, "menu.docx"), "does not take “menu.docx”"),
        ((b"OggS" + b"\x00" * 24 + b"OpusHead\x01\x02", "stereo.ogg"), "one channel"),
        ((b"", "empty.pdf"), "is empty"),
        ((picture("WEBP") + b"\x00" * 100 * 1024, "large.webp"), "is 1 KB too large"),
    ],
)
def test_what_whatsapp_would_refuse_is_refused_in_words(
    road: Road, ann: Browser, talk: Conversation, file: tuple[bytes, str], words: str
) -> None:
    answer = send(ann, talk, file, body="Here it is")
    assert answer.status_code == 422 and words in answer.text and "Here it is" in answer.text
    assert outbound(road) == []


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("buttons", {"body": "Well?", "first": "x" * 23}, "has 3 too many"),
        ("buttons", {"body": "Well?", "first": "Yes", "second": "Yes"}, "Two buttons say"),
        ("buttons", {"body": "x" * 1030, "first": "Yes"}, "Shorten it by 6"),
        ("buttons", {"body": "", "first": "Yes"}, "Enter the text above the choices"),
        ("list", {"body": "Well?", "button": "Choose"}, "at least one choice"),
        ("link", {"body": "Well?", "button": "Open", "url": "bakery"}, "begins with https://"),
        ("location", {"latitude": "91", "longitude": "0"}, "The latitude is a number"),
        ("contact", {"name": "Ben", "phone": "030 901820"}, "country code"),
    ],
)
def test_limits_are_explained_and_nothing_typed_is_lost(
    road: Road, ann: Browser, talk: Conversation, kind: str, fields: dict[str, str], words: str
) -> None:
    answer = compose(ann, talk, kind, **fields)
    assert answer.status_code == 422 and words in answer.text
    assert all(typed in answer.text for typed in fields.values())
    assert outbound(road) == []


def test_a_form_that_is_posted_without_script_leads_back(road: Road, ann: Browser, talk: Conversation) -> None:
    for kind in ("location", "contact", "buttons", "list", "link", "location-request"):
        assert "<form" in ann.get(f"~/inbox/{talk.id}/compose/{kind}").text
    answer = ann.post(f"~/inbox/{talk.id}/compose/location-request", {"body": "Where are you?"})
    assert answer.status_code == 303 and answer.location.endswith(str(talk.id))
    assert ann.get(f"~/inbox/{talk.id}/compose/poem").status_code == 404


def test_the_neighbours_message_cannot_be_quoted_or_reacted_to(road: Road, ann: Browser, talk: Conversation) -> None:
    other = road.customer_writes("Mine", wa_id="16505559999", name="Dora")
    with tenant_scope(road.world.bakery.id):
        theirs = db.session.query(Message).filter_by(conversation_id=other.id).one()
    assert ann.get(f"~/inbox/{talk.id}/messages/{theirs.id}/actions").status_code == 404
    send(ann, talk, body="Hello", reply_to=str(theirs.id))
    assert outbound(road)[0].reply_to_wamid is None


def close_window(road: Road, talk: Conversation) -> None:
    with tenant_scope(road.world.bakery.id):
        Conversation.get_or_404(talk.id).last_inbound_at = now().replace(year=2020)


def seed_templates(road: Road) -> None:
    waba = road.ids["waba_id"]
    body = {"type": "BODY", "text": "Hi {{1}}, your order {{2}} is on its way."}
    track = {"type": "URL", "text": "Track it", "url": "https://shop.example/track/{{1}}"}
    thanks = {"type": "QUICK_REPLY", "text": "Thank you"}
    parts = [body, {"type": "BUTTONS", "buttons": [track, thanks]}]
    road.meta.post("templates", waba_id=waba, name="order_update", components=parts)
    road.meta.post("templates", waba_id=waba, name="paused_one", components=[body], status="PAUSED")
    offer = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "{{first_name}}, all is blue. Come!"}]
    road.meta.post("templates", waba_id=waba, name="summer_offer", components=offer, parameter_format="NAMED")
    here = [{"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "Meet us here."}]
    road.meta.post("templates", waba_id=waba, name="meet_here", components=here)
    ending = {"text": "Bread offer", "has_expiration": True}
    code, link = (
        {"type": "COPY_CODE", "example": "BREAD"},
        {"type": "URL", "text": "Buy", "url": "https://shop.example"},
    )
    limited: list[dict[str, Any]] = [
        {"type": "BODY", "text": "Ten percent off."},
        {"type": "LIMITED_TIME_OFFER", "limited_time_offer": ending},
        {"type": "BUTTONS", "buttons": [code, link]},
    ]
    road.meta.post("templates", waba_id=waba, name="bread_offer", components=limited, category="MARKETING")
    card = {"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BUTTONS", "buttons": [thanks]}]}
    carousel = [{"type": "BODY", "text": "Our loaves."}, {"type": "CAROUSEL", "cards": [card, card]}]
    road.meta.post("templates", waba_id=waba, name="loaves", components=carousel, category="MARKETING")


def template_named(road: Road, name: str) -> MessageTemplate:
    seed_templates(road)
    fetch_templates(road.world.bakery.id, road.number.waba_id)
    with tenant_scope(road.world.bakery.id):
        return db.session.query(MessageTemplate).filter_by(name=name).one()


def make_due(road: Road) -> None:
    with platform_scope("tests"):
        db.session.execute(text("update media set next_attempt_at = now() where next_attempt_at is not null"))


def forget_at_meta(road: Road) -> None:
    (message,) = outbound(road)
    assert message.media
    outside().graph.delete(message.media.meta_id, token=road.ids["token"])
