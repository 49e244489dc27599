"""The requests to the simulator: first by the product's own code, then every edge by hand."""

from __future__ import annotations

import datetime as dt
import io
import json

from app.meta import (
    credit_lines,
    embedded_signup,
    health,
    media,
    message_templates,
    messages,
    phone_numbers,
    pricing_analytics,
    system_users,
    wabas,
)
from conformance import contents, flows, numbers, templates
from conformance.session import APP, CUSTOMER, FILES, LINE, PARTNER, SYSTEM_TOKEN, SYSTEM_USER, Session

PIN = "123456"
DAY = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


class Traffic(Session):
    """Every call of the product once, then every edge and every type of message by hand."""

    def run(self) -> None:
        """Makes every call."""
        bakery, token = self.connect_client()
        self.connect_client_by_method_b()
        self.converse(bakery["waba_id"], bakery["phone_number_id"], token)
        numbers.add_by_api(self, bakery["waba_id"], token)
        numbers.connect_with_app(self)
        numbers.change_public_details(self, bakery["phone_number_id"], token)
        numbers.maintain(self, bakery["business_id"])
        self.call_every_edge(bakery, token)
        templates.live(self, bakery["waba_id"], token)
        flows.live(self, bakery["waba_id"], bakery["phone_number_id"], token)
        self.send_every_message(bakery, token)
        templates.send_directly(self, bakery["waba_id"], bakery["phone_number_id"], token)
        self.provoke_refusals(bakery, token)
        self.disconnect(bakery, token)

    def connect_client(self) -> tuple[dict[str, str], str]:
        """Makes the calls that connect a number."""
        graph = self.graph
        bakery = self.client("signups", name="Bakery", display_phone_number="+1 555 078 3881")
        waba, number = bakery["waba_id"], bakery["phone_number_id"]
        token = embedded_signup.exchange_code(graph, bakery["code"]).value
        embedded_signup.debug_token(graph, token, graph.app_token)
        wabas.fetch(graph, token, waba)
        phone_numbers.of_waba(graph, token, waba)
        phone_numbers.fetch(graph, token, number)
        wabas.subscribe(graph, token, waba)
        wabas.subscribed_apps(graph, token, waba)
        wabas.is_subscribed(graph, token, waba)
        system_users.of_business(graph, SYSTEM_TOKEN, PARTNER)
        system_users.assign(graph, SYSTEM_TOKEN, waba, SYSTEM_USER)
        system_users.assigned(graph, SYSTEM_TOKEN, waba, PARTNER)
        bakery["allocation_id"] = credit_lines.fund(
            graph,
            system_token=SYSTEM_TOKEN,
            business_token=token,
            credit_line_id=LINE,
            business_id=bakery["business_id"],
            waba_id=waba,
            currency="USD",
        )
        self.name_ids(allocation=bakery["allocation_id"])
        credit_lines.is_funding(
            graph,
            system_token=SYSTEM_TOKEN,
            business_token=token,
            allocation_id=bakery["allocation_id"],
            waba_id=waba,
        )
        phone_numbers.register(graph, token, number, PIN, "DE")
        phone_numbers.set_pin(graph, token, number, PIN)
        phone_numbers.remove_override(graph, token, number)
        health.fetch(graph, token, number)
        health.fetch(graph, token, waba)
        pricing_analytics.fetch(graph, token, waba, DAY, DAY + dt.timedelta(days=1))
        return bakery, token

    def connect_client_by_method_b(self) -> None:
        """Shares the credit line by the second method, then revokes it."""
        graph = self.graph
        florist = self.client(
            "seed", name="Florist", display_phone_number="+1 555 078 3882", credit=False, registered=False
        )
        token, waba = florist["token"], florist["waba_id"]
        allocation = credit_lines.share(graph, SYSTEM_TOKEN, LINE, florist["business_id"])
        self.name_ids(allocation=allocation)
        credit_lines.attach(graph, token, LINE, waba, "USD")
        credit_lines.revoke(graph, SYSTEM_TOKEN, allocation)
        credit_lines.is_revoked(graph, SYSTEM_TOKEN, allocation)

    def converse(self, waba: str, number: str, token: str) -> None:
        """Makes the calls of a conversation."""
        wamid = self.receive_message(number, text="Hello")
        messages.mark_read(self.graph, token, number, wamid, typing=True)
        content = {"type": "text", "text": {"body": "Hi", "preview_url": True}}
        messages.send(self.graph, token, number, to=CUSTOMER, content=content, callback_data="1", context_wamid=wamid)
        user_id = self.order("inbound", phone_number_id=number, **{"from": CUSTOMER}, text="?")["user_id"]
        messages.send(self.graph, token, number, recipient=user_id, content=content, callback_data=None)
        self.receive_message(number, type="image")
        media_id = self.received_media_id()
        self.name_ids(media=media_id)
        menu = io.BytesIO(b"%PDF-1.4")
        self.name_ids(media=media.upload(self.graph, token, number, file=menu, name="menu.pdf", mime="application/pdf"))
        message_templates.templates_of(self.graph, token, waba)
        location = media.locate(self.graph, token, media_id, number)
        self.graph.download(location.url, io.BytesIO(), token=token, limit=media.LARGEST, seconds=10)

    def received_media_id(self) -> str:
        """The id of an image that a customer sent."""
        answer = self.control.get("/messages").json()["messages"]
        return next(str(json.loads(one["content"])["id"]) for one in answer if one["type"] == "image")

    def call_every_edge(self, bakery: dict[str, str], token: str) -> None:
        """Calls every edge by hand."""
        waba, number = bakery["waba_id"], bakery["phone_number_id"]
        people = {"messaging_product": "whatsapp", "block_users": [{"user": f"+{CUSTOMER}"}]}
        templates = [self.order("templates", waba_id=waba, **template)["id"] for template in contents.TEMPLATES]
        self.name_ids(template=templates[0])
        self.call(token, "GET", "me")
        self.call(token, "GET", bakery["business_id"])
        self.call(SYSTEM_TOKEN, "GET", f"{PARTNER}/extendedcredits")
        self.call(token, "GET", number)
        self.call(token, "GET", waba)
        self.call(token, "GET", f"{waba}/phone_numbers")
        self.call(token, "GET", f"{waba}/message_templates", params={"limit": 2})
        self.call(token, "GET", templates[0])
        self.call(token, "POST", templates[0], json={"components": contents.TEMPLATES[0]["components"]})
        made = {"name": "made", "language": "en_US", "category": "UTILITY"}
        self.call(token, "POST", f"{waba}/message_templates", json=made | contents.TEMPLATES[0] | {"name": "made"})
        self.call(token, "DELETE", f"{waba}/message_templates", params={"name": "made"})
        self.order("templates", waba_id=waba, **contents.TEMPLATES[0])
        self.call(token, "GET", f"{number}/settings")
        self.call(token, "POST", f"{number}/settings", json={"calling": {"status": "ENABLED"}})
        self.call(token, "POST", f"{number}/block_users", json=people)
        self.call(token, "GET", f"{number}/block_users")
        self.call(token, "DELETE", f"{number}/block_users", json=people)
        self.call(self.graph.app_token, "GET", f"{APP}/subscriptions")
        file = self.upload(number, token, "document")
        self.call(token, "GET", file)
        self.call(token, "DELETE", file)

    def send_every_message(self, bakery: dict[str, str], token: str) -> None:
        """Sends a message of every type."""
        number = bakery["phone_number_id"]
        self.order("catalogs", phone_number_id=number, catalog_id="1")
        self.order("flows", phone_number_id=number, flow_id="1")
        files = {kind: self.upload(number, token, kind) for kind in FILES}
        for content in contents.of_every_type(files, self.receive_message(number, text="Good bread")):
            envelope = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": f"+{CUSTOMER}"}
            self.call(token, "POST", f"{number}/messages", json=envelope | content)

    def provoke_refusals(self, bakery: dict[str, str], token: str) -> None:
        """Makes calls that are refused: with an unknown token, and with invalid parameters."""
        waba, number = bakery["waba_id"], bakery["phone_number_id"]
        for path in (number, waba, f"{waba}/phone_numbers", f"{waba}/subscribed_apps", f"{waba}/message_templates"):
            self.send("unknown", "GET", path)
            self.send(token, "GET", path, params={"fields": "nonsense"})
        for path in (f"{number}/messages", f"{number}/register", f"{number}/media", f"{number}/block_users"):
            self.send("unknown", "POST", path, json={})
            self.send(token, "POST", path, json={})
        self.send(token, "POST", f"{number}/register", json={"messaging_product": "whatsapp", "pin": "000000"})

    def disconnect(self, bakery: dict[str, str], token: str) -> None:
        """Makes the calls that end the connection."""
        phone_numbers.deregister(self.graph, token, bakery["phone_number_id"])
        wabas.unsubscribe(self.graph, token, bakery["waba_id"])
        params = {"user": SYSTEM_USER}
        self.call(SYSTEM_TOKEN, "DELETE", f"{bakery['waba_id']}/assigned_users", params=params)
