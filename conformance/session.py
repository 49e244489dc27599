"""The connections to the simulator, and the single calls the traffic is made of."""

from __future__ import annotations

from typing import Any

import httpx

from app.meta.graph import GraphClient
from conformance.recording import Exchange, Recorder
from dev.environment import SIMULATED_META

VERSION = "v25.0"
CUSTOMER = "16505551234"
SYSTEM_TOKEN = SIMULATED_META["META_SYSTEM_USER_TOKEN"]
SYSTEM_USER = SIMULATED_META["META_SYSTEM_USER_ID"]
PARTNER = SIMULATED_META["META_BUSINESS_ID"]
LINE = SIMULATED_META["META_CREDIT_LINE_ID"]
APP = SIMULATED_META["META_APP_ID"]
# What Meta's description calls the ids in its paths; of the last two it does not speak.
NAMES = {
    "app": ("Application-ID",),
    "business": ("Business-ID",),
    "waba": ("WABA-ID", "WhatsApp-Business-Account-ID"),
    "number": ("Phone-Number-ID",),
    "media": ("Media-ID",),
    "template": ("TEMPLATE_ID",),
    "flow": ("Flow-ID",),
    "credit line": ("Credit-Line-ID",),
    "allocation": ("Allocation-ID",),
}
FILES = {
    "image": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "video": ("video/mp4", b"\0\0\0\x18ftypmp42"),
    "audio": ("audio/ogg", b"OggS"),
    "document": ("application/pdf", b"%PDF-1.4"),
    "sticker": ("image/webp", b"RIFF\0\0\0\0WEBP"),
}


class Session:
    """Calls Meta as the product does (`graph`) and by hand; records both. `kinds`: what a path may call each id."""

    def __init__(self, simulator_url: str) -> None:
        self.recorder = Recorder()
        secret = SIMULATED_META["META_APP_SECRETS"]
        self.graph = GraphClient(simulator_url, VERSION, APP, secret, transport=self.recorder)
        self.by_hand = httpx.Client(base_url=f"{simulator_url}/{VERSION}", transport=self.recorder, trust_env=False)
        self.control = httpx.Client(base_url=f"{simulator_url}/control/api", timeout=10, trust_env=False)
        self.kinds: dict[str, tuple[str, ...]] = {}
        self.name_ids(app=APP, business=PARTNER, **{"credit line": LINE})

    @property
    def exchanges(self) -> list[Exchange]:
        """Every recorded request with its answer."""
        return self.recorder.exchanges

    def close(self) -> None:
        """Closes the connections."""
        self.graph.close()
        self.by_hand.close()
        self.control.close()

    def name_ids(self, **ids: str) -> None:
        """Notes what the ids may be called in a path."""
        self.kinds |= {id: NAMES[kind] for kind, id in ids.items()}

    def client(self, path: str, **body: object) -> dict[str, str]:
        """Creates a client by the control panel and notes its ids."""
        ids = self.order(path, **body)
        self.name_ids(business=ids["business_id"], waba=ids["waba_id"], number=ids["phone_number_id"])
        return ids

    def order(self, path: str, **body: object) -> dict[str, Any]:
        """Calls the simulator's control panel."""
        answer = self.control.post(f"/{path}", json=body)
        answer.raise_for_status()
        return dict(answer.json())

    def receive_message(self, number: str, **more: object) -> str:
        """Lets a customer write; returns the message id."""
        return str(self.order("inbound", phone_number_id=number, **{"from": CUSTOMER}, **more)["wamid"])

    def call(self, token: str, method: str, path: str, **request: Any) -> httpx.Response:
        """Sends a request that has to succeed."""
        return self.send(token, method, path, **request).raise_for_status()

    def send(self, token: str, method: str, path: str, **request: Any) -> httpx.Response:
        """Sends a request with a token."""
        return self.by_hand.request(method, path, headers={"Authorization": f"Bearer {token}"}, **request)

    def upload(self, number: str, token: str, kind: str) -> str:
        """Uploads a small file of the kind and returns its id."""
        mime_type, content = FILES[kind]
        answer = self.call(
            token,
            "POST",
            f"{number}/media",
            data={"messaging_product": "whatsapp", "type": mime_type},
            files={"file": (kind, content, mime_type)},
        )
        self.name_ids(media=str(answer.json()["id"]))
        return str(answer.json()["id"])
