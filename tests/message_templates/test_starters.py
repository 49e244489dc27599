"""The gallery keeps to Meta's rules for template texts, in every language."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from app.message_templates.starters import LANGUAGES, STARTERS, TRADES, USES, Starter, starter_named

Components = list[dict[str, Any]]

TEXTS = [
    pytest.param(starter, language, id=f"{starter.key}-{language}") for starter in STARTERS for language in LANGUAGES
]
EACH = [pytest.param(starter, id=starter.key) for starter in STARTERS]
VARIABLE = re.compile(r"\{\{(\w+)\}\}")
STOP = {
    "en_US": ("Stop promotions", "STOP"),
    "fr": ("Arrêter les promotions", "STOP"),
    "es": ("Detener promociones", "BAJA"),
    "pt_BR": ("Parar promoções", "SAIR"),
    "de": ("Keine Werbung mehr", "STOP"),
    "ar": ("إيقاف العروض", "إيقاف"),
}
# What stops one search and nothing else, of the digest of new listings.
STOP_ALERTS = {
    "en_US": "Stop alerts",
    "fr": "Arrêter les alertes",
    "es": "Detener alertas",
    "pt_BR": "Parar alertas",
    "de": "Hinweise beenden",
    "ar": "إيقاف التنبيهات",
}
# What sells, and so has no place in a message about a request or an order.
SELLING = re.compile(
    r"% off|discount|coupon|offer\b|\bsale\b|promo|remise|soldes|nouveautés|descuento|oferta|rebaja|novedades"
    r"|desconto|cupom|novidades|rabatt|gutschein|angebot|ausverkauf|schnäppchen|خصم|عرض خاص",
    re.IGNORECASE,
)


def components(starter: Starter, language: str) -> Components:
    """All of them, those of the cards too."""
    top = starter.definition(language).components
    cards = [card["components"] for each in top for card in each.get("cards", [])]
    return [*top, *(each for card in cards for each in card)]


def texts(starter: Starter, language: str, kind: str) -> list[str]:
    return [each["text"] for each in components(starter, language) if each["type"] == kind and "text" in each]


def buttons(starter: Starter, language: str) -> list[dict[str, Any]]:
    return [button for each in components(starter, language) for button in each.get("buttons", [])]


def words(text: str) -> int:
    return len(re.findall(r"[^\W_]+", VARIABLE.sub(" ", text)))


def named(components: Components) -> Iterator[tuple[str, str]]:
    for each in components:
        for key, params in each.get("example", {}).items():
            assert key == f"{each['type'].lower()}_text_named_params"
            yield from ((one["param_name"], one["example"]) for one in params)


def test_every_trade_has_three_starters_or_more() -> None:
    counts = Counter(starter.trade for starter in STARTERS)
    assert counts.keys() == TRADES.keys() and min(counts.values()) >= 3
    assert len(STARTERS) >= 28


def test_keys_are_names_that_meta_accepts_and_used_once() -> None:
    keys = [starter.key for starter in STARTERS]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z0-9_]{1,512}", key) for key in keys)


def test_every_use_is_listed_and_every_listed_one_used() -> None:
    assert {use for starter in STARTERS for use in starter.uses} == USES.keys()


def test_the_gallery_shows_every_component() -> None:
    every = [each for starter in STARTERS for each in components(starter, "en_US")]
    formats = {each["format"] for each in every if each["type"] == "HEADER"}
    assert formats == {"TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"}
    assert {"FOOTER", "LIMITED_TIME_OFFER", "CAROUSEL"} <= {each["type"] for each in every}
    kinds = {button["type"] for starter in STARTERS for button in buttons(starter, "en_US")}
    assert kinds == {"QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "OTP"}


def test_no_two_starters_have_the_same_text() -> None:
    for language in LANGUAGES:
        written = [text for starter in STARTERS for text in texts(starter, language, "BODY")[:1]]
        assert len(set(written)) == len(written)


def test_a_starter_is_read_by_its_key() -> None:
    assert starter_named("order_confirmed") in STARTERS
    assert starter_named("no_such_starter") is None


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("fr", "Visite confirmée"),
        ("fr-CA", "Visite confirmée"),
        ("pt", "Visita confirmada"),
        ("de", "Besichtigung bestätigt"),
        ("de-AT", "Besichtigung bestätigt"),
        ("it", "Viewing confirmed"),
    ],
)
def test_a_title_is_in_the_readers_language_or_in_english(language: str, title: str) -> None:
    starter = starter_named("viewing_confirmed")
    assert starter is not None and starter.title(language) == title


def test_a_definition_has_metas_shape() -> None:
    starter = starter_named("order_confirmed")
    assert starter is not None
    header, body, footer, buttons = starter.definition("en_US").components
    sample = {"header_text_named_params": [{"param_name": "order_number", "example": "SB-10482"}]}
    assert header == {"type": "HEADER", "format": "TEXT", "text": "Order {{order_number}}", "example": sample}
    assert [one["param_name"] for one in body["example"]["body_text_named_params"]] == [
        "first_name",
        "total",
        "ship_date",
    ]
    assert footer == {"type": "FOOTER", "text": "Need to change something? Reply here."}
    url = {"url": "https://www.example.com/orders/{{1}}", "example": ["SB-10482"]}
    assert buttons == {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "View order"} | url]}


def test_what_is_made_of_a_starter_can_be_changed_without_changing_it() -> None:
    starter = starter_named("order_confirmed")
    assert starter is not None
    before = starter.definition("en_US")
    starter.definition("en_US").buttons[0]["example"][0] = "changed"
    assert starter.definition("en_US") == before


def test_a_code_has_metas_own_text() -> None:
    starter = starter_named("sign_in_code")
    assert starter is not None
    template = starter.definition("fr")
    otp = {"type": "OTP", "text": "Copier le code", "otp_type": "COPY_CODE"}
    assert (template.category, template.is_named) == ("AUTHENTICATION", False)
    assert template.components == [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [otp]},
    ]


def test_cards_have_one_shape_and_names_of_their_own() -> None:
    starter = starter_named("listings_for_you")
    assert starter is not None
    (carousel,) = [each for each in starter.definition("es").components if each["type"] == "CAROUSEL"]
    shapes = [[each["type"] for each in card["components"]] for card in carousel["cards"]]
    assert shapes == [["HEADER", "BODY", "BUTTONS"]] * 3
    assert [name for name, _ in named(carousel["cards"][1]["components"])] == ["rooms_2", "place_2", "price_2"]


@pytest.mark.parametrize(("starter", "language"), TEXTS)
def test_languages_differ_in_words_alone(starter: Starter, language: str) -> None:
    def form(language: str) -> object:
        every = components(starter, language)
        parts = [(each["type"], each.get("format"), len(each.get("cards", []))) for each in every]
        kinds = [(button["type"], button.get("url")) for button in buttons(starter, language)]
        return parts, kinds, {name for name, _ in named(every)}

    assert form(language) == form("en_US")
    own, english = starter.texts[language], starter.texts["en_US"]
    assert own.keys() == english.keys() and own.get("examples", {}).keys() == english.get("examples", {}).keys()
    assert len(own.get("labels", [])) == len(english.get("labels", []))


@pytest.mark.parametrize(("starter", "language"), TEXTS)
def test_every_variable_has_a_name_and_an_example(starter: Starter, language: str) -> None:
    every = components(starter, language)
    used = [name for each in every for name in dict.fromkeys(VARIABLE.findall(each.get("text", "")))]
    examples = list(named(every))
    assert [name for name, _ in examples] == used
    assert len(set(used)) == len(used) and all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in used)
    assert all(example.strip() and "{" not in example and "\n" not in example for _, example in examples)
    own = starter.texts[language].get("examples", {})
    assert own.keys() == {name for name in used if not re.search(r"_\d$", name)}


@pytest.mark.parametrize(("starter", "language"), TEXTS)
def test_a_body_is_within_metas_rules(starter: Starter, language: str) -> None:
    limit = 600 if "offer" in starter.texts[language] else 1024
    for place, body in enumerate(texts(starter, language, "BODY")):
        assert body == body.strip() and len(body) <= (160 if place else limit)
        assert not re.search(r"\n{3}|\t| {2}|wa\.me|https?:", body)
        around = VARIABLE.split(body)[::2]
        assert all(re.search(r"[^\W_]", each) for each in around), "a word before, between and after variables"
        assert words(body) >= 2 * len(VARIABLE.findall(body)) + 1


@pytest.mark.parametrize(("starter", "language"), TEXTS)
def test_headers_and_footers_are_within_metas_rules(starter: Starter, language: str) -> None:
    for header in texts(starter, language, "HEADER"):
        assert len(header) <= 60 and len(VARIABLE.findall(header)) <= 1
        assert not re.search(r"[\n*_~`]", VARIABLE.sub("", header))
        assert not any(unicodedata.category(sign) == "So" for sign in header)
    assert all(len(footer) <= 60 and "{" not in footer for footer in texts(starter, language, "FOOTER"))
    assert len(starter.texts[language].get("offer", "")) <= 16


@pytest.mark.parametrize(("starter", "language"), TEXTS)
def test_buttons_are_within_metas_rules(starter: Starter, language: str) -> None:
    labels = [button["text"] for button in starter.definition(language).buttons if "text" in button]
    every = [*labels, *starter.texts[language].get("card_labels", [])]
    assert all(0 < len(label) <= 25 and "{" not in label and label == label.strip() for label in every)
    assert len(set(labels)) == len(labels)
    for button in buttons(starter, language):
        url = button.get("url", "")
        assert url.count("{{") == len(button.get("example", [])) or button["type"] == "COPY_CODE"
        assert not url or re.fullmatch(r"https://www\.example\.com/[a-z?=/-]+(\{\{1\}\})?", url)
        assert button["type"] != "COPY_CODE" or len(button["example"]) <= 15


@pytest.mark.parametrize("starter", EACH)
def test_buttons_are_as_many_and_in_the_order_meta_allows(starter: Starter) -> None:
    kinds = [button["type"] for button in starter.definition("en_US").buttons]
    runs = re.findall(r"Q+", "".join("Q" if kind == "QUICK_REPLY" else "-" for kind in kinds))
    assert len(kinds) <= 10 and len(runs) <= 1
    assert kinds[:1] == ["QUICK_REPLY"] or kinds[-1:] == ["QUICK_REPLY"] or not runs
    counts = Counter(kinds)
    assert counts["URL"] <= 2 and max(counts["PHONE_NUMBER"], counts["COPY_CODE"], counts["OTP"]) <= 1


def test_an_offer_with_an_end_has_only_what_meta_allows_beside_it() -> None:
    for starter in STARTERS:
        parts = starter.definition("en_US").parts
        if "LIMITED_TIME_OFFER" in parts:
            assert starter.category == "MARKETING" and "FOOTER" not in parts
            assert parts["HEADER"]["format"] in ("IMAGE", "VIDEO")
            assert [button["type"] for button in parts["BUTTONS"]["buttons"]] == ["COPY_CODE", "URL"]


@pytest.mark.parametrize(("starter", "language"), TEXTS)
def test_marketing_says_how_to_stop_it_and_nothing_else_does(starter: Starter, language: str) -> None:
    label, word = STOP[language]
    body = texts(starter, language, "BODY")[:1]
    quick = [button["text"] for button in buttons(starter, language) if button["type"] == "QUICK_REPLY"]
    can_stop = label in quick or STOP_ALERTS[language] in quick or bool(re.search(rf"\b{word}\b", "".join(body)))
    assert can_stop == (starter.category == "MARKETING")


@pytest.mark.parametrize(("starter", "language"), TEXTS)
def test_a_utility_text_does_not_sell(starter: Starter, language: str) -> None:
    if starter.category == "UTILITY":
        parts = [text for kind in ("HEADER", "BODY", "FOOTER") for text in texts(starter, language, kind)]
        assert not SELLING.search("\n".join(parts))


def strings(raw: object) -> Iterator[str]:
    match raw:
        case str():
            yield raw
        case dict():
            for each in raw.values():
                yield from strings(each)
        case list():
            for each in raw:
                yield from strings(each)


@pytest.mark.parametrize("starter", EACH)
def test_each_language_is_punctuated_as_it_is_written(starter: Starter) -> None:
    french = "\n".join(strings(starter.texts["fr"]))
    assert not re.search(r"[^\u00a0\s][;!?»]|[^\u00a0\s\d]:|[ \n][;:!?»]|« |'", french)
    arabic = VARIABLE.sub("", "\n".join(strings(starter.texts["ar"])))
    assert not re.search(r"[\u0600-\u06ff] ?[,;?]", arabic)
    spanish = "\n".join(strings(starter.texts["es"]))
    assert all(spanish.count(end) == spanish.count(start) for start, end in ("¿?", "¡!"))
    german = "\n".join(strings(starter.texts["de"]))
    assert not re.search(r"[\"'”«»!]| [,;:.?]|\b(?:du|dich|dir|dein\w*|euch|euer|eure\w*)\b", german, re.IGNORECASE)
    assert german.count("„") == german.count("“")


@pytest.mark.parametrize("starter", EACH)
def test_titles_and_summaries_fit_one_line(starter: Starter) -> None:
    for language in LANGUAGES:
        assert 0 < len(starter.title(language)) <= 40
        assert 0 < len(starter.summary(language)) <= 100 and "\n" not in starter.summary(language)
