"""A tenant whose customers, members and strangers put into it whatever can be put there, as large as it goes."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sqlalchemy import select, text

from app.contacts.consents import Consent
from app.contacts.fields import ContactField
from app.contacts.records import ContactEvent, ContactLink, ContactNote
from app.contacts.tags import Tag
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.compose.macros import Macro
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.notes import LONGEST_NOTE, Note
from app.inbox.desk.saved_views import SavedView
from app.message_templates.models import MessageTemplate
from app.message_templates.versions import Content, TemplateVersion
from app.meta.message_templates import read
from app.tenancy import Actor, Role, db, global_scope, now, tenant_scope
from app.tenancy.models import admit
from app.webhooks.drain import drain_batch
from tests.posts import message, post
from tests.world import SHOES_NUMBER, SHOES_WABA, World, person

SIZE = 65_000
FAMILY = "👩‍👩‍👧‍👦"
PATTERNS = {
    "marks": "*a* _b_ ~c~ `d` ",
    "stars": "*",
    "mixed marks": "*_~`",
    "unpaired": "*a _b ~c ",
    "code": "``````a",
    "one letter": "a",
    "quotes": "> ",
    "deep quotes": ">" * 500 + "\n",
    "lists": "- a\n1. b\n* c\n",
    "accents": "a\u0301",
    "a tower of accents": "\u0301",
    "ligatures": "ﷺ",
    "capitals that grow": "İ",
    "right to left": "\u202eשלום ",
    "families": FAMILY,
    "links": "https://a.b/( ",
    "one link": "https://a.b/" + "(" * 5000 + ")" * 5000,
    "bare links": "www.a.b.",
    "html": "<script>alert(1)</script><b onclick='x'>",
    "entities": "&<>\"'",
    "lines": "\n",
    "spaces": " a",
    "mentions": "@Sue ",
    "invisible": "\u200b\u00ad",
    "hanzi": "王小明",
    "variables": "{{first_name|",
    "escapes": "\\",
    "words": "apple pear plum ",
}
TEXTS = {name: (pattern * (SIZE // len(pattern) + 1))[:SIZE] for name, pattern in PATTERNS.items()}
CUSTOMER = "16505550001"


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": [value]}
    return value


def wide(count: int) -> dict[str, str]:
    return {f"screen_0_question_{n}": "a" * 1000 for n in range(count)}


PHONES = [{"phone": f"+1650555{n:04}", "wa_id": f"1650555{n:04}"} for n in range(5000)]
ADDRESS = "https://a.b/" + "x" * 1900
CARD = {"name": {"formatted_name": "n" * 60_000}, "phones": PHONES, "urls": [{"url": ADDRESS}] * 500}
ITEM = {"product_retailer_id": "p" * 200, "quantity": 2, "item_price": "1.5", "currency": "USD"}
FACTS = {f"key {n}": ["v" * 100] * 50 for n in range(400)}
ANSWERS = {"response_json": json.dumps(wide(2000)), "name": "flow", "body": "Sent"}
DEEP_ANSWERS = {"response_json": "[" * 200_000, "name": "flow", "body": TEXTS["lines"]}
ERRORS = [{"code": 131051, "title": TEXTS["marks"], "error_data": {"details": TEXTS["html"]}}] * 20
REFERRAL = {"source_type": "ad", "headline": TEXTS["marks"], "body": TEXTS["words"], "source_url": ADDRESS}
PLACE = {"latitude": 1, "longitude": 2, "name": TEXTS["html"], "address": TEXTS["words"]}
PICTURE = {"id": "1", "mime_type": "image/jpeg", "caption": TEXTS["stars"], "sha256": "x"}
FILE = {"id": "2", "mime_type": "a/b", "filename": TEXTS["words"], "caption": TEXTS["links"]}

# Of every kind, what no app of WhatsApp's would send but nothing forbids.
CONTENTS: list[dict[str, Any]] = [
    {"type": "contacts", "contacts": [CARD]},
    {"type": "contacts", "contacts": [CARD | {"phones": PHONES[:50]}] * 30},
    {"type": "order", "order": {"catalog_id": "1", "text": TEXTS["links"], "product_items": [ITEM] * 9000}},
    {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": ANSWERS}},
    {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": DEEP_ANSWERS}},
    {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"title": TEXTS["marks"]}}},
    {"type": "interactive", "interactive": {"type": "unheard_of", "unheard_of": FACTS}},
    {"type": "button", "button": {"text": TEXTS["words"], "payload": TEXTS["html"]}},
    {"type": "location", "location": PLACE},
    {"type": "unheard_of", "unheard_of": deep(30)},
    {"type": "unheard_of", "unheard_of": FACTS},
    {"type": "image", "image": PICTURE},
    {"type": "document", "document": FILE},
    {"type": "system", "system": {"type": "x", "body": TEXTS["words"]}},
    {"type": "text", "text": {"body": "hi"}, "referral": REFERRAL},
    {"type": "unsupported", "errors": ERRORS, "unsupported": {"type": "t" * 60_000}},
    {"type": "reaction", "reaction": {"message_id": "wamid.none", "emoji": FAMILY * 5000}},
]


def nasty_templates() -> dict[str, list[dict[str, Any]]]:
    """Components as no rule of Meta's allows them, and as its list might hold them all the same."""
    everywhere = {name: components_of(words) for name, words in TEXTS.items()}
    few = components_of("Hello {{1}}, welcome.")
    button = {"type": "URL", "text": "t" * 200, "url": ADDRESS + "{{1}}", "example": [ADDRESS]}
    card = {"components": [*components_of(TEXTS["variables"][:2000]), {"type": "BUTTONS", "buttons": [button] * 50}]}
    numbered = " ".join(f"{{{{{n}}}}}" for n in range(1, 7000))
    return everywhere | {
        "many buttons": [*few, {"type": "BUTTONS", "buttons": [button] * 3000}],
        "many cards": [*few, {"type": "CAROUSEL", "cards": [card] * 60}],
        "cards that are none": [*few, {"type": "CAROUSEL", "cards": ["x", 1, None, {"components": ["x", 1]}]}],
        "many parts": few * 3000,
        "many variables": components_of(numbered),
        "large numbers": components_of("{{" + "9" * 60_000 + "}}"),
        "open braces": components_of("{{" * 30_000),
        "deep": [{"type": "BODY", "text": deep(25), "example": deep(25)}, {"type": deep(25)}],
        "wrong types": [{"type": "BODY", "text": ["a"]}, {"type": 5}, {"type": "BUTTONS", "buttons": {"a": 1}}],
    }


def components_of(words: str) -> list[dict[str, Any]]:
    names = [{"param_name": words[:100], "example": words}] * 20
    return [
        {"type": "HEADER", "format": "TEXT", "text": words, "example": {"header_text": [words]}},
        {"type": "BODY", "text": words, "example": {"body_text": [[words] * 20], "body_text_named_params": names}},
        {"type": "FOOTER", "text": words},
        {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": words, "has_expiration": True}},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": words}, {"type": words, "text": words}]},
    ]


def edited(to: str) -> dict[str, Any]:
    message = {"type": "text", "text": {"body": to}}
    return {"type": "edit", "edit": {"original_message_id": "wamid.text.0", "message": message}}


class Hostile:
    """Shoes, filled through the doors that fill a tenant: Meta's webhooks, and what members type."""

    def __init__(self, world: World, ids: dict[str, str]) -> None:
        self.world, self.ids = world, ids

    def fill(self) -> Hostile:
        self.receive()
        with tenant_scope(self.world.shoes.id):
            self.conversation_id = self.busiest()
            self.write()
            self.people()
        return self

    def receive(self) -> None:
        number: dict[str, Any] = {"number": SHOES_NUMBER, "wa_id": CUSTOMER, "name": "N" * 60_000}
        for n, body in enumerate(TEXTS.values()):
            self.post(message(body, wamid=f"wamid.text.{n}", **number))
        for content in CONTENTS:
            self.post(message(**number, **content))
        for n in range(30):
            self.post(message(**number, wamid=f"wamid.edit.{n}", **edited(TEXTS["marks"])))
        for n in range(20):
            self.post(message("hello", number=SHOES_NUMBER, wa_id=f"16505552{n:03}", name=TEXTS["families"][:300]))
        while drain_batch():
            pass

    def post(self, change: dict[str, Any]) -> None:
        body = post(change, waba=SHOES_WABA)
        if len(body) < 3_000_000:
            with global_scope():
                db.session.execute(text("insert into webhook_events (body) values (:body)"), {"body": body})

    def busiest(self) -> uuid.UUID:
        wamid = select(Message.conversation_id).where(Message.wamid == "wamid.text.0")
        return db.session.scalars(wamid).one()

    def write(self) -> None:
        talk = Conversation.get_or_404(self.conversation_id)
        sue = Actor.agent(self.world.sue)
        for body in TEXTS.values():
            Note.write(talk, body[:LONGEST_NOTE], by=sue, client_id=uuid.uuid4())
            db.session.add(CannedReply(shortcut=f"s{uuid.uuid4().hex}", body=body[:4096]))
            db.session.add(Macro(name=uuid.uuid4().hex, reply=body[:4096], note=body[:LONGEST_NOTE]))
        for n in range(20):
            view = SavedView(name=f"{n}" + "v" * 58, owner_id=self.world.sue.id, is_shared=True)
            view.arguments = {"view": "all"}
            db.session.add(view)
        words = {"type": "BODY", "text": TEXTS["variables"][:1024]}
        buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": TEXTS["html"][:100]}] * 200}
        for n in range(100):
            made = MessageTemplate(waba_id=talk.phone_number.waba_id, meta_id=f"t{n}", name=f"n{n}" * 200)
            made.language, made.category, made.status = "en", "UTILITY", "APPROVED"
            made.parameter_format, made.components = "POSITIONAL", [words, buttons]
            db.session.add(made)
        named = [(TEXTS.get(name, TEXTS["html"]), components) for name, components in nasty_templates().items()]
        self.template_ids = [self.template(talk.phone_number.waba_id, n, *one) for n, one in enumerate(named)]

    def template(self, waba_id: uuid.UUID, place: int, words: str, listed: list[dict[str, Any]]) -> uuid.UUID:
        """One that Meta has rejected at length, with two texts that differ everywhere."""
        components = read({"components": listed}).components
        made = MessageTemplate(id=uuid.uuid4(), waba_id=waba_id, meta_id=f"h{place}", name=f"hostile{place}")
        made.language, made.status = "en", ("REJECTED", "APPROVED")[place % 2]
        made.category = ("MARKETING", "UTILITY", "AUTHENTICATION")[place % 3]
        made.parameter_format, made.components = ("NAMED", "POSITIONAL")[place // 2 % 2], components
        made.status_facts = dict.fromkeys(("detail", "recommendation", "title", "description"), words[:2000])
        db.session.add(made)
        db.session.flush()
        for number, parts in enumerate((components, components_of(TEXTS["words"][:-place] + words)), 1):
            content = Content(made.category, made.parameter_format == "NAMED", parts)
            version = TemplateVersion.begin(made.id, content, by=Actor.agent(self.world.sue))
            version.state, version.number, version.note = "rejected", number, words[:1000]
            db.session.flush()
        TemplateVersion.begin(made.id, Content(made.category, True, components), by=None).note = words[:1000]
        db.session.flush()
        return made.id

    def people(self) -> None:
        talk = Conversation.get_or_404(self.conversation_id)
        contact = talk.contact_id
        for n in range(500):
            db.session.add(Tag(name=f"{n} {'t' * 36}", position=n))
        db.session.flush()
        for tag in db.session.scalars(select(Tag)):
            tag.put_on(contact, by=Actor.agent(self.world.sue))
        for n in range(50):
            field = ContactField(name=f"{n}" + "f" * 58, kind="choice" if n % 2 else "text", choices=["c" * 60] * 200)
            db.session.add(field)
            db.session.flush()
            field.put_on(contact, "v" * 1000)
        for _ in range(300):
            db.session.add(ContactNote(contact_id=contact, body=TEXTS["html"][:5_000], author_id=self.world.sue.id))
            db.session.add(ContactLink(contact_id=contact, kind="order", title="t" * 200, url=ADDRESS[:1000]))
            ContactEvent.record(contact, "renamed", by=Actor.agent(self.world.sue), before="b" * 200, after="a" * 200)
            consent = {"purpose": "marketing", "is_granted": True, "source": "form", "evidence": "e" * 1000}
            db.session.add(Consent(contact_id=contact, occurred_at=now(), **consent))
        for n in range(150):
            colleague = person(f"colleague{n}")
            colleague.name = f"{FAMILY * 5}{n}"
            admit(colleague, Role.AGENT)
