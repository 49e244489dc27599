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

    def people(self) -> None:
        talk = Conversation.get_or_404(self.conversation_id)
        contact = talk.contact_id
        for n in range(500):
            db.session.add(Tag(name=f"{n} {'t' * 36}", position=n))
        db.session.flush()
        for tag in db.session.scalars(select(Tag)):
            tag.put_on(contact, by=self.world.sue)
        for n in range(50):
            field = ContactField(name=f"{n}" + "f" * 58, kind="choice" if n % 2 else "text", choices=["c" * 60] * 200)
            db.session.add(field)
            db.session.flush()
            field.put_on(contact, "v" * 1000)
        for _ in range(300):
            db.session.add(ContactNote(contact_id=contact, body=TEXTS["html"][:5_000], author_id=self.world.sue.id))
            db.session.add(ContactLink(contact_id=contact, kind="order", title="t" * 200, url=ADDRESS[:1000]))
            ContactEvent.record(contact, "renamed", by=self.world.sue, before="b" * 200, after="a" * 200)
            consent = {"purpose": "marketing", "is_granted": True, "source": "form", "evidence": "e" * 1000}
            db.session.add(Consent(contact_id=contact, occurred_at=now(), **consent))
        for n in range(150):
            colleague = person(f"colleague{n}")
            colleague.name = f"{FAMILY * 5}{n}"
            admit(colleague, Role.AGENT)
