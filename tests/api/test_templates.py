"""Templates by program: read, previewed, written, submitted, deleted."""

from __future__ import annotations

import io
import time
import uuid
from typing import Any

import pytest
from PIL import Image

from app.message_templates.figures import TemplateFigures
from app.message_templates.models import MessageTemplate
from app.message_templates.settings import TemplateSettings
from app.message_templates.versions import TemplateVersion
from app.team.models import Team
from app.tenancy import Actor, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller, MakeCaller
from tests.enqueued import Enqueued
from tests.inbox.test_first_messages import template
from tests.message_templates.templates import BODY, approved, drafted
from tests.simulated import Road
from tests.world import World

GOOD = {"type": "BODY", "text": "Hi {{1}}, your order has shipped today.", "example": {"body_text": [["Pablo"]]}}


def written(number: PhoneNumber, **more: Any) -> dict[str, Any]:
    body = {"waba_id": str(number.waba_id), "name": "order_update", "language": "en_US", "category": "UTILITY"}
    return body | {"components": [GOOD]} | more


def problem(answer: Any) -> dict[str, Any]:
    return dict(answer.get_json(force=True))


def pointers(answer: Any) -> list[str]:
    return [fault.get("pointer") for fault in problem(answer)["errors"]]


def test_they_are_listed_with_filters(shop: Caller, number: PhoneNumber) -> None:
    first = approved(number)
    second = approved(number, "offer", "de", category="MARKETING", status="REJECTED")
    gone = approved(number, "old", status="DELETED")

    def ids(query: str = "") -> list[str]:
        return [one["id"] for one in shop.get(f"/templates?{query}").json["data"]]  # type: ignore[index]

    assert set(ids()) == {str(first.id), str(second.id)}
    assert ids("filter[status]=DELETED") == [str(gone.id)]
    for query in ("filter[name]=off", "filter[category]=MARKETING", "filter[language]=de", "filter[status]=REJECTED"):
        assert ids(query) == [str(second.id)], query
    assert ids("filter[name]=_ffer") == [] and ids(f"filter[waba_id]={uuid.uuid4()}") == []
    assert len(ids(f"filter[phone_number_id]={number.id}")) == 2
    page = shop.get("/templates?limit=1").json
    assert page and len(ids(f"limit=1&after={page['next']}")) == 1


def test_a_rejected_one_says_why_and_what_to_change(shop: Caller, number: PhoneNumber) -> None:
    facts = {"reason": "INVALID_FORMAT", "detail": "The header has a bad link"}
    one = approved(number, status="REJECTED", status_facts=facts)
    given_facts = shop.get(f"/templates/{one.id}").json
    assert (
        given_facts
        and given_facts["rejection"]["reason"] == "INVALID_FORMAT"
        and "example" in given_facts["rejection"]["fix"]
    )
    assert given_facts["rejection"]["part"] == "header" and given_facts["components"] == [BODY]


def test_its_variables_are_described(shop: Caller, number: PhoneNumber) -> None:
    schema = shop.get(f"/templates/{approved(number).id}/schema").json
    assert schema and schema["required"] == ["first_name"]
    assert schema["properties"]["first_name"]["examples"] == ["Pablo"]


def test_what_meta_counted_is_summed(shop: Caller, number: PhoneNumber, world: World) -> None:
    one = approved(number)
    with tenant_scope(world.bakery.id):
        day = {"template_id": one.id, "day": now().date(), "sent": 3, "delivered": 2, "read": 1, "clicked": []}
        TemplateFigures.store([day])
    given_facts = shop.get(f"/templates/{one.id}/figures").json
    assert given_facts == {"days": 30, "sent": 3, "delivered": 2, "read": 1, "clicked": {}}


def test_a_preview_is_filled_in_and_priced(shop: Caller, number: PhoneNumber) -> None:
    path = f"/templates/{approved(number).id}/preview"
    shown = shop.post(path, {"variables": {"first_name": "Ada"}, "country": "DE"}).json
    assert shown and shown["body"].startswith("Hi Ada,") and shown["missing"] == []
    assert shown["price"]["category"] == "utility" and shown["price"]["text"]
    bare = shop.post(path, {}).json
    assert bare and (bare["missing"], bare["price"]) == (["first_name"], None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"variables": {"nope": "x"}}, "/variables/nope"),
        ({"country": "XX"}, "/country"),
        ({"phone": "12"}, "/phone"),
        ({"phone": "+49 30 901820", "country": "DE"}, ""),
        ({"extra": 1}, "/extra"),
    ],
)
def test_a_preview_of_nonsense_is_refused(
    shop: Caller, number: PhoneNumber, body: dict[str, Any], pointer: str
) -> None:
    answer = shop.post(f"/templates/{approved(number).id}/preview", body)
    assert answer.status_code == 422 and pointers(answer) == [pointer]


def test_a_draft_is_written_by_the_key(shop: Caller, number: PhoneNumber, world: World) -> None:
    answer = shop.post("/templates", written(number))
    assert answer.status_code == 201 and answer.json, answer.get_json(force=True)
    assert (answer.json["status"], answer.json["draft"]["state"]) == ("DRAFT", "draft")
    assert answer.json["draft"]["components"] == [GOOD] and answer.json["components"] == []
    assert shop.get(f"/templates/{answer.json['id']}/schema").json["required"] == ["1"]  # type: ignore[index]
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(uuid.UUID(answer.json["id"]))
        assert version and version.author == Actor("api", shop.key.id, "Shop")


URL = {"type": "URL", "text": "Open", "url": "nonsense"}
CARD = {"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "A nice loaf of bread."}]}
WRONG = [
    ({"name": "Bad Name"}, "/name"),
    ({"language": "xx"}, "/language"),
    ({"category": "NEWS"}, "/category"),
    ({"components": []}, "/components"),
    ({"components": [{"type": "BODY", "text": "x" * 1025}]}, "/components/0/text"),
    ({"components": [GOOD, {"type": "FOOTER", "text": "x" * 61}]}, "/components/1/text"),
    ({"components": [GOOD, {"type": "BUTTONS", "buttons": [URL]}]}, "/components/1/buttons/0/url"),
    ({"components": [{"type": "HEADER", "format": "IMAGE"}, GOOD]}, "/components/0/example"),
    ({"components": [{"type": "NOPE"}, GOOD]}, "/components/0"),
    ({"components": [GOOD, {"type": "CAROUSEL", "cards": [CARD, CARD]}], "category": "MARKETING"}, "/components/1"),
    ({"waba_id": str(uuid.uuid4())}, "/waba_id"),
    ({"extra": 1}, "/extra"),
    ({"validity_seconds": 5}, "/validity_seconds"),
]


@pytest.mark.parametrize(("change", "pointer"), WRONG, ids=[str(place) for place in range(len(WRONG))])
def test_each_part_that_meta_would_refuse_is_pointed_at(
    shop: Caller, number: PhoneNumber, change: dict[str, Any], pointer: str
) -> None:
    answer = shop.post("/templates", written(number) | change)
    assert answer.status_code == 422
    assert pointers(answer)[0].startswith(pointer), problem(answer)
    assert shop.get("/templates").json == {"data": [], "next": None}


@pytest.mark.parametrize(
    "components",
    [
        [{"type": "BODY", "text": "{{" * 90_000}],
        [{"type": "BODY", "text": {"a": []}}],
        [{"type": None, "text": 5}, {"type": "BUTTONS", "buttons": "x"}],
        [{"type": "CAROUSEL", "cards": [None, 3, {"components": [[], {"type": "HEADER", "example": []}]}]}],
        [{"type": "BUTTONS", "buttons": [{"type": "URL", "text": "a", "url": "x"}] * 4000}],
        [{"type": "HEADER", "format": ["IMAGE"], "example": {"sample": {"a": 1}}}],
        [{"type": "BODY", "text": "x" * 300_000}],
    ],
    ids=range(7),
)
def test_hostile_components_are_refused_quickly(shop: Caller, number: PhoneNumber, components: list[Any]) -> None:
    begun = time.process_time()
    answer = shop.post("/templates", written(number) | {"components": components})
    assert answer.status_code == 422 and pointers(answer)
    assert time.process_time() - begun < 1.0


def test_a_name_is_taken_once(shop: Caller, number: PhoneNumber) -> None:
    shop.post("/templates", written(number))
    answer = shop.post("/templates", written(number))
    assert (answer.status_code, problem(answer)["code"]) == (409, "name_taken")


def test_a_draft_is_changed_unless_somebody_else_was_faster(shop: Caller, number: PhoneNumber) -> None:
    made = shop.post("/templates", written(number)).json
    assert made
    path = f"/templates/{made['id']}"
    tag = shop.get(path).headers["ETag"]
    changed = shop.patch(path, {"name": "order_sent", "category": "MARKETING"}, If_Match=tag)
    assert changed.json and (changed.json["name"], changed.json["category"]) == ("order_sent", "MARKETING")
    late = shop.patch(path, {"name": "other"}, If_Match=tag)
    assert (late.status_code, problem(late)["code"]) == (412, "changed_meanwhile")
    wrong = shop.patch(path, {"components": [{"type": "BODY", "text": ""}]})
    assert wrong.status_code == 422 and pointers(wrong)[0].startswith("/components/0")


def test_what_meta_has_gets_another_draft(shop: Caller, number: PhoneNumber) -> None:
    one = approved(number, parameter_format="POSITIONAL", components=[GOOD])
    text = GOOD | {"text": "Hi {{1}}, your order is on its way."}
    changed = shop.patch(f"/templates/{one.id}", {"components": [text]}).json
    assert changed and changed["components"] == [GOOD] and changed["draft"]["components"] == [text]
    renamed = shop.patch(f"/templates/{one.id}", {"name": "other"})
    assert problem(renamed)["code"] == "not_editable"


def test_it_is_submitted(shop: Caller, number: PhoneNumber, enqueued: Enqueued) -> None:
    made = shop.post("/templates", written(number)).json
    answer = shop.post(f"/templates/{made['id']}/submission")  # type: ignore[index]
    assert answer.status_code == 202 and answer.json and answer.json["draft"]["state"] == "submitting"
    assert "message_templates.submit" in enqueued.names
    changed = shop.patch(f"/templates/{answer.json['id']}", {"name": "other"})
    assert problem(changed)["code"] == "not_editable"


def test_an_owner_approves_it_first_where_the_business_wants_that(
    shop: Caller, number: PhoneNumber, world: World, enqueued: Enqueued
) -> None:
    with tenant_scope(world.bakery.id):
        TemplateSettings.change(needs_approval=True)
    made = shop.post("/templates", written(number)).json
    answer = shop.post(f"/templates/{made['id']}/submission").json  # type: ignore[index]
    assert answer and answer["draft"]["state"] == "awaiting"
    assert "message_templates.submit" not in enqueued.names


def test_there_is_nothing_to_submit(shop: Caller, number: PhoneNumber) -> None:
    answer = shop.post(f"/templates/{approved(number).id}/submission")
    assert (answer.status_code, problem(answer)["code"]) == (409, "not_editable")


def test_a_draft_is_deleted(shop: Caller, number: PhoneNumber) -> None:
    made = shop.post("/templates", written(number)).json
    assert shop.delete(f"/templates/{made['id']}").status_code == 204  # type: ignore[index]
    assert shop.get(f"/templates/{made['id']}").status_code == 404  # type: ignore[index]


def test_one_that_a_key_sends_is_in_use(shop: Caller, number: PhoneNumber, world: World) -> None:
    hello = template(world, number.waba_id)
    part = {"id": str(hello.id), "variables": {"1": "Hanna"}}
    shop.post("/messages", {"type": "template", "to": {"phone": "+49 151 12345678"}, "template": part})
    with tenant_scope(world.bakery.id):
        (use,) = MessageTemplate.get_or_404(hello.id).uses
    assert (use.kind, use.name) == ("API key", "Shop") and use.at
    answer = shop.delete(f"/templates/{hello.id}")
    assert (answer.status_code, problem(answer)["code"]) == (409, "template_in_use")
    assert problem(answer)["errors"][0]["detail"] == "API key: Shop"


def test_one_at_meta_is_deleted_there(road: Road, caller: MakeCaller) -> None:
    shop, one = caller(), drafted(road.number, road.world.ann)
    with tenant_scope(road.world.bakery.id):
        row = MessageTemplate.get_or_404(one.id)
        row.meta_id, row.status, row.components = "404404", "APPROVED", [BODY]
    answer = shop.delete(f"/templates/{one.id}?force=true")
    assert (answer.status_code, problem(answer)["code"]) == (409, "meta_refused")
    assert problem(answer)["meta"]["code"]


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "tan").save(file, "PNG")
    return file.getvalue()


def test_a_header_has_a_sample_that_was_uploaded(shop: Caller, number: PhoneNumber) -> None:
    path = "/template-samples?format=IMAGE&filename=a.png"
    first, second = (shop.call("POST", path, picture(), Content_Type="image/png") for _ in range(2))
    assert first.status_code == 201 and first.json and first.json == second.json
    header = {"type": "HEADER", "format": "IMAGE", "example": {"sample": first.json["id"]}}
    answer = shop.post("/templates", written(number) | {"components": [header, GOOD]})
    assert answer.status_code == 201, answer.get_json(force=True)


@pytest.mark.parametrize(("data", "format"), [(b"", "IMAGE"), (picture(), "VIDEO"), (b"%PDF-", "IMAGE")])
def test_a_wrong_sample_is_refused(shop: Caller, data: bytes, format: str) -> None:
    answer = shop.call("POST", f"/template-samples?format={format}", data, Content_Type="image/png")
    assert (answer.status_code, problem(answer)["code"]) == (422, "unacceptable_sample")


CALLS = [
    ("GET", "", None),
    ("GET", "/schema", None),
    ("GET", "/figures", None),
    ("POST", "/preview", {}),
    ("PATCH", "", {"name": "x"}),
    ("POST", "/submission", None),
    ("DELETE", "", None),
]


def test_the_neighbour_finds_nothing(caller: MakeCaller, world: World, number: PhoneNumber) -> None:
    theirs, one = caller(world.shoes), approved(number)
    for method, path, body in CALLS:
        assert theirs.call(method, f"/templates/{one.id}{path}", body).status_code == 404, path
    assert theirs.get("/templates").json == {"data": [], "next": None}
    assert pointers(theirs.post("/templates", written(number))) == ["/waba_id"]


def test_a_teams_key_reaches_the_accounts_of_its_numbers(caller: MakeCaller, number: PhoneNumber, world: World) -> None:
    with tenant_scope(world.bakery.id):
        team = Team(name="Cakes")
        db.session.add(team)
    theirs, one = caller(kind="team", team_id=team.id), approved(number)
    for method, path, body in CALLS:
        assert theirs.call(method, f"/templates/{one.id}{path}", body).status_code == 404, path


def test_each_call_needs_its_scope(caller: MakeCaller, number: PhoneNumber) -> None:
    one, unscoped, reader = approved(number), caller(scopes=[]), caller(scopes=["templates:read"])
    for method, path, body in CALLS:
        assert unscoped.call(method, f"/templates/{one.id}{path}", body).status_code == 403
    for method, path, body in CALLS[4:]:
        assert reader.call(method, f"/templates/{one.id}{path}", body).status_code == 403
    assert reader.post("/templates", written(number)).status_code == 403
