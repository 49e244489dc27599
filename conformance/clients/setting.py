"""What an example works with: a number of its own at the simulator, and webhooks that the simulator has posted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from conformance import contents
from dev.environment import SIMULATED_META

CUSTOMER = "16505557890"
TAPPED = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}
PLACE = {"latitude": 51.5, "longitude": -0.12, "name": "Bakery"}
# One webhook of each kind, by the name under which examples find it.
INBOUND: dict[str, dict[str, Any]] = {
    "text": {"text": "Hello"},
    "image": {"type": "image"},
    "document": {"type": "document"},
    "location": {"type": "location", "location": PLACE},
    "interactive": {"type": "interactive", "interactive": TAPPED},
}


@dataclass(frozen=True)
class Webhook:
    """A received webhook: its exact body and its signature."""

    body: str
    signature: str

    @property
    def value(self) -> dict[str, Any]:
        """The value of the first change."""
        return dict(json.loads(self.body)["entry"][0]["changes"][0]["value"])


@dataclass(frozen=True)
class Setting:
    """Everything is text, so that it can also be given to another program as JSON."""

    url: str
    version: str
    token: str
    app_id: str
    app_secret: str
    verify_token: str
    business_id: str
    waba_id: str
    phone_number_id: str
    unverified_id: str
    unregistered_id: str
    catalog_id: str
    flow_id: str
    template_id: str
    customer: str
    customer_id: str
    wamid: str
    webhooks: dict[str, Webhook]

    def as_json(self) -> str:
        """The setting as JSON, for another program."""
        return json.dumps(asdict(self))


class Receiver:
    """A server that stores the webhooks it receives and answers 200."""

    def __init__(self) -> None:
        self.received: list[Webhook] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                received.append(Webhook(body, self.headers["X-Hub-Signature-256"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Logs nothing, so that the terminal shows only results."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Receiver]:
        """Serves until the block ends."""
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()

    def wait_for(self, phone_number_id: str, kind: str, seconds: float = 20) -> Webhook:
        """The first webhook of this number with a message of the type, or with a status."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for webhook in list(self.received):
                items = webhook.value.get("statuses" if kind == "status" else "messages", [])
                is_ours = webhook.value.get("metadata", {}).get("phone_number_id") == phone_number_id
                if is_ours and any(kind in ("status", item.get("type")) for item in items):
                    return webhook
            time.sleep(0.02)
        raise TimeoutError(f"No webhook of the kind {kind} came.")


def prepare(simulator_url: str, receiver: Receiver, name: str, number: int) -> Setting:
    """A business for one client, ready to write to a customer who has just written to it."""
    with httpx.Client(base_url=f"{simulator_url}/control/api", timeout=30, trust_env=False) as control:

        def order(path: str, **body: Any) -> dict[str, Any]:
            return dict(control.post(f"/{path}", json=body).raise_for_status().json())

        order("knobs", pair_every=0, status_before_answer=0)
        ids = order("seed", name=name, display_phone_number=f"+1 555 079 {number:04}")
        about = {"phone_number_id": ids["phone_number_id"]}
        templates = [order("templates", **about, **template)["id"] for template in contents.TEMPLATES]
        inbound = {
            kind: order("inbound", **about, **{"from": CUSTOMER}, name="Carla", **more)
            for kind, more in INBOUND.items()
        }
        graph = f"{simulator_url}/v25.0/{ids['waba_id']}/phone_numbers"
        headers = {"Authorization": f"Bearer {ids['token']}"}
        more_ids = []
        for at in (1, 2):
            body = {"cc": "1", "phone_number": f"555080{number + at:04}", "verified_name": f"{name} {at}"}
            answer = httpx.post(graph, json=body, headers=headers, trust_env=False)
            more_ids.append(str(answer.raise_for_status().json()["id"]))
        order("account-events", phone_number_id=more_ids[1], event="verified")
        first = {"messaging_product": "whatsapp", "to": CUSTOMER, "text": {"body": "Welcome"}}
        messages = f"{simulator_url}/v25.0/{ids['phone_number_id']}/messages"
        httpx.post(messages, json=first, headers=headers, trust_env=False).raise_for_status()
        return Setting(
            url=simulator_url,
            version="v25.0",
            token=ids["token"],
            app_id=SIMULATED_META["META_APP_ID"],
            app_secret=SIMULATED_META["META_APP_SECRETS"],
            verify_token="chosen-by-the-client",
            business_id=ids["business_id"],
            waba_id=ids["waba_id"],
            phone_number_id=ids["phone_number_id"],
            unverified_id=more_ids[0],
            unregistered_id=more_ids[1],
            catalog_id=order("catalogs", **about)["id"],
            flow_id=order("flows", **about, name="booking")["id"],
            template_id=templates[0],
            customer=CUSTOMER,
            customer_id=inbound["text"]["user_id"],
            wamid=inbound["text"]["wamid"],
            webhooks={kind: receiver.wait_for(ids["phone_number_id"], kind) for kind in (*INBOUND, "status")},
        )
