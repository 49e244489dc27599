"""The demo's people and conversations: `python -m dev.seed SIMULATOR_URL PASSWORD MODEL_URL`. Safe to run again.

Everything goes the real road: tenants by the command line, the number through its onboarding steps, customers' texts
through the simulated Meta's webhooks, answers through the outbox.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
from flask import Flask, current_app
from sqlalchemy import func, select

from app import create_app
from app.assistant.access import ModelAccess
from app.assistant.assistant import Assistant
from app.billing.plans import Plan
from app.contacts.models import ContactIdentity
from app.contacts.tags import Tag
from app.entry_points.models import EntryPoint, EntryReference
from app.entry_points.subjects import Subject
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.notes import Note
from app.tenancy import Actor, Membership, Role, User, db, global_scope, platform_scope, tenant_scope
from app.tenancy.models import TenantSlug, admit
from app.wabas.models import PhoneNumber
from dev import bakery, books, diary, properties, reported, weeks
from dev.agency import SLUG
from dev.model import MODEL as SCRIPTED
from dev.stack import START_SECONDS

BAKERY_NUMBER = "+1 555 078 3881"
ARRIVED = ("received", "delivered", "read")
# Who wrote so long ago that the reply window has closed.
HOURS_AGO = {"5491123456789": 26}

# Who wrote what: "<" a customer, ">" one of us.
Talk = tuple[str, str, list[str]]
TALKS: list[Talk] = [
    (
        "Carla Mendes",
        "16505551234",
        [
            "< Good morning! Do you have rye bread today?",
            "> Good morning Carla! Yes, fresh from the oven until six. Shall I put one aside?",
            "< Yes please, two! 😍 I will be there at five.",
        ],
    ),
    (
        "Jonas Weber",
        "4915798765432",
        [
            "< Hi! I would like to order a birthday cake for Saturday, for 12 people, if possible with raspberries.",
            "> What a lovely idea. For 12 people the raspberry cake is 48 €. Which name should go on it?",
            "< Mila. And six candles, please!",
            "> Noted: raspberry, 12 people, “Mila”, six candles. Pick it up on Saturday from 8:00.",
            "< Perfect, thank you 😊",
        ],
    ),
    ("مريم الحسن", "971501234567", ["< مرحبا، هل أنتم مفتوحون اليوم؟", "> مرحباً مريم! نعم، حتى الساعة السادسة مساءً."]),
    (
        "Priya Nair",
        "919812345678",
        ["< Hello, do you deliver to the office at Harbour Street?", "< We would need 30 croissants tomorrow at 9"],
    ),
    (
        "Tom Baker",
        "447911123456",
        ["< Is the sourdough vegan?", "> It is: flour, water, salt and time.", "< Brilliant. See you tomorrow"],
    ),
    ("Lucía Fernández", "5491123456789", ["< Hola! Tienen medialunas los domingos?"]),
    (
        "Emre Yılmaz",
        "905321234567",
        [
            "< Our café order for next week: 40 baguettes, 60 croissants, 20 rye. Same as always.",
            "> Thank you Emre, it is in the book. We deliver on Monday at six.",
        ],
    ),
    (
        "Sofia Rossi",
        "393331234567",
        ["< https://example.com/photo-of-the-cake looks wonderful. Could you make that one?"],
    ),
]


TEMPLATES = (
    ("your_question", "UTILITY", "Hello {{1}}, we can answer your question now. Just write back here.", ["Carla"]),
    ("order_ready", "UTILITY", "Hello {{1}}, your order {{2}} is ready. We are open until six.", ["Carla", "A-17"]),
    ("sunday_croissants", "MARKETING", "Dear {{1}}, this Sunday two croissants cost as much as one.", ["Carla"]),
)
CANNED = (
    ("hours", "We are open Monday to Saturday from 7:00 to 18:00, {{first_name}}."),
    ("thanks", "Thank you, {{first_name}}! {{agent_first_name}} from {{business}}"),
)


# Mark-ups in hundredths of a percent.
PLANS: dict[str, dict[str, Any]] = {
    "Starter": {
        "monthly_fee_micros": 29 * 10**6,
        "seats": 3,
        "numbers": 1,
        "api_rate": 5,
        "trial_days": 14,
        "trial_micros": 5 * 10**6,
        "markup": {"marketing": 1_000, "utility": 1_000, "authentication": 1_000},
    },
    "Team": {
        "monthly_fee_micros": 99 * 10**6,
        "seats": 15,
        "numbers": 5,
        "api_rate": 50,
        "included_messages": 500,
        "markup": {"marketing": 500, "utility": 500, "authentication": 500},
    },
}
SITE_TEXTS = [
    {"language": "fr", "text": "Bonjour, je suis intéressé par {title}."},
    {"language": "ar", "text": "مرحبا، أنا مهتم بـ {title}."},
    {"language": "en", "text": "Hello, I'm interested in {title}."},
]
VISITORS = (
    ("Aïssatou Ndiaye", "221771234567", "fr", Subject("property", "DKR-204", "Villa à Dakar", 500_000_000_000, "XOF")),
    ("خديجة بنت أحمد", "22236123456", "ar", Subject("property", "DKR-117", "شقة في داكار", 350_000_000_000, "XOF")),
    (
        "Moussa Diop",
        "221771234568",
        "fr",
        Subject("property", "DKR-088", "Villa familiale à Ngor", 450_000_000_000, "XOF"),
    ),
)


class Seed:
    def __init__(self, simulator_url: str, password: str, model_url: str) -> None:
        self.meta = httpx.Client(base_url=f"{simulator_url}/control/api", timeout=30, trust_env=False)
        self.password, self.model_url = password, model_url

    def run(self) -> None:
        self.people()
        self.plans()
        self.number()
        with tenant_scope(tenant_id("bakery")):
            started = bool(db.session.scalar(select(func.count()).select_from(Message)))
        if not started:
            with ThreadPoolExecutor(len(TALKS)) as pool:
                list(pool.map(partial(self.talk, current_app._get_current_object()), TALKS))  # type: ignore[attr-defined]
            self.templates()
            self.desk()
            self.listings()
        self.entry_points()
        self.reported()
        self.books()
        self.assistant()

    def plans(self) -> None:
        """What a business may choose under Costs."""
        with platform_scope("plans of the demo"):
            for name, offer in PLANS.items():
                if Plan.named(name) is None:
                    db.session.add(Plan(name=name, currency="USD", **offer))

    def people(self) -> None:
        for slug, owner in (("bakery", "ann"), ("shoes", "sue")):
            flask(
                "tenants",
                "create",
                "--name",
                slug.title(),
                "--slug",
                slug,
                "--owner-email",
                f"{owner}@example.com",
                "--owner-name",
                owner.title(),
                "--password",
                self.password,
            )
        # Two, since closing a business or revoking its credit line needs a second one.
        for name in ("Pat", "Quinn"):
            named = ("--email", f"{name.lower()}@example.com", "--name", name)
            flask("platform-admins", "create", *named, "--password", self.password)
        with global_scope():
            ann = db.session.scalars(select(User).where(User.email == "ann@example.com")).one()
            ben = db.session.scalar(select(User).where(User.email == "ben@example.com"))
        ben = ben or User(id=uuid.uuid4(), email="ben@example.com", name="Ben", password_hash=ann.password_hash)
        with tenant_scope(tenant_id("bakery")):
            if not db.session.scalar(select(Membership).where(Membership.user_id == ben.id)):
                admit(ben, Role.AGENT)

    def number(self) -> None:
        self.ids = self.post("seed", name="Bakery", display_phone_number=BAKERY_NUMBER)
        flask(
            "numbers",
            "connect",
            "--tenant",
            "bakery",
            "--waba-id",
            self.ids["waba_id"],
            "--phone-number-id",
            self.ids["phone_number_id"],
            "--display-number",
            BAKERY_NUMBER,
            "--token",
            self.ids["token"],
        )

    def talk(self, app: Flask, talk: Talk) -> None:
        name, wa_id, lines = talk
        with app.app_context():
            for number, line in enumerate(lines, 1):
                who, words = line[0], line[2:]
                if who == "<":
                    self.customer_writes(name, wa_id, words, hours_ago=HOURS_AGO.get(wa_id, 0))
                else:
                    self.answer(wa_id, words)
                self.wait_for(wa_id, number)
            self.post("reads", phone_number_id=self.ids["phone_number_id"], **{"from": wa_id})

    def templates(self) -> None:
        for name, category, body, examples in (*TEMPLATES, *reported.TEMPLATES):
            part = {"type": "BODY", "text": body, "example": {"body_text": [examples]}}
            template: dict[str, Any] = {"name": name, "category": category, "language": "en_US", "status": "APPROVED"}
            template["components"] = [part]
            self.post("templates", waba_id=self.ids["waba_id"], **template)
        for template in diary.templates():
            self.post("templates", waba_id=self.ids["waba_id"], **template)

    def desk(self) -> None:
        """The desk after a morning: assigned, tagged and noted conversations, and one with a closed reply window."""
        with tenant_scope(tenant_id("bakery")):
            ann, ben = (
                db.session.scalars(select(User).where(User.email == f"{who}@example.com")).one()
                for who in ("ann", "ben")
            )
            cafe, cake, office, sunday = (
                db.session.scalars(conversation_with(wa_id)).one()
                for wa_id in ("905321234567", "4915798765432", "919812345678", "5491123456789")
            )
            for shortcut, words in CANNED:
                db.session.add(CannedReply(shortcut=shortcut, body=words))
            for conversation, tag in ((cafe, "Wholesale"), (cafe, "Regular"), (cake, "Cake")):
                Tag.get_or_make(tag).put_on(conversation.contact_id, by=Actor.agent(ann))
            office.give(ben, by=Actor.agent(ben), expected=None)
            cake.give(ann, by=Actor.agent(ann), expected=None)
            Note.write(
                cake, "@Ben can you have the candles ready by Friday?", by=Actor.agent(ann), client_id=uuid.uuid4()
            )
            diary.fill([cake, office, cafe, sunday], ann, ben)
            identities = select(ContactIdentity.value, ContactIdentity.contact_id)
            numbers = {value: id for value, id in db.session.execute(identities)}  # noqa: C416  typed so
            bakery.add_records(numbers, by=Actor.agent(ann))
            weeks.fill(cafe.phone_number, ann, ben)

    def entry_points(self) -> None:
        """A site of villas and a sign, and customers who came by them; on the next start they are there."""
        with tenant_scope(tenant_id("bakery")):
            if EntryPoint.called(SLUG):
                return
            number = db.session.scalars(select(PhoneNumber)).first()
            assert number
            site = EntryPoint.create("Agence Sahel: properties", number, slug=SLUG, kind="page", texts=SITE_TEXTS)
            sign = EntryPoint.create("Sign in the window", number, slug="window", kind="qr", texts=SITE_TEXTS[2:])
            visits = [
                (name, wa_id, site.first_words(self.visit(site, subject), subject, language))
                for name, wa_id, language, subject in VISITORS
            ]
            visits.append(("Ousmane Fall", "221771234569", sign.first_words(sign.code, None, "en")))
        for visit in visits:
            self.customer_writes(*visit)

    @staticmethod
    def visit(site: EntryPoint, subject: Subject) -> str:
        utm = {"source": "agence-sahel", "medium": "site", "campaign": "autumn"}
        return EntryReference.issue(site, subject, utm, "fr") or site.code

    def listings(self) -> None:
        """What it lets and sells in Dakar; Emre owns it, and مريم asked about a villa."""
        with tenant_scope(tenant_id("bakery")):
            ann, ben = (
                db.session.scalars(select(User).where(User.email == f"{who}@example.com")).one()
                for who in ("ann", "ben")
            )
            customer, owner = (
                db.session.scalars(conversation_with(wa_id)).one() for wa_id in ("971501234567", "905321234567")
            )
            properties.offer(by=Actor.agent(ann), customer=customer, owner=owner, ben=ben)

    def reported(self) -> None:
        with tenant_scope(tenant_id("bakery")):
            reported.report(Actor.agent(db.session.scalars(select(User).where(User.email == "ann@example.com")).one()))

    def books(self) -> None:
        """A plan, last month's invoice, and what Meta counts otherwise; on the next start they are there."""
        with tenant_scope(tenant_id("bakery")):
            if books.has_begun():
                return
            books.begin()
        month = books.last_month(dt.datetime.now(dt.UTC).date())
        number, sent = self.ids["phone_number_id"], list(books.statuses(month))
        self.post("webhooks", field="messages", phone_number_id=number, value={"statuses": sent})
        self.wait_until(lambda: books.count_posted() >= len(sent))
        for days, country, category, count, _words in books.MISSING:
            about = {"country": country, "category": category, "type": "regular"}
            at = int(time.time()) - days * 86_400
            self.post("volume-differences", phone_number_id=number, at=at, volume=count, **about)
        with tenant_scope(tenant_id("bakery")):
            books.close(month)
        with tenant_scope(tenant_id("bakery")):
            books.reconcile()

    def assistant(self) -> None:
        """Bakery's assistant suggests replies, with the scripted model: no key is needed."""
        with tenant_scope(tenant_id("bakery")):
            ann = db.session.scalars(select(User).where(User.email == "ann@example.com")).one()
            access = ModelAccess.current() or ModelAccess(problem="")
            access.provider, access.base_url, access.model = "openai", f"{self.model_url}/v1", SCRIPTED
            access.input_price, access.output_price = 250_000, 2_000_000
            db.session.add(access)
            is_new = bakery.teach(by=Actor.agent(ann))
            if is_new:
                Assistant.get_or_make().embed_by("provider", "")
        if is_new:
            self.customer_writes("Nora Lind", "46701740605", "Good morning! Do you have rye bread today?")

    def customer_writes(self, name: str, wa_id: str, words: str, *, hours_ago: int = 0) -> None:
        number, item = self.ids["phone_number_id"], {}
        if hours_ago:
            item["timestamp"] = str(int(time.time()) - hours_ago * 3600)
        self.post("inbound", phone_number_id=number, **{"from": wa_id}, name=name, text=words, item=item)

    def answer(self, wa_id: str, words: str) -> None:
        with tenant_scope(tenant_id("bakery")):
            ann = db.session.scalars(select(User).where(User.email == "ann@example.com")).one()
            conversation = db.session.scalars(conversation_with(wa_id)).one()
            conversation.reply(words, by=Actor.agent(ann), client_id=uuid.uuid4())
            conversation.mark_read()

    def wait_for(self, wa_id: str, count: int) -> None:
        """Waits until these messages have arrived, so that the next one comes after them."""

        def have_arrived() -> bool:
            conversation = db.session.scalar(conversation_with(wa_id))
            messages = list(db.session.scalars(conversation.thread())) if conversation else []
            return len(messages) == count and all(m.state in ARRIVED for m in messages)

        self.wait_until(have_arrived)

    @staticmethod
    def wait_until(is_so: Callable[[], bool]) -> None:
        """Looks at the bakery until it is."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with tenant_scope(tenant_id("bakery")):
                if is_so():
                    return
            time.sleep(0.05)
        raise SystemExit("The demo's messages do not arrive. See .local/logs.")

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.meta.post(f"/{path}", json=body)
        answer.raise_for_status()
        return answer.json()  # type: ignore[no-any-return]


def conversation_with(wa_id: str) -> Any:
    contacts = select(ContactIdentity.contact_id).where(ContactIdentity.kind == "wa_id", ContactIdentity.value == wa_id)
    return select(Conversation).where(Conversation.contact_id.in_(contacts))


def tenant_id(slug: str) -> uuid.UUID:
    with global_scope():
        return db.session.scalars(select(TenantSlug.tenant_id).where(TenantSlug.slug == slug)).one()


def flask(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", *command], env=os.environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"flask {' '.join(command[:2])} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    with create_app().app_context():
        Seed(*sys.argv[1:]).run()
