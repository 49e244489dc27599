"""Pictures and videos of templates: the reviewers' own or others, uploaded to Meta once for each number."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from typing import Any

import pytest
from PIL import Image

from app.extensions import outside
from app.inbox.conversations import Conversation, Message, WrongTemplate
from app.inbox.outbound.jobs import recover_waiting_uploads, upload_sample
from app.inbox.outbound.sample_uploads import SampleUpload
from app.message_templates.jobs import fetch_templates
from app.message_templates.models import MessageTemplate
from app.message_templates.samples import TemplateSample
from app.message_templates.versions import Content, TemplateVersion
from app.meta.media import UPLOAD_LIFETIME
from app.tenancy import Actor, db, now, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.enqueued import Enqueued
from tests.simulated import Road

Json = dict[str, Any]
pytestmark = pytest.mark.usefixtures("at_once")


def picture(colour: str, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, form)
    return out.getvalue()


def header(format: str, sample: str) -> Json:
    return {"type": "HEADER", "format": format, "example": {"sample": sample}}


def card(sample: str, name: str) -> Json:
    body = {"type": "BODY", "text": f"The {name} for {{{{1}}}} only.", "example": {"body_text": [["you"]]}}
    link = {"type": "URL", "text": "Buy", "url": "https://x.example/{{1}}", "example": ["cake"]}
    buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "More"}, link]}
    return {"components": [header("IMAGE", sample), body, buttons]}


BODY: Json = {"type": "BODY", "text": "Two cakes are new today. Which one do you like?"}
VALUES = {"card-0-body-0-1": "Carla", "card-0-url-0-1": "lemon", "card-1-body-0-1": "you", "card-1-url-0-1": "a b"}
VALUES = {name.replace("url-0", "url-1"): value for name, value in VALUES.items()}


def stored(road: Road, colour: str) -> str:
    with tenant_scope(road.world.bakery.id):
        return str(TemplateSample.store("IMAGE", io.BytesIO(picture(colour)), f"{colour}.png").id)


def approved(road: Road, name: str, components: list[Json]) -> MessageTemplate:
    """One that was submitted from here: Meta has links in the place of its samples."""
    existing = json.loads(json.dumps(components).replace('"sample"', '"header_handle"'))
    road.meta.post("templates", waba_id=road.ids["waba_id"], name=name, components=existing, category="MARKETING")
    fetch_templates(road.world.bakery.id, road.number.waba_id)
    with tenant_scope(road.world.bakery.id):
        template = db.session.query(MessageTemplate).filter_by(name=name).one()
        TemplateVersion.adopt(template.id, Content("MARKETING", False, components), state="approved", at=now())
        return template


@pytest.fixture
def talk(road: Road) -> Conversation:
    return road.customer_writes()


@pytest.fixture
def samples(road: Road) -> list[str]:
    return [stored(road, "gold"), stored(road, "green")]


@pytest.fixture
def cakes(road: Road, samples: list[str]) -> MessageTemplate:
    carousel = {"type": "CAROUSEL", "cards": [card(samples[0], "lemon"), card(samples[1], "lime")]}
    return approved(road, "cakes", [BODY, carousel])


def address_of(talk: Conversation, template: MessageTemplate) -> str:
    return f"~/inbox/{talk.id}/templates/{template.id}"


def upload_all(road: Road) -> None:
    with tenant_scope(road.world.bakery.id):
        due = list(db.session.scalars(db.select(SampleUpload.id).where(SampleUpload.next_attempt_at <= now())))
    for id in due:
        upload_sample(road.world.bakery.id, str(id))


def go(road: Road) -> list[Json]:
    """What Meta has got after two rounds: one that begins the uploads, and one with the files there."""
    road.deliver()
    upload_all(road)
    road.deliver()
    return [json.loads(one["body"]) for one in road.meta.accepted()]


def pictures(content: Json) -> list[str]:
    (carousel,) = [part for part in content["components"] if part["type"] == "carousel"]
    return [one["components"][0]["parameters"][0]["image"]["id"] for one in carousel["cards"]]


def messages(road: Road) -> list[Message]:
    with tenant_scope(road.world.bakery.id):
        return list(db.session.scalars(db.select(Message).where(Message.direction == "outbound").order_by(Message.id)))


def test_a_carousel_is_filled_seen_and_sent_with_the_pictures_of_its_cards(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate, samples: list[str]
) -> None:
    page = ann.get(f"{address_of(talk, cakes)}?card-0-body-0-1=Carla", headers=FRAGMENT).text
    assert "The lemon for Carla only." in page and all(f"samples/{id}" in page for id in samples)
    assert ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT).status_code == 200
    (sent,) = go(road)
    first, second = pictures(sent)
    assert first and second and first != second
    link = sent["components"][-1]["cards"][1]["components"][2]
    assert (link["sub_type"], link["index"], link["parameters"][0]["text"]) == ("url", "1", "a%20b")
    road.until(lambda: {one.state for one in messages(road)} == {"delivered"})


def test_another_picture_of_a_card_takes_the_place_of_its_own(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate
) -> None:
    missing = {**VALUES, "card-1-body-0-1": "", "card-0-file": (io.BytesIO(picture("red")), "red.png")}
    answer = ann.post(address_of(talk, cakes), missing, headers=FRAGMENT, content_type="multipart/form-data")
    red = stored(road, "red")
    # What was uploaded is not asked for again.
    assert answer.status_code == 422 and f'name="card-0-sample" value="{red}"' in answer.text
    ann.post(address_of(talk, cakes), VALUES | {"card-0-sample": red}, headers=FRAGMENT)
    go(road)
    with tenant_scope(road.world.bakery.id):
        (message,) = messages(road)
        assert next(one["file"] for one in message.content["shown"]["cards"]) == red  # type: ignore[index]


@pytest.mark.parametrize(("data", "name", "words"), [(b"", "a.png", "is empty"), (b"GIF89a", "a.gif", "JPEG or PNG")])
def test_a_wrong_file_for_a_card_is_refused_in_words(
    ann: Browser, talk: Conversation, cakes: MessageTemplate, data: bytes, name: str, words: str
) -> None:
    given = {**VALUES, "card-0-file": (io.BytesIO(data), name)}
    answer = ann.post(address_of(talk, cakes), given, headers=FRAGMENT, content_type="multipart/form-data")
    assert answer.status_code == 422 and words in answer.text


def test_a_carousel_made_elsewhere_needs_a_picture_for_each_card(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate
) -> None:
    with tenant_scope(road.world.bakery.id):
        db.session.execute(db.delete(TemplateVersion))
    answer = ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    assert answer.status_code == 422 and "Card 1 has no picture or video" in answer.text


@pytest.mark.parametrize("id", ["a stranger's", "nobody's", "a video's", "<b>"])
def test_a_file_that_is_not_ours_goes_nowhere(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate, id: str
) -> None:
    if id == "a stranger's":
        with tenant_scope(road.world.shoes.id):
            id = str(TemplateSample.store("IMAGE", io.BytesIO(picture("blue")), "blue.png").id)
    elif id == "a video's":
        with tenant_scope(road.world.bakery.id):
            film = b"\0\0\0\x18ftypmp42" + bytes(100)
            id = str(TemplateSample.store("VIDEO", io.BytesIO(film), "film.mp4").id)
    elif id == "nobody's":
        id = str(uuid.uuid4())
    answer = ann.post(address_of(talk, cakes), VALUES | {"card-0-sample": id}, headers=FRAGMENT)
    # What is no id at all is passed over.
    assert (answer.status_code, len(messages(road))) == ((200, 1) if id == "<b>" else (422, 0))


def test_a_picture_is_uploaded_once_for_all_messages_of_a_number(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate
) -> None:
    ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    other = road.customer_writes(wa_id="16505550123", name="Cleo")
    ann.post(address_of(other, cakes), VALUES, headers=FRAGMENT)
    first, second = go(road)
    assert pictures(first) == pictures(second)
    with tenant_scope(road.world.bakery.id):
        assert {one.attempts for one in db.session.query(SampleUpload)} == {1}


def test_before_meta_deletes_a_picture_it_is_uploaded_again(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate
) -> None:
    ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    (before,) = go(road)
    with tenant_scope(road.world.bakery.id):
        for one in db.session.query(SampleUpload):
            one.uploaded_at = now() - UPLOAD_LIFETIME + dt.timedelta(hours=1)
    ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    after = go(road)[-1]
    assert set(pictures(before)).isdisjoint(pictures(after))


def test_a_picture_that_meta_has_lost_is_uploaded_again(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate
) -> None:
    ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    go(road)
    with tenant_scope(road.world.bakery.id):
        for one in db.session.query(SampleUpload):
            one.meta_id, one.uploaded_at = "123456789", now() - dt.timedelta(hours=1)
    ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    road.deliver()
    assert len(go(road)) == 2


def test_a_message_waits_while_meta_takes_no_file_and_says_so(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate, enqueued: Enqueued
) -> None:
    ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    road.meta.post("faults", edge="media", kind="accept-then-500")
    assert go(road) == []
    (message,) = messages(road)
    assert (message.state, message.attempts, message.error["kind"]) == ("queued", 0, "upload")  # type: ignore[index]
    with tenant_scope(road.world.bakery.id):
        db.session.execute(db.update(SampleUpload).values(next_attempt_at=now()))
    recover_waiting_uploads()
    assert "outbound.upload_sample" in enqueued.names
    assert len(go(road)) == 1


def test_a_picture_that_our_store_has_lost_fails_what_waits_for_it(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate
) -> None:
    ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    with tenant_scope(road.world.bakery.id):
        keys = [sample.storage_key for sample in db.session.query(TemplateSample)]
    for key in keys:
        outside().storage.delete(key)
    assert go(road) == []
    (message,) = messages(road)
    assert message.state == "failed" and "no longer in storage" in message.error["title"]  # type: ignore[index]


def test_a_photo_above_the_text_need_not_be_chosen_again(
    road: Road, ann: Browser, talk: Conversation, samples: list[str]
) -> None:
    template = approved(road, "opening", [header("IMAGE", samples[0]), BODY])
    assert "Without a file, the one in the preview is sent." in ann.get(address_of(talk, template)).text
    answer = ann.post(address_of(talk, template), {"client_id": str(uuid.uuid4())}, headers=FRAGMENT)
    assert answer.status_code == 200, answer.text
    (sent,) = go(road)
    assert sent["components"][0]["parameters"][0]["image"]["id"]
    page = ann.get(f"~/inbox/{talk.id}").text
    assert f"samples/{samples[0]}" in page


def test_a_document_is_chosen_for_each_customer(road: Road, ann: Browser, talk: Conversation) -> None:
    with tenant_scope(road.world.bakery.id):
        pdf = TemplateSample.store("DOCUMENT", io.BytesIO(b"%PDF-1.4\n" + bytes(50)), "sample.pdf")
    template = approved(road, "invoice", [header("DOCUMENT", str(pdf.id)), BODY])
    answer = ann.post(address_of(talk, template), {}, headers=FRAGMENT)
    assert answer.status_code == 422 and "starts with a file" in answer.text


def test_the_thread_shows_the_cards_that_were_sent(
    road: Road, ann: Browser, talk: Conversation, cakes: MessageTemplate, samples: list[str]
) -> None:
    ann.post(address_of(talk, cakes), VALUES, headers=FRAGMENT)
    page = ann.get(f"~/inbox/{talk.id}").text
    assert "The lemon for Carla only." in page and all(f"samples/{id}" in page for id in samples)


def test_a_payload_of_a_program_may_name_only_files_that_are_there(road: Road, talk: Conversation, cakes: Any) -> None:
    with tenant_scope(road.world.bakery.id):
        here, template = Conversation.get_or_404(talk.id), db.session.merge(cakes)
        outgoing = template.filled(VALUES, (), [str(uuid.uuid4()), ""])
        with pytest.raises(WrongTemplate):
            here.send(outgoing, by=Actor.system("api"), client_id=uuid.uuid4())
