"""What must be in the database when everything that was posted has arrived, however often and in whatever order.

One thread, one dict after the other, and nothing of the product: a second reading of Meta's documents.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

RANK = ["accepted", "sent", "failed", "delivered", "read", "played"]
ASIDES = {"reaction": "message_id", "edit": "original_message_id", "revoke": "original_message_id"}
Item = dict[str, Any]
Key = tuple[str, str]  # a number and a wamid, or a number and a person


@dataclass
class Chat:
    """What is shown of one conversation in the list."""

    unread: int = 0
    items: list[tuple[int, str | None, str | None]] = field(default_factory=list)
    inbound: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)

    @property
    def rows(self) -> list[Any]:
        """What may be shown. A change that came before its message, and was news then, keeps its place in time."""
        last, heard = max(self.items, key=lambda item: item[0]), max(self.inbound, default=0)
        overtaking = [at for at in self.changed if at > min(last[0], heard)]
        lasts = [last, *((at, None, None) for at in overtaking if at > last[0])]
        hearings = [heard, *(at for at in overtaking if at > heard)]
        return [(self.unread, *shown, at or None) for shown in lasts for at in hearings]


class Model:
    def __init__(self) -> None:
        self.incoming: dict[Key, Item] = {}
        self.reported: dict[Key, set[tuple[str, int]]] = defaultdict(set)
        self.ours: dict[Key, tuple[str, int]] = {}

    def wrote(self, number: str, wamid: str, wa_id: str, at: int) -> None:
        """A message of ours that Meta has taken."""
        self.ours[number, wamid] = wa_id, at

    def read(self, body: bytes) -> None:
        for entry in json.loads(body)["entry"]:
            for change in entry["changes"]:
                value = change["value"]
                number = value["metadata"]["phone_number_id"]
                for item in value.get("messages", ()):
                    self.incoming[number, item["id"]] = item
                for item in value.get("statuses", ()):
                    self.reported[number, item["id"]].add((item["status"], int(item["timestamp"])))

    def has_bubble(self, number: str, item: Item) -> bool:
        """What is said about a message has a bubble of its own only when that message is not here."""
        return item["type"] not in ASIDES or not self.knows(number, target(item))

    def knows(self, number: str, wamid: str) -> bool:
        return (number, wamid) in self.ours or (number, wamid) in self.incoming

    @property
    def messages(self) -> dict[Key, Any]:
        inbound = {
            key: ("inbound", item["type"], words(item), int(item["timestamp"]), item["from"], "received")
            for key, item in self.incoming.items()
            if self.has_bubble(key[0], item)
        }
        return inbound | {
            key: ("outbound", "text", "Ours", at, wa_id, self.state(key)) for key, (wa_id, at) in self.ours.items()
        }

    def state(self, key: Key) -> str:
        return max(["accepted", *(status for status, _ in self.reported.get(key, ()))], key=RANK.index)

    @property
    def reactions(self) -> dict[Key, Any]:
        return {
            key: (target(item), item["reaction"].get("emoji", ""), int(item["timestamp"]))
            for key, item in self.incoming.items()
            if item["type"] == "reaction"
        }

    @property
    def changes(self) -> dict[Key, Any]:
        return {
            key: (item["type"], target(item), words(item), int(item["timestamp"]))
            for key, item in self.incoming.items()
            if item["type"] in ("edit", "revoke")
        }

    @property
    def statuses(self) -> dict[tuple[str, str, str, int], bool]:
        """Each with whether its message is one of ours."""
        return {(*key, *each): key in self.ours for key, states in self.reported.items() for each in states}

    @property
    def conversations(self) -> dict[Key, Any]:
        chats: dict[Key, Chat] = defaultdict(Chat)
        changes = self.changes_by_target()
        for (number, wamid), (wa_id, at) in self.ours.items():
            chats[number, wa_id].items.append((at, wamid, "Ours"))
        for (number, wamid), item in self.incoming.items():
            chat, at = chats[number, item["from"]], int(item["timestamp"])
            if self.has_bubble(number, item):
                chat.unread += item["type"] not in ASIDES
                chat.items.append((at, wamid, now_says(item, changes[number, wamid])))
                chat.inbound.append(at)
            elif item["type"] == "reaction":
                chat.items.append((at, None, None))
                chat.inbound.append(at)
            else:
                chat.changed.append(at)
        return {key: chat.rows for key, chat in chats.items()}

    def changes_by_target(self) -> dict[Key, list[Item]]:
        items_by_key: dict[Key, list[Item]] = defaultdict(list)
        for (number, _), item in self.incoming.items():
            if item["type"] in ("edit", "revoke"):
                items_by_key[number, target(item)].append(item)
        return items_by_key


def now_says(item: Item, changes: list[Item]) -> str | None:
    """The words in the list, as far as they are the customer's own."""
    if any(change["type"] == "revoke" for change in changes):
        return ""
    if changes:
        return words(max(changes, key=lambda change: int(change["timestamp"])))
    return words(item) if item["type"] == "text" else None


def target(item: Item) -> str:
    return str(item[item["type"]][ASIDES[item["type"]]])


def words(item: Item) -> str:
    match item["type"]:
        case "text":
            return str(item["text"]["body"])
        case "edit":
            return str(item["edit"]["message"]["text"]["body"])
    return ""
