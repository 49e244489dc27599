"""Stripe as the tests see it: its API by `responses`, with the shapes of docs.stripe.com/api, and its signed events."""

from __future__ import annotations

import itertools
import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import responses
import stripe
from requests import PreparedRequest

from app.billing.stripe_account import TENANT, TOP_UP
from app.billing.top_ups import TopUp

API = "https://api.stripe.com/v1"
SECRET, OLD_SECRET = "whsec_new", "whsec_old"
Answer = tuple[int, dict[str, str], str]


class Stripe:
    """Pages, payments, refunds and disputes of one account. `down`: it does not answer."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.disputes: list[dict[str, Any]] = []
        self.by_key: dict[str, Answer] = {}
        self.calls: list[str] = []
        self.detached: list[str] = []
        # What Stripe lists, the newest first, whether it was delivered or not.
        self.events: list[dict[str, Any]] = []
        self.page_size = 100
        self.numbers = itertools.count(1)
        self.decline: dict[str, str] = {}
        self.status_of_charges = "succeeded"
        self.is_down = self.loses_answers = False

    def start(self, mocked: responses.RequestsMock) -> None:
        for method, path, answer in (
            ("POST", r"checkout/sessions", self.create_session),
            ("GET", r"checkout/sessions/\w+", lambda request: self.get(self.sessions, request)),
            ("POST", r"payment_intents", self.create_intent),
            ("GET", r"payment_intents/\w+", lambda request: self.get(self.intents, request)),
            ("GET", r"refunds", lambda request: self.listed(self.refunds, request)),
            ("GET", r"disputes", lambda request: self.listed(self.disputes, request)),
            ("GET", r"events", self.list_events),
            ("POST", r"payment_methods/\w+/detach", self.detach),
        ):
            url = re.compile(rf"{re.escape(API)}/{path}(\?.*)?$")
            mocked.add_callback(method, url, callback=self.answering(answer))

    def answering(self, answer: Any) -> Any:
        def respond(request: PreparedRequest) -> Answer:
            self.calls.append(f"{request.method} {(request.url or '').removeprefix(API).partition('?')[0]}")
            if self.is_down:
                raise ConnectionError
            key = str(request.headers.get("Idempotency-Key") or "")
            if key and key in self.by_key:
                return self.by_key[key]
            made: Answer = answer(request)
            if key:
                self.by_key[key] = made
            if self.loses_answers:
                raise ConnectionError
            return made

        return respond

    def create_session(self, request: PreparedRequest) -> Answer:
        requested = dict(parse_qsl(str(request.body)))
        id = f"cs_test_{next(self.numbers)}"
        self.sessions[id] = {
            "id": id,
            "object": "checkout.session",
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "amount_total": int(requested["line_items[0][price_data][unit_amount]"]),
            "currency": requested["line_items[0][price_data][currency]"],
            "metadata": metadata_of(requested),
            "url": f"https://checkout.stripe.com/c/pay/{id}",
            "setup_future_usage": requested.get("payment_intent_data[setup_future_usage]"),
        }
        return reply(self.sessions[id])

    def create_intent(self, request: PreparedRequest) -> Answer:
        requested = dict(parse_qsl(str(request.body)))
        id = self.intent(
            int(requested["amount"]), requested["currency"], metadata_of(requested), status=self.status_of_charges
        )
        if self.decline:
            self.intents[id] |= {"status": "requires_payment_method", "latest_charge": None}
            error = self.decline | {"type": "card_error", "message": "declined", "payment_intent": {"id": id}}
            return 402, {}, json.dumps({"error": error})
        return reply(self.intents[id])

    def intent(self, amount: int, currency: str, metadata: dict[str, str], status: str = "succeeded") -> str:
        id = f"pi_{next(self.numbers)}"
        charge = {
            "id": f"ch_{id}",
            "object": "charge",
            "currency": currency,
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "disputed": False,
            "payment_intent": id,
            "metadata": metadata,
        }
        card = {"id": "pm_1", "object": "payment_method", "type": "card", "card": {"brand": "visa", "last4": "4242"}}
        self.intents[id] = {
            "id": id,
            "object": "payment_intent",
            "status": status,
            "amount": amount,
            "currency": currency,
            "metadata": metadata,
            "customer": None,
            "setup_future_usage": None,
            "payment_method": card,
            "last_payment_error": None,
            "latest_charge": charge if status == "succeeded" else None,
        }
        return id

    def get(self, rows: dict[str, dict[str, Any]], request: PreparedRequest) -> Answer:
        id = (request.url or "").partition("?")[0].rpartition("/")[2]
        if id not in rows:
            return 404, {}, json.dumps({"error": {"type": "invalid_request_error", "code": "resource_missing"}})
        return reply(rows[id])

    def listed(self, rows: list[dict[str, Any]], request: PreparedRequest) -> Answer:
        requested = dict(parse_qsl((request.url or "").partition("?")[2]))
        mine = [row for row in rows if row["payment_intent"] == requested["payment_intent"]]
        return reply({"object": "list", "data": mine, "has_more": False, "url": "/v1/refunds"})

    def list_events(self, request: PreparedRequest) -> Answer:
        requested = dict(parse_qsl((request.url or "").partition("?")[2]))
        types = [value for name, value in requested.items() if name.startswith("types[")]
        assert 0 < len(types) <= 20 and int(requested["limit"]) <= 100
        mine = [
            each for each in self.events if each["type"] in types and each["created"] >= int(requested["created[gte]"])
        ]
        after = next((n for n, each in enumerate(mine, 1) if each["id"] == requested.get("starting_after")), 0)
        page, rest = mine[after:][: self.page_size], mine[after:][self.page_size :]
        return reply({"object": "list", "data": page, "has_more": bool(rest), "url": "/v1/events"})

    def detach(self, request: PreparedRequest) -> Answer:
        id = (request.url or "").split("/")[-2]
        self.detached.append(id)
        return reply({"id": id, "object": "payment_method"})

    # What happens at Stripe.

    def pay(self, top_up: TopUp, amount: int | None = None, currency: str | None = None) -> str:
        """The customer pays on the page of a top-up."""
        session = next(each for each in self.sessions.values() if each["metadata"].get(TOP_UP) == str(top_up.id))
        id = self.intent(amount or session["amount_total"], currency or session["currency"], session["metadata"])
        if session["setup_future_usage"]:
            self.intents[id] |= {"setup_future_usage": "off_session", "customer": "cus_1"}
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": id}
        return id

    def refund(self, intent_id: str, amount: int, status: str = "succeeded") -> dict[str, Any]:
        self.intents[intent_id]["latest_charge"]["amount_refunded"] += amount
        made = {"id": f"re_{next(self.numbers)}", "object": "refund", "payment_intent": intent_id, "amount": amount}
        self.refunds.append(made | {"status": status})
        return self.refunds[-1]

    def dispute(self, intent_id: str, amount: int, status: str = "needs_response") -> dict[str, Any]:
        self.intents[intent_id]["latest_charge"]["disputed"] = True
        made = {"id": f"dp_{next(self.numbers)}", "object": "dispute", "payment_intent": intent_id, "amount": amount}
        self.disputes.append(made | {"status": status, "metadata": {}})
        return self.disputes[-1]

    def happens(self, type: str, subject: dict[str, Any], *, days_ago: int = 0) -> None:
        """An event that Stripe lists, and that never arrives here."""
        created = {"created": int(time.time()) - days_ago * 86_400}
        self.events.insert(0, json.loads(self.event(type, subject)) | created)

    def event(self, type: str, subject: dict[str, Any], id: str = "") -> bytes:
        """As Stripe posts it (docs.stripe.com/api/events/object)."""
        facts = {"id": id or f"evt_{uuid.uuid4().hex}", "object": "event", "api_version": stripe.api_version}
        return json.dumps(facts | {"type": type, "livemode": False, "data": {"object": subject}}).encode()


def reply(body: dict[str, Any]) -> Answer:
    return 200, {"Request-Id": "req_1"}, json.dumps(body)


def metadata_of(requested: dict[str, str]) -> dict[str, str]:
    return {name: requested[f"metadata[{name}]"] for name in (TENANT, TOP_UP) if f"metadata[{name}]" in requested}


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at or time.time()))
    return {"Stripe-Signature": header}


def started() -> Iterator[Stripe]:
    double = Stripe()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        double.start(mocked)
        yield double
