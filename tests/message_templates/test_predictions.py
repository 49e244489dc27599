"""Our checks predict Meta's verdict: right is approved, wrong refused or rejected, and no surprise without a warning.

Every template here goes through the simulator, which has a reading of Meta's rules of its own.
"""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import simulator
from app.message_templates.starters import STARTERS
from app.meta import template_calls
from app.meta.errors import MetaError
from app.meta.graph import GraphClient
from app.meta.message_templates import Template, read
from app.meta.template_languages import LANGUAGES
from app.meta.template_problems import WARNINGS
from app.meta.template_rules import problems_of
from dev import environment
from tests.message_templates.test_submission import PNG
from tests.meta.test_template_examples import DEFINITIONS
from tests.meta.test_template_rules import (
    ACCEPTED,
    APP,
    PLAIN,
    REFUSED,
    SAMPLE,
    WARNED,
    authentication,
    body,
    buttons,
    cards,
    code,
    flow,
    header,
    labelled,
    link,
    media,
    offer,
    otp,
    phone,
    reply,
    template,
)
from tests.simulated import Meta, Served

Json = dict[str, Any]
MP4, PDF = b"\0\0\0\x18ftypmp42" + bytes(100), b"%PDF-1.4\n"
FILES = {"IMAGE": ("image/png", PNG), "VIDEO": ("video/mp4", MP4), "DOCUMENT": ("application/pdf", PDF)}


def footer(text: str) -> Json:
    return {"type": "FOOTER", "text": text}


def utility(*parts: Json, **more: Any) -> Template:
    return template(*parts, category="UTILITY", **more)


def named(text: str, **examples: str) -> Template:
    return template(body(text, **examples), named=True)


def one_tap(*apps: Json) -> Template:
    return authentication(PLAIN, otp("ONE_TAP", supported_apps=list(apps)))


def minutes(value: Any) -> Template:
    return authentication(PLAIN, {"type": "FOOTER", "code_expiration_minutes": value}, otp())


def with_sample(part: Json) -> Json:
    """A part of the gallery's, which has no sample yet."""
    if part.get("cards"):
        return part | {"cards": [{"components": list(map(with_sample, card["components"]))} for card in part["cards"]]}
    return part | {"example": SAMPLE} if part.get("format") in FILES else part


def begun(key: str, language: str) -> Template:
    one = next(starter for starter in STARTERS if starter.key == key).definition(language)
    return replace(one, components=list(map(with_sample, one.components)))


WORDS = "Your order has been sent and arrives tomorrow."
FAMILY, FLAG, KEYCAP, SKIN = "👨‍👩‍👧‍👦", "🇵🇹", "1️⃣", "👋🏽"
URL = "https://shop.example/"
CARD = [media(), body("New."), buttons(link())]
# In a script of its own each, with a variable.
SCRIPTS = {
    "ar": "مرحبا {{1}}، تم إرسال طلبك وسيصل غدا إن شاء الله.",
    "bn": "প্রিয় {{1}}, আপনার অর্ডারটি আজ পাঠানো হয়েছে।",
    "el": "Γεια σου {{1}}, η παραγγελία σου στάλθηκε σήμερα.",
    "gu": "નમસ્તે {{1}}, તમારો ઓર્ડર આજે મોકલવામાં આવ્યો છે.",
    "he": "שלום {{1}}, ההזמנה שלך נשלחה היום ותגיע מחר.",
    "hi": "नमस्ते {{1}}, आपका ऑर्डर आज भेज दिया गया है।",
    "ja": "こんにちは{{1}}様、ご注文の商品を発送しました。",
    "ka": "გამარჯობა {{1}}, თქვენი შეკვეთა დღეს გაიგზავნა.",
    "kn": "ನಮಸ್ಕಾರ {{1}}, ನಿಮ್ಮ ಆರ್ಡರ್ ಅನ್ನು ಇಂದು ಕಳುಹಿಸಲಾಗಿದೆ.",
    "ko": "안녕하세요 {{1}} 님, 주문하신 상품이 오늘 발송되었습니다.",
    "ml": "ഹലോ {{1}}, നിങ്ങളുടെ ഓർഡർ ഇന്ന് അയച്ചു കഴിഞ്ഞു.",
    "pa": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ {{1}}, ਤੁਹਾਡਾ ਆਰਡਰ ਅੱਜ ਭੇਜਿਆ ਗਿਆ ਹੈ।",
    "ru": "Здравствуйте, {{1}}, ваш заказ отправлен сегодня.",
    "sr": "Здраво {{1}}, ваша поруџбина је данас послата.",
    "ta": "வணக்கம் {{1}}, உங்கள் ஆர்டர் இன்று அனுப்பப்பட்டது.",
    "te": "నమస్కారం {{1}}, మీ ఆర్డర్ ఈరోజు పంపబడింది అండి.",
    "th": "สวัสดี {{1}} คำสั่งซื้อของคุณถูกจัดส่งแล้ววันนี้",
    "uk": "Вітаємо, {{1}}, ваше замовлення надіслано сьогодні.",
    "vi": "Xin chào {{1}}, đơn hàng của bạn đã được gửi hôm nay.",
    "zh_CN": "您好{{1}}，您的订单今天已经发货。",
}

RIGHT: dict[str, Template] = {
    **{name: one for name, one in ACCEPTED.items() if "gives it back" not in name},
    **{f"Meta's {name}": read(definition) for name, definition in DEFINITIONS.items()},
    **{
        f"{starter.key} in {language}": begun(starter.key, language)
        for starter in STARTERS
        for language in starter.languages
    },
    **{f"written in {code}": template(body(text), language=code) for code, text in SCRIPTS.items()},
    **{f"the language {code}": authentication(PLAIN, otp(), language=code) for code in LANGUAGES},
    "a name of 511": template(body(), name="a" * 511),
    "an underscore as a name": template(body(), name="_"),
    "a body of 1,023": template(body("a" * 1023)),
    "1,024 characters with emoji": template(body("a" * 1015 + "😀" * 9)),
    "1,024 Chinese characters": template(body("订" * 1024), language="zh_CN"),
    "1,024 Arabic characters": template(body("م" * 1024), language="ar"),
    "a header of 59": template(header("a" * 59), body()),
    "a header of 60 in Arabic": template(header("م" * 60), body(SCRIPTS["ar"]), language="ar"),
    "a footer of 59": template(body(), footer("a" * 59)),
    "a label of 24": template(body(), buttons(reply("a" * 24))),
    "a label of 25 in Chinese": template(body(SCRIPTS["zh_CN"]), buttons(reply("订" * 25)), language="zh_CN"),
    "an address of 2,000": template(body(), buttons(link(URL + "a" * (2000 - len(URL))))),
    "a number of 20": template(body(), buttons(phone("+" + "1" * 19))),
    "a code of 14": template(body(), buttons(code("A" * 14))),
    "an offer of 15": template(offer("a" * 15), body(), buttons(code(), link())),
    "an offer of 599": template(offer(), body("a" * 599), buttons(code(), link())),
    "a card of 159": template(body(), cards(*[[media(), body("a" * 159), buttons(link())]] * 2)),
    "a package of 224": one_tap(APP | {"package_name": "com." + "a" * 220}),
    "five apps": one_tap(*[APP] * 5),
    "1 minute": minutes(1),
    "utility for 30 seconds": utility(body(), ttl=30),
    "a code for 30 seconds": authentication(PLAIN, otp(), ttl=30),
    "a code for 15 minutes": authentication(PLAIN, otp(), ttl=900),
    "a code for 30 days": authentication(PLAIN, otp(), ttl=-1),
    "nine replies": template(body(), buttons(*(reply(f"No {n}") for n in range(9)))),
    "three cards": template(body(), cards(count=3)),
    "nine cards": template(body(), cards(count=9)),
    "the footer first": template(footer("Bye"), body()),
    "the header last": template(body(), buttons(reply()), footer("Bye"), header("Hello")),
    "links, then replies": template(body(), buttons(link(), code(), phone(), reply())),
    "replies, then links": template(body(), buttons(reply(), code(), phone(), link())),
    "one variable three times": template(
        body("Hello {{1}}, yes {{1}}, you are the real {{1}} here and now today.", "Ann")
    ),
    "eleven variables": template(
        body(" ".join(["Your order", *(f"has {{{{{n}}}}} and also" for n in range(1, 12)), "more of it."]))
    ),
    "letters and digits in a name": named("Hello {{a1_b}}, your order has been sent.", a1_b="Ann"),
    "a digit first in a name": named("Hello {{1st}}, your order has been sent.", **{"1st": "Ann"}),
    "ten emoji": template(body(f"{WORDS} {'😀' * 10}")),
    "ten families": template(body(f"{WORDS} {FAMILY * 10}")),
    "ten flags": template(body(f"{WORDS} {FLAG * 10}")),
    "ten keycaps": template(body(f"{WORDS} {KEYCAP * 10}")),
    "ten waving hands": template(body(f"{WORDS} {SKIN * 10}")),
    "arrows and a trademark": template(header("A → B ™ №"), body()),
    "two line breaks of Windows": template(body("One.\r\n\r\nTwo.")),
    "a tab in the body": template(body("One.\tTwo.")),
    "a mark inside the text": template(body("Hello \u200fAnn, your order has been sent.")),
    "a domain that begins like WhatsApp's": template(body("Visit https://wa.me.example/menu for our menu.")),
    "a domain that ends like WhatsApp's": template(body("Visit https://foo-wa.me/menu for our menu.")),
    "a domain that begins like a shortener": template(body("Visit https://bit.ly.example/menu for our menu.")),
    "a domain that ends like a shortener": template(body("Visit https://habit.ly/menu for our menu.")),
    "advice about passwords": template(body("Never share your password with anybody. We do not ask for it.")),
    "an address with a port": template(body(), buttons(link("http://shop.example:8443/a?b=c#d"))),
    "a variable in the query": template(body(), buttons(link(URL + "?id={{1}}", example=["1"]))),
    "a query right after the host": template(body(), buttons(link("https://shop.example?{{1}}", example=["a"]))),
    "an icon": template(body(), buttons(flow(icon="promotion"))),
    "a flow by its name": template(body(), buttons(flow(flow_id="", flow_name="booking"))),
    "a call for 43,200 minutes": template(body(), buttons({**labelled("VOICE_CALL"), "ttl_minutes": 43_200})),
    "the label for sharing a number": template(
        body(), buttons({"type": "REQUEST_CONTACT_INFO", "text": "Share Contact Info"})
    ),
    "products without a header": template(body(), buttons(labelled("MPM"))),
    "an offer below a video": template(media("VIDEO"), offer(), body(), buttons(code(), link())),
    "an endless offer with a code": template(offer(has_expiration=False), body(), buttons(code(), link())),
    "cards without texts": template(body(), cards(*[[media(), buttons(link(), phone())]] * 2)),
    "cards in lower case": template(body(), {"type": "carousel", "cards": cards()["cards"]}),
    "a document and three kinds of buttons": utility(
        media("DOCUMENT"), body(), footer("Bye"), buttons(link(), reply())
    ),
}

# Kinds that the table of another module has, but this one decides otherwise.
NOT_SENDABLE = {"a header that is a GIF"}
WRONG: dict[str, Template] = {
    **{name: one for name, (one, _path, kind) in REFUSED.items() if name not in NOT_SENDABLE and kind not in WARNINGS},
    "a name of 514": template(body(), name="a" * 514),
    "a space in the name": template(body(), name="order update"),
    "an accent in the name": template(body(), name="bestätigung"),
    "digits of another script in the name": template(body(), name="order_٣"),
    "a language of Saudi Arabia": template(body(SCRIPTS["ar"]), language="ar_SA"),
    "no language": template(body(), language=""),
    "no category": template(body(), category=""),
    "a body of 1,026": template(body("a" * 1026)),
    "1,025 characters with emoji": template(body("a" * 1016 + "😀" * 9)),
    "1,025 Chinese characters": template(body("订" * 1025), language="zh_CN"),
    "1,025 Arabic characters": template(body("م" * 1025), language="ar"),
    "a header of 62": template(header("a" * 62), body()),
    "a header of 61 in Arabic": template(header("م" * 61), body(SCRIPTS["ar"]), language="ar"),
    "a footer of 62": template(body(), footer("a" * 62)),
    "a label of 26 in Chinese": template(body(SCRIPTS["zh_CN"]), buttons(reply("订" * 26)), language="zh_CN"),
    "an address of 2,002": template(body(), buttons(link(URL + "a" * (2002 - len(URL))))),
    "a code of 17": template(body(), buttons(code("A" * 17))),
    "an offer of 18": template(offer("a" * 18), body(), buttons(code(), link())),
    "a variable in an offer": template(offer("For {{1}}"), body(), buttons(code(), link())),
    "an emoji in an offer": template(offer("Hurry ⏰"), body(), buttons(code(), link())),
    "an offer of 602": template(offer(), body("a" * 602), buttons(code(), link())),
    "a card of 162": template(body(), cards(*[[media(), body("a" * 162), buttons(link())]] * 2)),
    "a package of 225": one_tap(APP | {"package_name": "com." + "a" * 221}),
    "a hash of 12": one_tap(APP | {"signature_hash": "K8a/AINcGX7a"}),
    "an app without a hash": one_tap(APP | {"signature_hash": ""}),
    "minutes as a word": minutes("ten"),
    "a code for 29 seconds": authentication(PLAIN, otp(), ttl=29),
    "utility for 12 hours and a second": utility(body(), ttl=43_201),
    "marketing for 11 hours": template(body(), ttl=39_600),
    "marketing for 31 days": template(body(), ttl=2_678_400),
    "marketing for -1": template(body(), ttl=-1),
    "nothing": template(),
    "twelve buttons": template(body(), buttons(*(reply(f"No {n}") for n in range(12)))),
    "no cards": template(body(), cards(count=0)),
    "twelve cards": template(body(), cards(count=12)),
    "two headers": template(header("One"), header("Two"), body()),
    "two footers": template(body(), footer("One"), footer("Two")),
    "buttons twice": template(body(), buttons(reply()), buttons(reply("No"))),
    "two carousels": template(body(), cards(), cards()),
    "two texts on a card": template(body(), cards(*[[*CARD, body("Two.")]] * 2)),
    "an empty text on a card": template(body(), cards(*[[media(), body(""), buttons(link())]] * 2)),
    "an empty card": template(body(), cards([], [])),
    "a card without buttons": template(body(), cards(*[[media(), body("New.")]] * 2)),
    "a reply, a link and a reply on cards": template(
        body(), cards([media(), buttons(reply())], [media(), buttons(link())])
    ),
    "a card with another order": template(
        body(), cards([media(), buttons(reply(), link())], [media(), buttons(link(), reply())])
    ),
    "a carousel without a text": template(cards()),
    "an offer beside cards": template(offer(), body(), cards()),
    "links between replies": template(body(), buttons(reply(), link(), phone(), reply("No"))),
    "only a variable": template(body("{{1}}", "Ann")),
    "two variables at the ends": template(body("{{1}} your order is on its way to {{2}}")),
    "a gap before the first": template(body("Hello {{2}}, your order has been sent.")),
    "numbers with a zero before": template(body("Hello {{01}}, your order has been sent.")),
    "digits of another script": template(body("Hello {{١}}, your order has been sent.")),
    "a number sign in the name": named("Hello {{na#me}}, your order has been sent."),
    "a percent sign in the name": named("Hello {{na%me}}, your order has been sent."),
    "a hyphen in the variable": named("Hello {{first-name}}, your order has been sent."),
    "an accent in the variable": named("Hello {{prénom}}, your order has been sent."),
    "a name in a positional template": template(body("Hello {{name}}, your order has been sent.")),
    "brackets around a variable": template(body("Hello {{{1}}}, your order has been sent.")),
    "brackets the wrong way round": template(body("Hello }}1{{, your order has been sent.")),
    "a word in one bracket": template(body("Hello {name}, your order has been sent.")),
    "a bracket alone": template(body("Hello Ann, your order { has been sent.")),
    "three side by side": template(body("Hello {{1}}{{2}}{{3}}, your order has been sent today, and we thank you.")),
    "one word too few": template(body("Hi {{1}} there.")),
    "one Chinese character too few": template(body("你{{1}}好。"), language="zh_CN"),
    "one variable too often for the words": template(body("Hi {{1}}, it is {{1}} there.", "Ann")),
    "four line breaks": template(body("One.\n\n\n\nTwo.")),
    "three line breaks of Windows": template(body("One.\r\n\r\n\r\nTwo.")),
    "lines of spaces": template(body("One.\n \n \nTwo.")),
    "eleven families": template(body(f"{WORDS} {FAMILY * 11}")),
    "eleven flags": template(body(f"{WORDS} {FLAG * 11}")),
    "eleven keycaps": template(body(f"{WORDS} {KEYCAP * 11}")),
    "eleven waving hands": template(body(f"{WORDS} {SKIN * 11}")),
    "eleven emoji in a row": template(body(f"{WORDS} {'😀' * 11}")),
    "a header that is blank": template(header("\u200b "), body()),
    "a tab in the header": template(header("One\ttwo"), body()),
    "a line of Unicode's in the header": template(header("One\u2028two"), body()),
    "a heart in the header": template(header("We ❤️ you"), body()),
    "a keycap in the header": template(header("Step 1️⃣"), body()),
    "one variable twice in the header": template(header("{{1}} and {{1}}", "a"), body()),
    "the second variable in the header": template(header("Order {{2}}", "a"), body()),
    "a code in the header": template(header("Use `SAVE`"), body()),
    "a footer that is blank": template(body(), footer(" ")),
    "a bracket in the footer": template(body(), footer("By {Ann}")),
    "a tab in the footer": template(body(), footer("a\tb")),
    "a footer struck out": template(body(), footer("Not ~10~ 9")),
    "a label that is blank": template(body(), buttons(reply("\u200e"))),
    "a bracket in a label": template(body(), buttons(reply("Yes {1"))),
    "a tab in a label": template(body(), buttons(reply("Yes\tNo"))),
    "two links alike": template(body(), buttons(link(), link())),
    "labels alike in another case": template(body(), buttons(reply("STOP"), reply("Stop"))),
    "WhatsApp's chat in the text": template(body("Join https://chat.whatsapp.com/AbC and say hello.")),
    "WhatsApp's API in the footer": template(body(), footer("api.whatsapp.com/send")),
    "a link to WhatsApp in the header": template(header("Write to wa.me/15550051310"), body()),
    "a link to WhatsApp on a label": template(body(), buttons(reply("wa.me/15550051310"))),
    "WhatsApp's short link": template(body("Write to https://wa.link/abc123 at any time.")),
    "WhatsApp on a card": template(body(), cards(*[[media(), buttons(link("https://wa.me/15550051310"))]] * 2)),
    "a variable before the query": template(body(), buttons(link(URL + "{{1}}?a=b", example=["a"]))),
    "the second variable in a link": template(body(), buttons(link(URL + "{{2}}", example=["a"]))),
    "a name in a link": template(body(), buttons(link(URL + "{{id}}", example=["a"]))),
    "an FTP address": template(body(), buttons(link("ftp://shop.example/a"))),
    "a host of one word": template(body(), buttons(link("https://shop"))),
    "a voice call in authentication": authentication(PLAIN, buttons(labelled("VOICE_CALL"))),
    "two buttons for a code": authentication(PLAIN, buttons(*otp()["buttons"] * 2)),
    "cards in authentication": authentication(PLAIN, cards(), otp()),
    "a catalogue beside a catalogue": template(body(), buttons(labelled("CATALOG"), labelled("CATALOG"))),
    "products with a reply": template(body(), buttons(labelled("MPM"), reply())),
    "a product in utility": utility({"type": "HEADER", "format": "PRODUCT"}, body(), buttons(labelled("SPM"))),
    "a product header on a card with a link": template(
        body(), cards(*[[{"type": "HEADER", "format": "PRODUCT"}, buttons(link())]] * 2)
    ),
    "a text header on cards": template(body(), cards(*[[header("Hi"), buttons(link())]] * 2)),
    "a place on cards": template(body(), cards(*[[{"type": "HEADER", "format": "LOCATION"}, buttons(link())]] * 2)),
    "an offer with two links": template(offer(), body(), buttons(code(), link(), link(text="Two"))),
    "an offer on a text": template(header("Hi"), offer(), body(), buttons(code(), link())),
    "an offer without buttons": template(offer(), body()),
    "a link to WhatsApp in an offer": template(offer("wa.me/1"), body(), buttons(code(), link())),
    "a link to WhatsApp on the button for a code": authentication(PLAIN, otp(text="wa.me/1")),
    "a blank label for a code": authentication(PLAIN, otp(text=" ")),
    "minutes as text": minutes("10"),
    "an example without a variable": template(body(WORDS, "Ann")),
    "an example without a variable in the header": template(header("Hello", "Ann"), body()),
    "a number of marks": template(body(), buttons(phone("+-----"))),
    "a number of four": template(body(), buttons(phone("1234"))),
    "a number in other digits": template(body(), buttons(phone("١٢٣٤٥٦"))),
    "italics beside a variable": template(header("{{1}}_new_", "a"), body()),
    "a variable right after the host": template(body(), buttons(link("https://shop.example#{{1}}", example=["a"]))),
}

# What a person decides at Meta, or what its pages leave open: we warn. The verdict is the simulator's.
REJECTED, REFUSED_AT_ONCE, RECATEGORISED, APPROVED = "rejected", "refused", "recategorised", "approved"
DOUBTFUL: dict[str, tuple[Template, str]] = {
    "a space between two": (WARNED["a space between two"][0], REFUSED_AT_ONCE),
    "a line break between two": (
        template(body("Hello {{1}}\n{{2}}, your order has been sent today.")),
        REFUSED_AT_ONCE,
    ),
    "a header of nothing else": (WARNED["a header of nothing else"][0], APPROVED),
    "a code with a hyphen": (WARNED["a code with a hyphen"][0], APPROVED),
    "a validity for marketing": (template(body(), ttl=43_200), APPROVED),
    "the longest validity for marketing": (template(body(), ttl=2_592_000), APPROVED),
    "a short link": (WARNED["a short link"][0], REJECTED),
    "a button that opens a short link": (WARNED["a button that opens a short link"][0], REJECTED),
    "another language": (template(body(SCRIPTS["zh_CN"])), REJECTED),
    "English for Arabic": (template(body(), language="ar"), REJECTED),
    "a card number": (template(body("Please reply with your card number to confirm the booking.")), REJECTED),
    "a password on a card": (
        template(body(), cards(*[[media(), body("Enter your password."), buttons(link())]] * 2)),
        REJECTED,
    ),
    "a threat": (template(body("Pay your invoice today or else we will have to write again.")), REJECTED),
    "advertising in utility": (WARNED["advertising in utility"][0], RECATEGORISED),
    "advertising on a button": (WARNED["advertising on a button"][0], RECATEGORISED),
    "advertising in Spanish": (
        utility(body("Tu pedido llega hoy. Tienes un descuento en el próximo."), language="es"),
        RECATEGORISED,
    ),
}


class Reviewer:
    """The simulated Meta, and its verdict on one template after the other."""

    def __init__(self, meta: Meta, graph: GraphClient, app_id: str) -> None:
        self.meta, self.graph = meta, graph
        ids = meta.post("seed", name="Bakery", display_phone_number="+1 555 078 3881")
        self.token, self.waba = ids["token"], ids["waba_id"]
        meta.post("knobs", review_by_itself=0, creations_per_hour=10_000, templates_per_account=10_000)
        for id, name in (("123", "booking"), ("1234567890", "offers")):
            meta.post("flows", waba_id=self.waba, flow_id=id, name=name, status="PUBLISHED")
        self.handles = {
            format: template_calls.upload_sample(graph, self.token, app_id, "sample", type, content)
            for format, (type, content) in FILES.items()
        }
        self.handles["GIF"] = self.handles["VIDEO"]
        self.numbers = itertools.count()

    def verdict(self, one: Template) -> str:
        """Reviewed at once and deleted, so that no other has the same text."""
        name = f"{one.name}_{next(self.numbers)}" if one.name == "order_update" else one.name
        given = replace(one, name=name, components=list(map(self.uploaded, one.components)))
        try:
            made = template_calls.create(self.graph, self.token, self.waba, given)
        except MetaError:
            return REFUSED_AT_ONCE
        self.meta.post(f"templates/{made.id}", act="review")
        there = template_calls.fetch(self.graph, self.token, made.id).template
        self.meta.post(f"templates/{made.id}", act="delete")
        if there.status != "APPROVED":
            return REJECTED
        return APPROVED if there.category == one.category.upper() else RECATEGORISED

    def uploaded(self, part: Json) -> Json:
        """With a real handle wherever a sample is given."""
        if part.get("cards"):
            components = [list(map(self.uploaded, card["components"])) for card in part["cards"]]
            return part | {"cards": [{"components": each} for each in components]}
        given = (part.get("example") or {}).get("header_handle") or [""]
        handle = self.handles.get(str(part.get("format")))
        return part | {"example": {"header_handle": [handle]}} if handle and given[0].strip() else part


@pytest.fixture(scope="module")
def reviewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewer]:
    folder: pathlib.Path = tmp_path_factory.mktemp("simulator")
    settings = environment.simulator("http://127.0.0.1:0", "http://127.0.0.1:9", str(folder))
    app = simulator.create_app(simulator.Settings.from_environment(settings))
    with Served(app) as running:
        id, secret = settings["SIMULATOR_APP_ID"], settings["SIMULATOR_APP_SECRET"]
        meta = Meta(running.url, app.extensions["simulator"])
        yield Reviewer(meta, GraphClient(running.url, "v25.0", id, secret), id)


def remarks(one: Template) -> dict[str, bool]:
    """What we say about it, and whether that is only a warning."""
    return {f"{problem.path}: {problem.kind}": problem.is_warning for problem in problems_of(one)}


@pytest.mark.parametrize("case", RIGHT)
def test_what_we_call_right_is_approved(reviewer: Reviewer, case: str) -> None:
    assert remarks(RIGHT[case]) == {}
    assert reviewer.verdict(RIGHT[case]) == APPROVED


@pytest.mark.parametrize("case", WRONG)
def test_what_we_call_wrong_is_refused_or_rejected(reviewer: Reviewer, case: str) -> None:
    assert not all(remarks(WRONG[case]).values())
    assert reviewer.verdict(WRONG[case]) in (REFUSED_AT_ONCE, REJECTED)


@pytest.mark.parametrize("case", DOUBTFUL)
def test_of_what_may_go_either_way_we_warn(reviewer: Reviewer, case: str) -> None:
    one, verdict = DOUBTFUL[case]
    assert remarks(one) and all(remarks(one).values())
    assert reviewer.verdict(one) == verdict


def test_what_could_be_approved_but_not_sent_from_here_is_wrong_too(reviewer: Reviewer) -> None:
    """Only the Marketing Messages API sends GIFs."""
    (gif,) = (REFUSED[name][0] for name in NOT_SENDABLE)
    assert reviewer.verdict(gif) == APPROVED
    assert not all(remarks(gif).values()) and not gif.can_be_sent
