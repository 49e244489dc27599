"""What a customer can do in a chat: send, react, edit, delete, reply to options, change number."""

import base64
import json
import secrets
from typing import Any

from simulator import dialing, template_insights
from simulator.arrivals import arrive
from simulator.context import Context
from simulator.customers import Customer
from simulator.media import Media
from simulator.messages import NO_BUBBLE, Message
from simulator.phone_numbers import PhoneNumber
from simulator.relations import Relation
from simulator.webhooks import publishing
from simulator.webhooks.payloads import Patch

EDIT_WITHIN = 15 * 60
DELETE_WITHIN = 2 * 86400
CLICKS = {"quick": "quick_reply_button", "url": "url_button"}
SAMPLE_REFERRAL = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "headline": "Chat with us",
    "body": "Summer succulents are here!",
    "media_type": "image",
    "image_url": "https://scontent.example/ad.jpg",
    "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4-0NiNhEgpGo0AHemvuSoifXaytfTz",
}


class NotPossible(Exception):
    """WhatsApp would not offer this action."""


class CustomerActions:
    """The actions of one customer in the chat with one business number."""

    def __init__(self, world: Context, number: PhoneNumber, customer: Customer) -> None:
        self.world = world
        self.number = number
        self.customer = customer

    @property
    def visible_number(self) -> str | None:
        """The customer's number, unless the business may not see it."""
        return self.customer.wa_id if self.customer.shows_number_to(self.number.id) else None

    def send(self, type: str, content: Any, **marks: Any) -> Message:
        referral = marks.pop("referral", None)
        if referral:
            Relation(self.world, self.number, self.customer).came_from_an_ad()
            marks["referral"] = json.dumps(referral, ensure_ascii=False)
        return arrive(self.world, self.number, self.customer, type, content, **marks)

    def send_file(
        self, type: str, data: bytes, mime_type: str, filename: str = "", caption: str = "", **marks: Any
    ) -> Message:
        media = Media.save(self.world, self.number, "webhook", mime_type, data, filename)
        content: dict[str, Any] = {"id": media.id}
        if caption:
            content["caption"] = caption
        if type == "document":
            content["filename"] = filename
        if type == "sticker":
            content["animated"] = b"ANIM" in data[:64]
        if type == "audio":
            content["voice"] = marks.pop("voice", False)
        return self.send(type, content, **marks)

    def react(self, wamid: str, emoji: str) -> Message:
        """Sends a reaction; without an emoji it removes the earlier one."""
        content = {"message_id": wamid} | ({"emoji": emoji} if emoji else {})
        return self.send("reaction", content, reference=wamid)

    def edit(self, wamid: str, text: str) -> Message:
        message = self._own_message(wamid, EDIT_WITHIN)
        field = "body" if message.type == "text" else "caption"
        content = message.body | {field: text}
        with self.world.store.transaction():
            message.update(content=json.dumps(content, ensure_ascii=False), edited_at=self.world.clock.now())
            return self._change("edit", wamid, {"type": message.type, "content": content})

    def delete(self, wamid: str) -> Message:
        message = self._own_message(wamid, DELETE_WITHIN)
        with self.world.store.transaction():
            message.update(deleted_at=self.world.clock.now())
            return self._change("revoke", wamid, {"type": "revoke"})

    def answer(self, wamid: str, at: int, typed: dict[str, Any] | None = None) -> Message | None:
        """Chooses an option of a received message. Options that only open something on the phone send nothing."""
        options = self._received_message(wamid).shape.get("options", [])
        if not 0 <= at < len(options):
            raise NotPossible("That message does not offer this")
        option = options[at]
        self._count_tap(wamid, option)
        match option["kind"]:
            case "reply":
                return self._reply(wamid, "button_reply", {"id": option["id"], "title": option["label"]})
            case "row":
                about = {"description": option["description"]} if option.get("description") else {}
                return self._reply(wamid, "list_reply", {"id": option["id"], "title": option["label"], **about})
            case "quick":
                content = {"payload": option["payload"], "text": option["label"]}
                return self.send("button", content, context_id=wamid)
            case "flow":
                answers = {"flow_token": option.get("flow_token", "unused")} | (typed or {})
                return self.complete_flow(wamid, option, answers)
            case "location":
                return self.send("location", typed or {"latitude": 37.4847, "longitude": -122.1477}, context_id=wamid)
            case "contact":
                return self.share_own_number(wamid)
            case "permission":
                return self._allow_calls(wamid)
            case "order":
                return self.order(option["products"], option["catalog_id"], context_id=wamid)
        return None

    def complete_flow(self, wamid: str, option: dict[str, Any], answers: dict[str, Any]) -> Message:
        """Sends what was filled in. Knobs leave the token out, or send it twice, as a phone with a bad line does."""
        if option["name"] == "flow" and self.world.happens("flow_without_token"):
            answers = {name: value for name, value in answers.items() if name != "flow_token"}
        content = {"name": option["name"], "body": "Sent", "response_json": json.dumps(answers, ensure_ascii=False)}
        sent = self._reply(wamid, "nfm_reply", content)
        if self.world.happens("flow_twice"):
            publishing.publish_message(sent)
        return sent

    def order(self, products: list[str], catalog_id: str, text: str = "", **marks: Any) -> Message:
        items = [
            {"product_retailer_id": product, "quantity": 1, "item_price": 30, "currency": "USD"} for product in products
        ]
        return self.send(
            "order", {"catalog_id": catalog_id or "194836987003835", "text": text, "product_items": items}, **marks
        )

    def share_own_number(self, wamid: str | None = None) -> Message:
        """Sends the customer's own number as a contact, as the reply to a request for it."""
        name, digits = self.customer.name, self.customer.wa_id
        vcard = f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nTEL;type=CELL;waid={digits}:+{digits}\nEND:VCARD"
        card = contact_card(name, digits) | {"origin": "contact_request", "vcard": vcard}
        return self.send("contacts", [card], context_id=wamid)

    def stop_offers(self, stop: bool) -> None:
        """Stops this business's marketing messages, or resumes them; the business gets a `user_preferences` webhook."""
        relation = Relation(self.world, self.number, self.customer)
        with self.world.store.transaction():
            relation.set_offers_stopped(stop)
            publishing.publish_preference(relation, "stop" if stop else "resume")
        self.world.hub.notify(self.customer.id)

    def _count_tap(self, wamid: str, option: dict[str, Any]) -> None:
        """Counts the tap for the template's analytics, if the button is one that Meta counts."""
        if option["kind"] in CLICKS:
            template_insights.click(self._received_message(wamid), CLICKS[option["kind"]], option["label"])

    def _reply(self, wamid: str, kind: str, content: dict[str, Any]) -> Message:
        return self.send("interactive", {"type": kind, kind: content}, context_id=wamid)

    def _allow_calls(self, wamid: str) -> Message:
        week = int(self.world.clock.now()) + 7 * 86400
        answer_content = {
            "response": "accept",
            "is_permanent": False,
            "expiration_timestamp": week,
            "response_source": "user_action",
        }
        return self._reply(wamid, "call_permission_reply", answer_content)

    def _change(self, kind: str, wamid: str, content: dict[str, Any]) -> Message:
        if self.number.coexistence or self.world.knobs["edits_everywhere"]:
            return self.send(kind, content, reference=wamid)
        return self.send("unsupported", {"type": kind}, reference=wamid)

    def _own_message(self, wamid: str, within: float) -> Message:
        message = Message.find(self.world, wamid)
        if message is None or message.customer_id != self.customer.id or not message.inbound:
            raise NotPossible("That is not a message of this customer")
        if message.type in NO_BUBBLE or message.deleted_at or message.created_at < self.world.clock.now() - within:
            raise NotPossible("It is too late to change that message")
        return message

    def _received_message(self, wamid: str) -> Message:
        message = Message.find(self.world, wamid)
        if message is None or message.customer_id != self.customer.id or message.inbound:
            raise NotPossible("This customer has not received that message")
        return message


def contact_card(name: str, digits: str) -> dict[str, Any]:
    first, _, last = name.partition(" ")
    names = {"formatted_name": name, "first_name": first} | ({"last_name": last} if last else {})
    phones = [{"phone": dialing.readable(digits), "wa_id": digits, "type": "CELL"}] if digits else []
    return {"name": names, "phones": phones, "origin": "other"}


def change_number(world: Context, customer: Customer, digits: str) -> None:
    """Changes the number; every business with a chat gets a system message from the old one."""
    old, new = customer.wa_id, dialing.canonical(digits)
    if Customer.by_number(world, new):
        raise NotPossible("Somebody has that number already")
    old_parent = customer.parent_user_id
    with world.store.transaction():
        previous = customer.renew_ids()
        customer.update(wa_id=new, country=dialing.country_of(new))
        for number in _correspondents(world, customer):
            business_id = number.waba.business_id
            _announce_number_change(world, number, customer, old, previous.get(business_id), old_parent)
    world.hub.notify(customer.id)


def change_identity(world: Context, customer: Customer) -> str:
    """Gives the customer new keys, as on a new phone, and sends their hash to every business with a chat."""
    key_hash = base64.b64encode(secrets.token_bytes(8)).decode()
    identity = {"acknowledged": True, "created_timestamp": int(world.clock.now()), "hash": key_hash}
    body = f"The security code of {customer.name} has changed"
    with world.store.transaction():
        for number in _correspondents(world, customer):
            reference = customer.wa_id if customer.shows_number_to(number.id) else None
            content = {"body": body, "type": "customer_identity_changed", "identity": key_hash}
            content |= {"wa_id": reference} if reference else {}
            patch = Patch({"identity": identity})
            arrive(world, number, customer, "system", content, reference=reference, origin="system", patch=patch)
    return key_hash


def _announce_number_change(
    world: Context, number: PhoneNumber, customer: Customer, old: str, previous: str | None, old_parent: str | None
) -> None:
    visible = customer.shows_number_to(number.id)
    kind = "user_changed_number" if visible else "user_changed_user_id"
    user_id = customer.user_id_for(number.waba.business_id)
    ids = {
        "wa_id": customer.wa_id if visible else None,
        "user_id": user_id,
        "previous_user_id": previous,
        "parent_user_id": customer.parent_user_id,
        "previous_parent_user_id": old_parent,
    }
    names = (old, customer.wa_id) if visible else (previous, user_id)
    body = f"User {customer.name} changed from {names[0]} to {names[1]}"
    content = {"body": body, "type": kind} | {name: value for name, value in ids.items() if value}
    arrive(world, number, customer, "system", content, reference=old if visible else None, origin="system")


def _correspondents(world: Context, customer: Customer) -> list[PhoneNumber]:
    sql = "id in (select phone_number_id from messages where customer_id = ?)"
    return PhoneNumber.where(world, sql, customer.id)
