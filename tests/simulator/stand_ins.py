"""Who is on the other end of the simulator's lines."""

from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, request
from flask.testing import FlaskClient

from simulator.samples import png

ORIGIN = "http://product.example:8000"


@dataclass
class Product:
    """Takes the place of the product: records every webhook and answers what the test wants."""

    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def app(self) -> Flask:
        app = Flask("product")
        app.add_url_rule("/webhooks", view_func=self.answer, methods=["GET", "POST"])
        app.add_url_rule("/webhooks/picture.png", view_func=lambda: Response(png(), mimetype="image/png"))
        return app

    def answer(self) -> Response:
        if request.method == "GET":
            existing = request.args["hub.verify_token"] == "right"
            return Response(request.args["hub.challenge"] if existing else "", 200 if existing else 403)
        self.bodies.append(request.get_data())
        self.signatures.append(request.headers["X-Hub-Signature-256"])
        self.events.append(request.get_json())
        return Response(status=self.answers.pop(0) if self.answers else 200)

    def values(self, field_name: str = "messages") -> list[dict[str, Any]]:
        changes = [change for event in self.events for entry in event["entry"] for change in entry["changes"]]
        return [change["value"] for change in changes if change["field"] == field_name]

    def statuses(self) -> list[dict[str, Any]]:
        return [status for value in self.values() for status in value.get("statuses", [])]

    def inbound(self) -> list[dict[str, Any]]:
        return [message for value in self.values() for message in value.get("messages", [])]


@dataclass
class Graph:
    """Calls the Graph API the way a partner's server does."""

    client: FlaskClient
    token: str

    def __call__(self, method: str, path: str, token: str | None = None, **kwargs: Any) -> Any:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.client.open(f"/v25.0/{path}", method=method, headers=headers, **kwargs)

    def send(self, number: dict[str, str], to: str | None, text: str = "Hello", /, **more: Any) -> Any:
        body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}} | more
        return self("POST", f"{number['phone_number_id']}/messages", token=number["token"], json=body)
