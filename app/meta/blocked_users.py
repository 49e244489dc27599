"""People blocked by a number. Only people who wrote in the last 24 hours can be blocked."""

from dataclasses import dataclass
from typing import Any

from .graph import GraphClient
from .payload import identifier, mapping, sequence


@dataclass(frozen=True, slots=True)
class BlockedUser:
    wa_id: str | None
    user_id: str | None

    @property
    def key(self) -> str:
        return self.wa_id or self.user_id or ""


def of_number(graph: GraphClient, token: str, phone_number_id: str) -> list[BlockedUser]:
    """Everybody a number has blocked. Raises MetaError."""
    items = graph.pages(f"{phone_number_id}/block_users", token=token, params={"limit": 500})
    # Meta documents a list within each item, and answers without it.
    people = [mapping(one) for item in items for one in sequence(item.get("block_users")) or [item]]
    return [user for user in map(_user, people) if user.key]


def block(graph: GraphClient, token: str, phone_number_id: str, person: str) -> None:
    """Raises MetaError; 139100 mostly means that they have not written in the last 24 hours."""
    graph.post(f"{phone_number_id}/block_users", token=token, json=_request(person))


def unblock(graph: GraphClient, token: str, phone_number_id: str, person: str) -> None:
    """Raises MetaError."""
    graph.delete(f"{phone_number_id}/block_users", token=token, json=_request(person))


def _request(person: str) -> dict[str, Any]:
    """By number, or by the id under which the business knows them (`US.1349…`)."""
    who = {"user_id": person} if "." in person else {"user": f"+{person.lstrip('+')}"}
    return {"messaging_product": "whatsapp", "block_users": [who]}


def _user(item: dict[str, Any]) -> BlockedUser:
    return BlockedUser(identifier(item.get("wa_id")), identifier(item.get("user_id")))
