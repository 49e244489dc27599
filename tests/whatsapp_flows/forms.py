"""Forms of Bakery's, and what customers send back in them."""

from __future__ import annotations

import json
import uuid
from typing import Any

from app.inbox.conversations import Conversation, Message
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, tenant_scope
from app.wabas.models import PhoneNumber
from app.whatsapp_flows.models import FlowVersion, WhatsappFlow
from app.whatsapp_flows.responses import FlowResponse
from tests.arrivals import arrive
from tests.happenings import deliver_to_subscriber
from tests.posts import message
from tests.world import World

META_ID = "6627001"


def part(kind: str, label: str, name: str = "", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "label": label, "name": name, "hint": "", "required": False, "options": []} | more


def screen(*parts: dict[str, Any], title: str = "Delivery", button: str = "Send") -> dict[str, Any]:
    return {"title": title, "button": button, "parts": list(parts)}


SCREENS = [
    screen(part("short", "Full name", "full_name", required=True), part("number", "Guests", "guests")),
    screen(part("radio", "Bread", "bread", options=["Rye", "Wheat"]), part("opt_in", "News please", "news")),
]


def begin(
    world: World, number: PhoneNumber, screens: Any = None, *, name: str = "Order", published: bool = True
) -> Any:
    """A form, published as META_ID unless it is to stay a draft."""
    with tenant_scope(world.bakery.id):
        by = Actor.agent(world.ann)
        flow = WhatsappFlow.begin(number.waba_id, name, ["OTHER"], screens or SCREENS, by=by)
        if published:
            flow.newest.meta_id, flow.newest.status = META_ID, "PUBLISHED"
        db.session.flush()
        return flow


def send(world: World, talk: Conversation, flow: WhatsappFlow, wamid: str = "wamid.form") -> Message:
    """The form, sent to the customer and accepted by Meta."""
    with tenant_scope(world.bakery.id):
        again = Conversation.get_or_404(talk.id)
        version = FlowVersion.with_meta_id(META_ID)
        assert version
        outgoing: Outgoing = version.message("Please order", "Open")
        sent = again.send(outgoing, by=Actor.agent(world.ann), client_id=uuid.uuid4())
        sent.wamid, sent.state = wamid, "accepted"
        return sent


def reply(answers: Any, *, to: str = "wamid.form", wamid: str = "wamid.answer", **more: Any) -> dict[str, Any]:
    """A filled-in form, as Meta posts it."""
    written = answers if isinstance(answers, str) else json.dumps(answers)
    nfm = {"name": "flow", "body": "Sent", "response_json": written}
    context: dict[str, Any] = {"context": {"from": "15550783881", "id": to}} if to else {}
    interactive = {"type": "nfm_reply", "nfm_reply": nfm}
    return message(wamid=wamid, type="interactive", interactive=interactive, **context, **more)


def receive(world: World, *changes: dict[str, Any]) -> None:
    arrive(*changes)
    hear(world)


def hear(world: World) -> None:
    """What subscribers do."""
    deliver_to_subscriber("flows", world.bakery.id)


def responses(world: World) -> list[FlowResponse]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(FlowResponse.newest()))


def rows_of(response: FlowResponse) -> list[tuple[str, str]]:
    return [(row["label"], row["value"]) for row in response.rows]
