"""Creating, changing, listing and measuring templates at Meta."""

import datetime as dt
import json
from typing import Any

import httpx
import pytest

from app.meta import template_calls as calls
from app.meta.errors import GraphError, Kind, NoAnswer, NotUploaded
from app.meta.graph import GraphClient
from app.meta.message_templates import Template
from app.meta.template_direct_send import (
    direct_send_body,
    is_blocked,
    is_not_enabled,
    problems_of_direct_send,
)
from app.meta.template_languages import LANGUAGES, fallbacks
from app.meta.template_promotion import lint_promotion

from .conftest import SECRET, TOKEN, Wire

BODY = [{"type": "BODY", "text": "Your order has been sent."}]
TEMPLATE = Template("order_sent", "en_US", "UTILITY", "", True, BODY, ttl=60)
LISTED = {
    "id": "57",
    "name": "order_sent",
    "language": "en_US",
    "status": "APPROVED",
    "category": "MARKETING",
    "parameter_format": "NAMED",
    "components": BODY,
    "previous_category": "UTILITY",
    "correct_category": "MARKETING",
    "sub_category": "CUSTOM",
    "quality_score": {"score": "GREEN", "date": 1718000000},
    "rejected_reason": "NONE",
    "message_send_ttl_seconds": 60,
    "library_template_name": "order_1",
    "cta_url_link_tracking_opted_out": True,
}


def test_a_template_is_created_as_it_is_defined(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"id": 57, "status": "APPROVED", "category": "MARKETING"})
    assert calls.create(graph, TOKEN, "102", TEMPLATE) == calls.Created("57", "APPROVED", "MARKETING")
    assert wire.json == {
        "name": "order_sent",
        "language": "en_US",
        "category": "UTILITY",
        "components": BODY,
        "parameter_format": "NAMED",
        "message_send_ttl_seconds": 60,
    }


def test_without_status_and_category_it_waits_in_its_own(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"id": "57"})
    assert calls.create(graph, TOKEN, "102", TEMPLATE) == calls.Created("57", "PENDING", "UTILITY")


def test_an_answer_without_an_id_is_none(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True})
    with pytest.raises(NoAnswer):
        calls.create(graph, TOKEN, "102", TEMPLATE)


def test_a_lost_create_is_settled_by_the_exact_name(graph: GraphClient, wire: Wire) -> None:
    others = [LISTED | {"id": "1", "name": "order_sent_2"}, LISTED | {"id": "2", "language": "en"}]
    wire.answers({"data": [*others, LISTED | {"language": "en-US"}]})
    settled = calls.find(graph, TOKEN, "102", "order_sent", "en_US")
    assert settled and settled.id == "57"
    assert wire.params["name"] == "order_sent"
    wire.answers({"data": others})
    assert calls.find(graph, TOKEN, "102", "order_sent", "en_US") is None


def test_an_edit_replaces_the_components_and_leaves_the_category(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True}, {"success": True})
    calls.edit(graph, TOKEN, "57", TEMPLATE)
    assert wire.json == {"components": BODY, "parameter_format": "NAMED", "message_send_ttl_seconds": 60}
    calls.edit(graph, TOKEN, "57", TEMPLATE, with_category=True)
    assert wire.json["category"] == "UTILITY"


def test_one_language_or_all_are_deleted(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True}, {"success": True})
    calls.delete(graph, TOKEN, "102", "order_sent")
    assert wire.params == {"name": "order_sent"}
    calls.delete(graph, TOKEN, "102", "order_sent", "57")
    assert wire.params == {"name": "order_sent", "hsm_id": "57"}


def test_a_template_comes_with_what_meta_thinks_of_it(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"data": [LISTED, {"name": "no id"}, "odd"]})
    (one,) = calls.templates_of(graph, TOKEN, "102")
    assert (one.id, one.template.name, one.template.ttl, one.template.is_named) == ("57", "order_sent", 60, True)
    assert (one.previous_category, one.correct_category, one.sub_category) == ("UTILITY", "MARKETING", "CUSTOM")
    assert (one.quality_score, one.quality_at) == ("GREEN", dt.datetime(2024, 6, 10, 6, 13, 20, tzinfo=dt.UTC))
    assert (one.rejected_reason, one.library_template_name, one.is_link_tracking_off) == (None, "order_1", True)
    assert not one.is_generated


@pytest.mark.parametrize("quality", [None, {}, {"score": 5, "date": "soon"}, {"date": -1}, {"date": 10**30}, "GREEN"])
def test_a_quality_of_any_shape_is_read(graph: GraphClient, wire: Wire, quality: Any) -> None:
    wire.answers({"data": [LISTED | {"quality_score": quality}]})
    (one,) = calls.templates_of(graph, TOKEN, "102")
    assert one.quality_at is None


def test_what_direct_send_made_is_listed_apart(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"data": [LISTED]})
    (one,) = calls.templates_of(graph, TOKEN, "102", source=calls.AUTO_GENERATED)
    assert one.is_generated and wire.params["source"] == "AUTO_GENERATED"
    wire.answers({"data": [LISTED | {"name": "auto_generated_text_1"}]})
    assert calls.templates_of(graph, TOKEN, "102")[0].is_generated


def test_one_template_is_fetched_by_its_id(graph: GraphClient, wire: Wire) -> None:
    wire.answers(LISTED)
    assert calls.fetch(graph, TOKEN, "57").template.status == "APPROVED"
    assert wire.request.url.path == "/v25.0/57"


FROM_LIBRARY = {
    "id": "7",
    "name": "delivery_update_1",
    "language": "en_US",
    "category": "UTILITY",
    "topic": "ORDER_MANAGEMENT",
    "usecase": "DELIVERY_UPDATE",
    "industry": ["E_COMMERCE"],
    "body": "Hi {{1}}, it is here.",
    "body_params": ["Jim"],
    "body_param_types": ["TEXT"],
    "buttons": [{"type": "URL", "text": "Track", "url": "https://www.example.com"}],
}


def test_metas_own_templates_are_searched_over_pages(graph: GraphClient, wire: Wire) -> None:
    first = {"data": [FROM_LIBRARY], "paging": {"cursors": {"after": "c"}, "next": "https://graph.test"}}
    wire.answers(first, {"data": [FROM_LIBRARY | {"name": "two", "industry": None}]})
    one, two = calls.library(graph, TOKEN, "delivery", "en_US", topic="ORDER_MANAGEMENT")
    assert (one.name, one.industries, one.body_params) == ("delivery_update_1", ("E_COMMERCE",), ("Jim",))
    assert (two.name, two.industries) == ("two", ())
    sent = wire.requests[0].url.params
    assert (sent["search"], sent["language"], sent["topic"]) == ("delivery", "en_US", "ORDER_MANAGEMENT")


def test_one_of_metas_own_is_taken_over(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"data": [FROM_LIBRARY]}, {"id": "57", "status": "APPROVED", "category": "UTILITY"})
    (chosen,) = calls.library(graph, TOKEN)
    inputs = [
        {"type": "URL", "url": {"base_url": "https://x.example/{{1}}", "url_suffix_example": "https://x.example/a"}}
    ]
    created = calls.create_from_library(
        graph, TOKEN, "102", "ours", chosen, body_inputs={"add_contact_number": True}, button_inputs=inputs
    )
    assert created.status == "APPROVED"
    assert json.loads(wire.json.pop("library_template_button_inputs", "null") or "null") == inputs
    assert {name: value for name, value in wire.json.items() if name != "library_template_button_inputs"} == {
        "name": "ours",
        "language": "en_US",
        "category": "UTILITY",
        "library_template_name": "delivery_update_1",
        "library_template_body_inputs": {"add_contact_number": True},
    }


SESSION = {"id": "upload:MTphd?sig=ARZ"}
HANDLE = {"h": "4::aW1h"}


def upload(graph: GraphClient) -> str:
    return calls.upload_sample(graph, TOKEN, "634974688087057", "cake.png", "image/png", b"0123456789")


def test_a_sample_is_uploaded_in_two_steps(graph: GraphClient, wire: Wire) -> None:
    wire.answers(SESSION, HANDLE)
    assert upload(graph) == "4::aW1h"
    begun, sent = wire.requests
    assert dict(begun.url.params)["file_length"] == "10" and dict(begun.url.params)["file_name"] == "cake.png"
    assert str(sent.url) == "https://graph.test/v25.0/upload:MTphd?sig=ARZ"
    assert sent.headers["file_offset"] == "0" and sent.headers["authorization"] == f"OAuth {TOKEN}"
    assert sent.content == b"0123456789"


def test_a_broken_upload_goes_on_where_it_broke(graph: GraphClient, wire: Wire) -> None:
    wire.answers(SESSION, httpx.ReadError("gone"), {"id": "upload:MTphd", "file_offset": "4"}, HANDLE)
    assert upload(graph) == "4::aW1h"
    assert wire.request.headers["file_offset"] == "4" and wire.request.content == b"456789"


def test_an_upload_whose_handle_was_lost_is_made_again(graph: GraphClient, wire: Wire) -> None:
    wire.answers(SESSION, httpx.ReadTimeout("slow"), {"file_offset": 10}, {"id": "upload:second"}, HANDLE)
    assert upload(graph) == "4::aW1h"
    assert wire.request.url.path.endswith("upload:second") and wire.request.content == b"0123456789"


def test_an_upload_that_breaks_again_and_again_ends_and_may_be_repeated(graph: GraphClient, wire: Wire) -> None:
    wire.answers(SESSION, *[httpx.ConnectError("away")] * 9)
    with pytest.raises(NotUploaded) as caught:
        upload(graph)
    assert caught.value.kind is Kind.RETRY and len(wire.requests) == 4


def test_a_refused_sample_is_not_sent_again(graph: GraphClient, wire: Wire) -> None:
    wire.answers(SESSION).refuses(code=100, message="bad file")
    with pytest.raises(GraphError):
        upload(graph)
    assert len(wire.requests) == 2


POINT = {
    "template_id": 1421988012088524,
    "start": 1718000000,
    "end": 1718086400,
    "sent": 3,
    "delivered": 2,
    "read": None,
    "clicked": [{"type": "url_button", "button_content": "Track", "count": 2}, "odd"],
    "cost": [{"type": "amount_spent", "value": 0.05}, {"type": "cost_per_delivered"}],
}


def test_figures_are_asked_for_ten_templates_at_once(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"data": [{"granularity": "DAILY", "data_points": [POINT, {"template_id": "1"}]}]}, {"data": []})
    start, end = dt.datetime(2024, 6, 10, tzinfo=dt.UTC), dt.datetime(2024, 6, 12, tzinfo=dt.UTC)
    (point,) = calls.analytics(graph, TOKEN, "102", [str(n) for n in range(11)], start, end)
    assert (point.template_id, point.sent, point.delivered, point.read) == ("1421988012088524", 3, 2, None)
    assert (point.clicked, point.cost) == ((calls.Clicks("url_button", "Track", 2),), {"amount_spent": 0.05})
    first, second = (request.url.params for request in wire.requests)
    assert first["template_ids"] == "[0,1,2,3,4,5,6,7,8,9]" and second["template_ids"] == "[10]"
    assert (first["start"], first["granularity"]) == ("1717977600", "daily")


def test_figures_are_turned_on(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"id": "102"})
    calls.enable_insights(graph, TOKEN, "102")
    assert wire.params == {"is_enabled_for_insights": "true"}


def test_a_pause_ends_or_meta_says_why_not(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True}, {"success": False, "reason": "Too early"})
    calls.unpause(graph, TOKEN, "57")
    with pytest.raises(GraphError) as caught:
        calls.unpause(graph, TOKEN, "57")
    assert caught.value.details == "Too early"


@pytest.mark.parametrize("failed", [{"2": "in use"}, [{"id": "2", "reason": "in use"}]])
def test_what_was_not_archived_or_copied_is_named(graph: GraphClient, wire: Wire, failed: Any) -> None:
    answer = {"archived_templates": ["1"], "failed_templates": failed}
    wire.answers(answer, answer, answer)
    assert calls.archive(graph, TOKEN, "102", ["1", "2"]) == {"2": "in use"}
    assert wire.json == {"hsm_ids": "1,2"} and wire.request.url.path == "/v25.0/102/message_templates/archive"
    assert calls.unarchive(graph, TOKEN, "102", ["1", "2"]) == {"2": "in use"}
    assert calls.migrate(graph, TOKEN, "103", "102", ["1", "2"]) == {"2": "in use"}
    assert wire.json == {"source_waba_id": "102", "template_ids": ["1", "2"]}


def test_archives_are_on_another_host_of_metas(wire: Wire) -> None:
    wire.answers({})
    transport = httpx.MockTransport(wire.handle)
    graph = GraphClient("https://graph.facebook.com/", "v25.0", "1", SECRET, transport=transport)
    calls.archive(graph, TOKEN, "102", ["1"])
    assert str(wire.request.url).startswith("https://api.facebook.com/102/message_templates/archive?")


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("pt_BR", ["pt_PT"]),
        ("pt_PT", ["pt_BR"]),
        ("pt", ["pt_BR", "pt_PT"]),
        ("en_GB", ["en_US", "en", "en_AE"]),
        ("en", ["en_US", "en_GB"]),
        ("en-US", ["en_US", "en"]),
        ("es_MX", ["es", "es_ES"]),
        ("fr_CA", ["fr", "fr_BE"]),
        ("ar", ["ar_EG"]),
        ("zh_HK", ["zh_TW", "zh_CN"]),
        ("de", ["de_AT"]),
        ("xx", []),
        ("", []),
    ],
)
def test_a_language_falls_back_to_its_relatives(code: str, first: list[str]) -> None:
    chain = fallbacks(code)
    assert chain[: len(first)] == first
    assert code not in chain and set(chain) <= set(LANGUAGES) and (chain or not first)


@pytest.mark.parametrize(
    ("words", "language", "results"),
    [
        ("Your order is here. Get 20% OFF your next one!", "en_US", ["20% OFF"]),
        ("Last chance: SHOP   NOW", "en", ["Last chance", "SHOP   NOW"]),
        ("Profitez de nos soldes d'été", "fr", ["Profitez", "soldes"]),
        ("Dernière chance", "fr_CA", ["Dernière chance"]),
        ("¡Aprovecha el descuento!", "es_MX", ["Aprovecha", "descuento"]),
        ("Última oportunidad", "es", ["Última oportunidad"]),
        ("Aproveite o frete grátis", "pt_BR", ["Aproveite", "frete grátis"]),
        ("احصل على خصم اليوم", "ar", ["خصم"]),
        ("تخفيضات كبيرة لفترة محدودة", "ar_EG", ["تخفيضات", "لفترة محدودة"]),
        ("عُرُوض اليوم", "ar", ["عُرُوض"]),
        ("Nur heute: Black Friday", "de", ["Black Friday"]),
        (
            "Sichern Sie sich 20 % Rabatt, nur für kurze Zeit",
            "de_AT",
            ["Sichern Sie sich", "Rabatt", "nur für kurze Zeit"],
        ),
        ("Räumungsverkauf: Jetzt bestellen", "de", ["Räumungsverkauf", "Jetzt bestellen"]),
    ],
)
def test_promotional_words_are_found_as_they_are_written(words: str, language: str, results: list[str]) -> None:
    assert lint_promotion(words, language) == results


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Your order {{1}} has been sent and arrives tomorrow.", "en"),
        ("Your appointment is confirmed. Reply to change it.", "en_GB"),
        ("The wholesale department called.", "en"),
        ("Votre rendez-vous est confirmé pour demain.", "fr"),
        ("Votre facture est disponible.", "fr"),
        ("Su pedido ha sido enviado.", "es"),
        ("Su pedido sale hoy. Hay novedades de la promotora.", "es"),
        ("Votre solde est de 100 €. La remise de votre colis est prévue demain.", "fr"),
        ("A liquidação da sua fatura foi registada, o saldo é zero.", "pt_PT"),
        ("Seu pagamento foi recebido.", "pt_BR"),
        ("Ihr Angebot liegt bereit. Die Gutschrift von 20 € ist unterwegs.", "de"),
        ("تم إرسال طلبك وسيصل غدا.", "ar"),
        ("", "en"),
        ("İİİ", "tr"),
    ],
)
def test_ordinary_news_is_no_promotion(words: str, language: str) -> None:
    assert lint_promotion(words, language) == []


TEXT = {"type": "text", "text": {"body": "Your order has been sent.", "preview_url": True}}


def test_direct_send_is_an_ordinary_body_with_a_category() -> None:
    plain = {"type": "text", "text": {"body": "Your order has been sent."}, "category": "utility"}
    assert direct_send_body(TEXT) == plain
    assert direct_send_body(TEXT, ttl=600) == {**plain, "ttl_seconds": 600}
    interactive = {"type": "interactive", "interactive": {"type": "button"}}
    assert direct_send_body(interactive, "authentication") == {**interactive, "category": "authentication"}


def interactive(count: int, title: str = "Yes", **more: Any) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": str(n), "title": title}} for n in range(count)]
    part = {"type": "button", "body": {"text": "Is this right?"}, "action": {"buttons": replies}}
    return {"type": "interactive", "interactive": part | more}


LINK: dict[str, Any] = {
    "type": "cta_url",
    "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://x.example"}},
}


@pytest.mark.parametrize("content", [TEXT, interactive(3), interactive(0, **LINK), {**TEXT, "ttl_seconds": 30}])
def test_what_direct_send_takes_is_accepted(content: Any) -> None:
    assert problems_of_direct_send(content, "en") == []


@pytest.mark.parametrize(
    ("content", "path", "kind"),
    [
        ({"type": "text", "text": {"body": "a" * 1025}}, "body", "too_long"),
        ({"type": "text", "text": {"body": " "}}, "body", "text_missing"),
        ({"type": "image", "image": {"id": "1"}}, "body", "direct_type"),
        ({"type": "interactive", "interactive": {"type": "list"}}, "body", "direct_type"),
        (interactive(4), "buttons", "buttons_of_kind"),
        (interactive(1, "a" * 21), "buttons.0.text", "too_long"),
        (interactive(1, header={"type": "text", "text": "a" * 61}), "header.text", "too_long"),
        (interactive(1, header={"type": "location"}), "header", "header_format"),
        (interactive(1, footer={"text": "a" * 61}), "footer", "too_long"),
        ({**TEXT, "ttl_seconds": 43_201}, "ttl", "ttl_range"),
        ({**TEXT, "ttl_seconds": 901, "category": "authentication"}, "ttl", "ttl_range"),
        ({"type": "text", "text": {"body": "Get 20% off today."}}, "body", "direct_promotional"),
        (interactive(1, header={"type": "text", "text": "Last chance"}), "body", "direct_promotional"),
    ],
)
def test_what_direct_send_refuses_is_refused(content: Any, path: str, kind: str) -> None:
    assert (path, kind) in {(problem.path, problem.kind) for problem in problems_of_direct_send(content, "en")}


@pytest.mark.parametrize(
    ("code", "words", "not_enabled", "blocked"),
    [
        (100, "Direct Send isn’t enabled for this account.", True, False),
        (100, "Direct Send is not enabled for this account", True, False),
        (100, "The time-to-live value must be lower than 43200", False, False),
        (131047, "Direct Send isn't enabled", False, False),
        (139200, "Direct Send utility access is blocked.", False, True),
    ],
)
def test_an_account_without_direct_send_is_recognised(
    graph: GraphClient, wire: Wire, code: int, words: str, not_enabled: bool, blocked: bool
) -> None:
    wire.refuses(code=code, message="Invalid parameter", error_data={"details": words})
    with pytest.raises(GraphError) as caught:
        graph.post("1/messages", token=TOKEN, json=direct_send_body(TEXT))
    assert (is_not_enabled(caught.value), is_blocked(caught.value)) == (not_enabled, blocked)


@pytest.mark.parametrize("code", [139200, 2388318, 2388330, 2388003, 2593002, 132000, 132001, 132005, 132012, 132018])
def test_every_code_of_templates_has_words(graph: GraphClient, wire: Wire, code: int) -> None:
    wire.refuses(code=100 if code > 2_000_000 else code, error_subcode=code, message="no")
    with pytest.raises(GraphError) as caught:
        calls.unpause(graph, TOKEN, "57")
    assert caught.value.kind in (Kind.HUMAN, Kind.FINAL)
    assert "don't know yet" not in caught.value.title
