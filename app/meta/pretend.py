"""Test mode: Meta's answers to what a sandbox asks, made here. Nothing of a sandbox leaves this machine.

A sandbox's access token is `TOKEN`, and the ids of its account, number, templates and files begin with 00, as none of
Meta's do. Whatever carries the one or names the other is answered by `Pretending` instead of the network.
"""

import json
import re
import uuid
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx

from app.words import N_

from .payload import mapping

TOKEN = "test-mode"  # noqa: S105  no secret: it opens nothing
PREFIX = "00"
WAMID = "wamid.test."
# How long after a refusal for its pair a message to the same person is accepted.
PAIR_SECONDS = 60.0
PAIR = 131056
_OURS = re.compile(rf"{PREFIX}\d{{20,28}}|{re.escape(WAMID)}\w+", re.ASCII)
_AUTHORISED = {f"Bearer {TOKEN}", f"OAuth {TOKEN}"}
_DIGITS = re.compile(r"\D")
_SUCCESS: dict[str, Any] = {"success": True}
NO_SUCH_CALL = "Test mode has no such call."

# Meta's titles of the errors that are played here (Cloud API: error codes).
TITLES = {
    100: "Invalid parameter",
    131000: "Something went wrong",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131049: "This message was not delivered to maintain healthy ecosystem engagement.",
    131050: "User has stopped marketing messages",
    PAIR: "(Business Account, Consumer Account) pair rate limit hit",
}


@dataclass(frozen=True, slots=True)
class MagicNumber:
    """What becomes of a message to this number. `refusal` is Meta's error at once, `failure` the one that a webhook
    brings; else the webhooks bring `statuses`, one after the other."""

    digits: str
    words: str
    statuses: tuple[str, ...] = ("sent", "delivered", "read")
    failure: int | None = None
    refusal: int | None = None
    status: int = 200

    @property
    def phone(self) -> str:
        return f"+{self.digits}"


MAGIC_NUMBERS = (
    MagicNumber("16505550100", N_("Delivered and read, as is a message to any number that is not in this list.")),
    MagicNumber("16505550101", N_("Delivered, never read."), statuses=("sent", "delivered")),
    MagicNumber(
        "16505550102",
        N_("Not delivered: not on WhatsApp, or doesn't accept messages from you (131026)."),
        failure=131026,
    ),
    MagicNumber(
        "16505550103", N_("Not delivered: Meta says that the reply window has closed (131047)."), failure=131047
    ),
    MagicNumber(
        "16505550104",
        N_("Refused once, because too many messages went to this person (131056), then sent by the automatic retry."),
        refusal=PAIR,
        status=400,
    ),
    MagicNumber(
        "16505550105", N_("Not delivered: too many marketing messages for this person (131049)."), failure=131049
    ),
    MagicNumber(
        "16505550106",
        N_("Meta's answer is an error (131000), so the delivery stays unconfirmed."),
        refusal=131000,
        status=500,
    ),
    MagicNumber("16505550107", N_("Not delivered: the person has opted out of marketing (131050)."), failure=131050),
)
_BY_DIGITS = {one.digits: one for one in MAGIC_NUMBERS}


def behaviour_of(recipient: str) -> MagicNumber:
    """What becomes of a message to this number, however it is written."""
    return _BY_DIGITS.get(_DIGITS.sub("", recipient), MAGIC_NUMBERS[0])


def id_for(owner: uuid.UUID, what: str) -> str:
    """The id at Meta of something in a sandbox: always the same for the same name."""
    return f"{PREFIX}{uuid.uuid5(owner, what).int % 10**24:024}"


def template_id(waba_id: str, name: str, language: str) -> str:
    return id_for(uuid.NAMESPACE_URL, f"{waba_id} {name} {language}")


def is_pretended(id: str) -> bool:
    """Whether an id is of a sandbox's things, and not of anything at Meta."""
    return bool(_OURS.fullmatch(id))


def new_wamid(name: uuid.UUID | None = None) -> str:
    return f"{WAMID}{(name or uuid.uuid4()).hex}"


class Pretending(httpx.BaseTransport):
    """Answers what is of a sandbox, and hands everything else to the transport beneath it."""

    def __init__(self, beneath: httpx.BaseTransport) -> None:
        self.beneath = beneath
        # Sender and recipient that were refused as too many for one pair, and when (monotonic).
        self.refused: dict[tuple[str, str], float] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not is_of_sandbox(request):
            return self.beneath.handle_request(request)
        status, answer = self.answer(request)
        return httpx.Response(status, json=answer)

    def close(self) -> None:
        self.beneath.close()

    def answer(self, request: httpx.Request) -> tuple[int, dict[str, Any]]:
        names, edge = path_of(request), path_of(request)[-1]
        body = body_of(request)
        match request.method, edge:
            case "POST", "messages":
                return self.take(names[-2], body)
            case "POST", "media":
                return 200, {"id": id_for(uuid.uuid4(), "file")}
            case "POST", "uploads":
                return 200, {"id": f"upload:{uuid.uuid4().hex}"}
            case "POST", _ if edge.startswith("upload:"):
                return 200, {"h": f"4::{uuid.uuid4().hex}"}
            case "POST", "message_templates" if "components" in body:
                id = template_id(names[-2], str(body.get("name")), str(body.get("language")))
                return 200, {"id": id, "status": "PENDING", "category": body.get("category")}
            case "GET", "message_templates" if request.url.params.get("name"):
                return 200, {"data": []}
            case "DELETE", "message_templates":
                return 200, _SUCCESS
            case "POST", _ if "components" in body:
                return 200, _SUCCESS
        return 400, error_of(100, NO_SUCH_CALL)

    def take(self, sender: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A message, or what is said of one that was received: read, or being replied to."""
        if body.get("status") == "read":
            return 200, _SUCCESS
        to = str(body.get("to") or body.get("recipient") or "")
        fate = behaviour_of(to)
        if fate.refusal and not (fate.refusal == PAIR and self.is_retry((sender, fate.digits))):
            return fate.status, error_of(fate.refusal)
        contact = {"input": to, "wa_id": _DIGITS.sub("", to)}
        message = {"id": new_wamid()} | ({"message_status": "accepted"} if body.get("type") == "template" else {})
        return 200, {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}

    def is_retry(self, pair: tuple[str, str]) -> bool:
        """Whether the last message of this pair was refused a moment ago; else this one counts as refused."""
        at = monotonic()
        self.refused = {each: since for each, since in self.refused.items() if since > at - PAIR_SECONDS}
        if self.refused.pop(pair, None) is not None:
            return True
        self.refused[pair] = at
        return False


def is_of_sandbox(request: httpx.Request) -> bool:
    """Whether the request carries a sandbox's token, asks about it, or names something of a sandbox."""
    tokens = {request.headers.get("Authorization")} | {f"Bearer {request.url.params.get('input_token')}"}
    return bool(tokens & _AUTHORISED) or any(map(is_pretended, path_of(request)))


def path_of(request: httpx.Request) -> list[str]:
    return request.url.path.strip("/").split("/")


def body_of(request: httpx.Request) -> dict[str, Any]:
    """The JSON of a body; of a file nothing is read."""
    is_json = request.headers.get("Content-Type", "").startswith("application/json")
    return mapping(json.loads(request.read())) if is_json else {}


def error_of(code: int, details: str = "") -> dict[str, Any]:
    """As the Graph API answers."""
    title = TITLES[code]
    error: dict[str, Any] = {"message": f"(#{code}) {title}", "type": "OAuthException", "code": code}
    error |= {"error_data": {"messaging_product": "whatsapp", "details": details or title}}
    return {"error": error | {"fbtrace_id": f"test-{uuid.uuid4().hex[:16]}"}}
