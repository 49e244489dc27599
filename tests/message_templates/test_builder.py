"""Writing a template: the form, its preview, what is wrong with it, saving and submitting."""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from app.inbox.compose.macros import Macro
from app.message_templates.forms import name_from
from app.message_templates.models import MessageTemplate
from app.message_templates.settings import TemplateSettings
from app.message_templates.versions import Content, TemplateVersion
from app.tenancy import Actor, Role, db, now, tenant_scope
from app.tenancy.models import admit
from app.wabas.models import PhoneNumber
from tests.client import FRAGMENT, Browser, isolated
from tests.cpu import Meter
from tests.hostile import TEXTS
from tests.message_templates.templates import BODY, FORM, TEXT, approved, drafted, templates_of
from tests.world import World, person
from tests.world import number as another_number

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


def form(number: PhoneNumber, **more: str) -> dict[str, str]:
    return FORM | {"waba_id": str(number.waba_id)} | more


def version_of(template: MessageTemplate) -> TemplateVersion:
    with tenant_scope(template.tenant_id):
        results = db.session.scalar(TemplateVersion.of(template.id))
    assert results
    return results


def text_of(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def value_in(page: str, name: str) -> str | None:
    results = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*value="([^"]*)"', page)
    return results[1] if results else None


def test_what_is_written_becomes_metas_components(ann: Browser, world: World, number: PhoneNumber) -> None:
    answer = ann.post("~/templates/", form(number, **{"header.format": "TEXT", "header.text": "Your order"}))
    template = templates_of(world.bakery)[0]
    assert answer.headers["Location"].endswith(f"/templates/{template.id}/draft")
    assert (template.name, template.language, template.status) == ("order_update", "en_US", "DRAFT")
    assert version_of(template).components == [{"type": "HEADER", "format": "TEXT", "text": "Your order"}, BODY]


def test_a_saved_draft_comes_back_as_it_was_typed(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = drafted(number, world.ann)
    page = text_of(ann.get(f"~/templates/{template.id}/draft"))
    assert TEXT in page and value_in(page, "body.examples.first_name") == "Pablo"


def test_a_problem_is_at_the_field_it_is_about(ann: Browser, number: PhoneNumber) -> None:
    answer = ann.post("~/templates/", form(number, body="Hi {{first_name}}", then="submit"))
    page = text_of(answer)
    assert answer.status_code == 422
    assert re.search(r'id="t-body"[^>]*aria-invalid="true"[^>]*aria-describedby="t-body-hint t-body-problem"', page)
    problems = page.partition('id="t-body-problem"')[2].partition("</div>")[0]
    assert "{{first_name}}" in problems


def test_a_problem_does_not_prevent_saving_a_draft(ann: Browser, world: World, number: PhoneNumber) -> None:
    ann.post("~/templates/", form(number, body="Hi {{first_name}}"))
    assert len(templates_of(world.bakery)) == 1


def test_nothing_is_missing_while_one_writes(ann: Browser, number: PhoneNumber) -> None:
    unfinished = form(number, name="", body="", **{"header.format": "IMAGE"})
    page = text_of(ann.post("~/templates/new", unfinished, headers=FRAGMENT))
    assert "problem-line" not in page
    assert text_of(ann.post("~/templates/", unfinished)).count("problem-line") >= 3


def test_a_warning_is_no_error(ann: Browser, world: World, number: PhoneNumber) -> None:
    words = "Hi {{first_name}}, see https://bit.ly/abc for the news about your order and more."
    page = text_of(ann.post("~/templates/new", form(number, body=words), headers=FRAGMENT))
    assert 'class="remark"' in page and "problem-line" not in page
    ann.post("~/templates/", form(number, body=words, then="submit"))
    assert version_of(templates_of(world.bakery)[0]).state == "submitting"


@pytest.mark.parametrize(
    ("footer", "status", "is_twin"), [("", "APPROVED", True), ("Bye", "APPROVED", False), ("", "REJECTED", False)]
)
def test_of_another_template_with_the_same_words_one_is_warned(
    ann: Browser, number: PhoneNumber, footer: str, status: str, is_twin: bool
) -> None:
    other = approved(number, "parcel_update", status=status)
    written = form(number, footer=footer)
    assert ("parcel_update has the same text" in text_of(ann.post("~/templates/new", written))) is is_twin
    edited = text_of(ann.post(f"~/templates/{other.id}/draft", FORM | {"checked": "1", "action": "x"}))
    assert "has the same text" not in edited


@pytest.mark.parametrize(
    ("category", "shown", "hidden"),
    [
        ("UTILITY", "header.format", "layout"),
        ("MARKETING", "layout", "otp.text"),
        ("AUTHENTICATION", "otp.text", "body.examples"),
    ],
)
def test_the_form_has_what_the_category_allows(
    ann: Browser, number: PhoneNumber, category: str, shown: str, hidden: str
) -> None:
    page = text_of(ann.post("~/templates/new", form(number, category=category), headers=FRAGMENT))
    fields = set(re.findall(r'<(?:select|textarea|input(?! type="hidden"))[^>]*name="([^"]+)"', page))
    assert shown in fields and not any(name.startswith(hidden) for name in fields)


def test_what_was_typed_survives_another_category(ann: Browser, number: PhoneNumber) -> None:
    page = text_of(ann.post("~/templates/new", form(number, category="AUTHENTICATION", footer="Bye"), headers=FRAGMENT))
    assert value_in(page, "footer") == "Bye" and value_in(page, "body.examples.first_name") == "Pablo"


@pytest.mark.parametrize(("language", "is_other"), [("pt_BR", True), ("en_GB", False)])
def test_of_a_code_in_another_language_the_preview_says_that_it_is_english(
    ann: Browser, number: PhoneNumber, language: str, is_other: bool
) -> None:
    written = form(number, category="AUTHENTICATION", language=language)
    page = text_of(ann.post("~/templates/new", written, headers=FRAGMENT))
    assert ("Here you see it in English" in page) is is_other


def test_buttons_are_added_moved_and_removed_without_script(ann: Browser, number: PhoneNumber) -> None:
    two = {"buttons.0.type": "QUICK_REPLY", "buttons.0.text": "Yes", "buttons.1.type": "URL", "buttons.1.text": "Go"}
    added = text_of(ann.post("~/templates/new", form(number, **two, action="add:buttons", new_button="PHONE_NUMBER")))
    assert value_in(added, "buttons.2.type") == "PHONE_NUMBER" and added.lstrip().startswith("<!doctype")
    moved = text_of(ann.post("~/templates/new", form(number, **two, action="down:buttons.0")))
    assert value_in(moved, "buttons.1.text") == "Yes" and value_in(moved, "buttons.0.type") == "URL"
    assert re.search(r'value="up:buttons.1"[^>]*autofocus', moved)
    removed = text_of(ann.post("~/templates/new", form(number, **two, action="remove:buttons.0")))
    assert value_in(removed, "buttons.0.text") == "Go" and value_in(removed, "buttons.1.text") is None


def test_only_fields_of_the_template_travel_along(ann: Browser, number: PhoneNumber) -> None:
    answer = ann.post(
        "~/templates/new", form(number, action="add:buttons", then="submit", strange="y"), headers=FRAGMENT
    )
    hidden = re.findall(r'type="hidden" name="([^"]+)"', text_of(answer))
    assert answer.status_code == 200 and "buttons.0.type" in hidden
    assert not {"action", "then", "strange"} & set(hidden)


def test_the_opt_out_goes_to_the_other_quick_replies_and_into_the_footer(ann: Browser, number: PhoneNumber) -> None:
    link = {"buttons.0.type": "QUICK_REPLY", "buttons.0.text": "Yes", "buttons.1.type": "URL", "buttons.1.text": "Go"}
    page = text_of(ann.post("~/templates/new", form(number, **link, category="MARKETING", action="opt_out")))
    assert [value_in(page, f"buttons.{n}.text") for n in range(3)] == ["Yes", "Stop promotions", "Go"]
    assert "Stop promotions" in (value_in(page, "footer") or "")


def test_a_carousel_begins_with_two_cards_of_one_shape(ann: Browser, number: PhoneNumber) -> None:
    requested = form(number, category="MARKETING", layout="carousel", **{"cards.0.header.format": "VIDEO"})
    page = text_of(ann.post("~/templates/new", requested | {"action": "add:cards"}, headers=FRAGMENT))
    assert [value_in(page, f"cards.{n}.header.format") for n in (1, 2, 3)] == ["VIDEO", "VIDEO", None]


def test_the_preview_fills_in_the_examples_and_folds_many_buttons(ann: Browser, number: PhoneNumber) -> None:
    buttons = {f"buttons.{n}.type": "QUICK_REPLY" for n in range(4)} | {
        f"buttons.{n}.text": f"No {n}" for n in range(4)
    }
    page = text_of(ann.post("~/templates/new", form(number, **buttons), headers=FRAGMENT))
    preview = page.partition('class="phone"')[2]
    assert "Hi Pablo, your order" in preview and "See all options" in preview


def test_a_sample_is_stored_shown_and_named_in_the_version(ann: Browser, world: World, number: PhoneNumber) -> None:
    file = {"header.file": (io.BytesIO(PNG), "shop.png")}
    page = text_of(ann.post("~/templates/new", form(number, **{"header.format": "IMAGE"}) | file, headers=FRAGMENT))
    id = value_in(page, "header.sample")
    assert id and ann.get(f"~/templates/samples/{id}").data == PNG
    ann.post("~/templates/", form(number, **{"header.format": "IMAGE", "header.sample": id}))
    assert version_of(templates_of(world.bakery)[0]).components[0]["example"] == {"sample": id}


@pytest.mark.parametrize(("data", "words"), [(b"", "is empty"), (b"GIF89a", "a JPEG or PNG")])
def test_a_wrong_sample_is_refused_in_words(ann: Browser, number: PhoneNumber, data: bytes, words: str) -> None:
    file = {"header.file": (io.BytesIO(data), "shop.png")}
    page = text_of(ann.post("~/templates/new", form(number, **{"header.format": "IMAGE"}) | file, headers=FRAGMENT))
    assert words in page.partition('id="t-header-example-problem"')[2].partition("</div>")[0]


def test_a_sample_of_others_is_none(ann: Browser, app: Flask, world: World, number: PhoneNumber) -> None:
    sue = Browser(app, tenant="shoes").signed_in_as(world.sue)
    file = {"header.file": (io.BytesIO(PNG), "shoe.png")}
    page = text_of(sue.post("~/templates/new", FORM | {"header.format": "IMAGE"} | file, headers=FRAGMENT))
    id = value_in(page, "header.sample") or ""
    assert ann.get(f"~/templates/samples/{id}").status_code == 404
    mine = text_of(ann.post("~/templates/new", form(number, **{"header.format": "IMAGE", "header.sample": id})))
    assert id and id not in mine


def test_submitting_sends_it_on_its_way(ann: Browser, world: World, number: PhoneNumber) -> None:
    assert ann.post("~/templates/", form(number, then="submit")).status_code == 303
    assert version_of(templates_of(world.bakery)[0]).state == "submitting"


def test_where_owners_approve_an_admin_sends_it_to_them(app: Flask, world: World, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        TemplateSettings.change(needs_approval=True)
        admit(ada := person("ada"), Role.ADMIN)
    browser = Browser(app, tenant="bakery").signed_in_as(ada)
    assert "Send for approval" in text_of(browser.get("~/templates/new"))
    browser.post("~/templates/", form(number, then="submit"))
    assert version_of(templates_of(world.bakery)[0]).state == "awaiting"


def test_a_taken_name_is_an_error_at_the_name(ann: Browser, world: World, number: PhoneNumber) -> None:
    approved(number)
    answer = ann.post("~/templates/", form(number))
    assert answer.status_code == 422
    assert "Choose another name" in text_of(answer).partition('id="t-name-problem"')[2].partition("</div>")[0]


def test_a_name_in_plain_words_is_spelled_as_meta_needs_it(ann: Browser, world: World, number: PhoneNumber) -> None:
    ann.post("~/templates/", form(number) | {"name": "Bestellung für  Große-Kunden"})
    assert templates_of(world.bakery)[0].name == "bestellung_fur_grosse_kunden"
    answer = ann.post("~/templates/", form(number, then="submit") | {"name": "طلب"})
    assert answer.status_code == 422
    assert "Use only small letters a to z" in text_of(answer)


def test_a_second_click_makes_no_second_template(ann: Browser, world: World, number: PhoneNumber) -> None:
    for _ in range(2):
        assert ann.post("~/templates/", form(number, then="submit")).status_code == 303
    assert len(templates_of(world.bakery)) == 1


def test_who_saves_second_sees_what_the_first_has_written(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = drafted(number, world.ann)
    theirs = Content("UTILITY", True, [{"type": "BODY", "text": "Theirs."}])
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(template.id)
        assert version
        version.save(theirs, revision=1, by=Actor.agent(world.ben))
    mine = form(number, body="Mine.", revision="1")
    answer = ann.post(f"~/templates/{template.id}/draft", mine)
    page = text_of(answer)
    assert answer.status_code == 409 and "Saved by Ben" in page and "Theirs." in page and "Mine." in page
    assert value_in(page, "revision") == "2"
    assert ann.post(f"~/templates/{template.id}/draft", mine | {"revision": "2"}).status_code == 303
    assert version_of(template).components[0]["text"] == "Mine."


def test_an_approved_template_is_changed_by_another_version(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = approved(number)
    ann.post(f"~/templates/{template.id}/draft", form(number, body="Another text for all.", then="submit"))
    assert version_of(template).is_edit and templates_of(world.bakery)[0].components == [BODY]


def test_the_limit_of_edits_is_shown_before_one_writes(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = approved(number)
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.begin(template.id, template.content, by=None)
        version.state, version.number, version.is_edit, version.submitted_at = "approved", 1, True, now()
    page = text_of(ann.get(f"~/templates/{template.id}/draft"))
    assert "once a day. Next time:" in page and "Submit to Meta" not in page


def test_what_a_change_would_break_is_named_while_one_writes_and_agreed_to_there(
    ann: Browser, world: World, number: PhoneNumber
) -> None:
    whole = [{"type": "BODY", "text": "Your order is ready. You can pick it up in the shop until six."}]
    template = approved(number, components=whole)
    with tenant_scope(world.bakery.id):
        macro = Macro(name="Ready to collect", template_name=template.name, template_language=template.language)
        db.session.add(macro)
    address, typed = f"~/templates/{template.id}/draft", form(number)
    page = text_of(ann.post(f"{address}/form", typed, headers=FRAGMENT))
    assert "Ready to collect" in page and 'name="breaks_uses"' in page
    assert "Ready to collect" not in text_of(ann.post(f"{address}/form", typed | {"body": whole[0]["text"]}))
    ann.post(address, typed | {"then": "submit"})
    assert version_of(template).state == "draft"
    revision = str(version_of(template).revision)
    ann.post(address, typed | {"then": "submit", "breaks_uses": "1", "revision": revision})
    assert version_of(template).state == "submitting"


def test_languages_whose_variables_differ_are_named(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = approved(number)
    other = {"type": "BODY", "text": "Bonjour {{nom}}, votre commande a été expédiée."}
    approved(number, language="fr", components=[other])
    approved(number, language="de")
    page = text_of(ann.get(f"~/templates/{template.id}/draft"))
    notice = page.partition("Other variables, files or quick replies than here:")[2].partition("</span>")[0]
    assert "French" in notice and "German" not in notice


def test_a_copy_has_the_variables_and_examples_of_the_original(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = drafted(number, world.ann)
    page = text_of(ann.get(f"~/templates/new?copy={template.id}&language=fr"))
    assert TEXT in page and value_in(page, "body.examples.first_name") == "Pablo"
    assert re.search(r'<option value="fr"\s+selected', page) and value_in(page, "name") == "order_update"


def test_a_copy_goes_to_another_account(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = drafted(number, world.ann)
    second = another_number(world.bakery, "302290129340398", "306540352242922", "+1 555 078 3883")
    page = text_of(ann.get(f"~/templates/new?copy={template.id}&language=en_US&account={second.waba_id}"))
    assert re.search(rf'<option value="{second.waba_id}"\s+selected', page)
    ann.post("~/templates/", form(second))
    assert {one.waba_id for one in templates_of(world.bakery)} == {number.waba_id, second.waba_id}


def test_a_template_that_meta_has_deleted_is_not_submitted(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = approved(number, status="DELETED")
    assert "Submit to Meta" not in text_of(ann.get(f"~/templates/{template.id}/draft"))
    ann.post(f"~/templates/{template.id}/draft", form(number, body="Another text for all.", then="submit"))
    assert version_of(template).state == "draft"


def test_a_discarded_draft_that_meta_never_had_is_gone(ann: Browser, world: World, number: PhoneNumber) -> None:
    template = drafted(number, world.ann)
    ann.post(f"~/templates/{template.id}/draft/removal")
    assert templates_of(world.bakery) == []


@pytest.mark.parametrize("pattern", ["marks", "mixed marks", "unpaired", "code", "links", "bare links", "lines", "one"])
@pytest.mark.parametrize("category", ["MARKETING", "UTILITY"])
def test_a_hostile_form_costs_little(ann: Browser, number: PhoneNumber, pattern: str, category: str) -> None:
    """Everything as long as the form takes it, and as many rows as it takes."""
    words = TEXTS.get(pattern, "{{a}} {{b}} x{{c}}" * 400)[:4_000]
    typed = form(number, category=category, body=words, checked="1", layout="carousel", footer=words)
    typed |= {"header.format": "TEXT", "header.text": words, "parts.rest": "[" * 60_000}
    for n in range(20):
        typed |= {f"buttons.{n}.type": "URL", f"buttons.{n}.text": words, f"buttons.{n}.url": words}
        typed |= {f"cards.{n}.body": words, f"cards.{n}.buttons.0.type": "URL", f"cards.{n}.buttons.0.url": words}
    typed |= {f"body.examples.{n}": words for n in range(40)}
    # A browser writes the form, so that is not of what the request costs.
    form_data, kind = urlencode(typed | {"csrf_token": isolated(ann.csrf_token)}), "application/x-www-form-urlencoded"
    meter = Meter()

    def request() -> None:
        response = isolated(ann.client.post, ann.at("~/templates/new"), data=form_data, content_type=kind)
        assert response.status_code == 200

    assert meter.seconds(request) < meter.most


@pytest.mark.parametrize(
    "typed",
    [
        {"header.format": "IMAGE", "header.sample": "x"},
        {"header.format": "IMAGE", "header.rest": '{"example": {"sample": "x"}}'},
        {"parts.rest": '[{"type": "HEADER", "example": {"sample": 1}}, 1, null]'},
        {"buttons.0.type": "QUICK_REPLY", "buttons.0.rest": "{", "buttons.99.type": "URL"},
        {"buttons.0.type": "FLOW", "buttons.0.ttl_minutes": "x", "buttons.0.rest": '{"type": 5, "text": []}'},
        {"category": "NONE", "layout": "NONE", "language": "xx", "waba_id": "1"},
        {"category": "AUTHENTICATION", "footer.code_expiration_minutes": "١٢", "ttl": "1e9"},
        {"category": "MARKETING", "layout": "carousel", "cards.0.header.format": "TEXT", "action": "remove:cards.0"},
        {"revision": "9" * 30, "action": "up:buttons.٣"},
        {"parts.rest": '[{"type": "CAROUSEL", "cards": ["x", {"components": [1, "x"]}]}]'},
        {"body.rest": '{"cards": ["x"], "text": {"a": 1}, "example": "x"}'},
        {"buttons.0.type": "URL", "buttons.rest": '{"buttons": "x", "type": "CAROUSEL", "cards": [[]]}'},
        {"header.format": "TEXT", "header.text": "A", "header.rest": '{"example": {"sample": {"a": []}}}'},
    ],
)
@pytest.mark.parametrize("address", ["~/templates/new", "~/templates/"])
def test_nonsense_is_answered(ann: Browser, number: PhoneNumber, address: str, typed: dict[str, str]) -> None:
    assert ann.post(address, form(number) | typed, headers=FRAGMENT).status_code in (200, 303, 422)


def test_a_name_of_letters_that_are_many_costs_little() -> None:
    meter = Meter()
    assert meter.seconds(lambda: name_from("\ufdfa" * 160_000)) < meter.most / 10
    assert len(name_from("\ufdfa" * 160_000)) > 512
