"""Combines several updates into one POST, in each of Meta's three ways."""

import json
from collections import defaultdict
from itertools import islice
from typing import Any

from simulator.context import Context
from simulator.webhooks.delivery import Delivery, meta_json

Json = dict[str, Any]
LISTS = ("messages", "statuses", "contacts")
# Side by side, as changes of one entry, or as items of one change.
DEPTHS = ("entries", "changes", "items")


def combine(world: Context, deliveries: list[Delivery], most: int) -> list[Delivery]:
    """Combines deliveries to the same address."""
    by_url: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        by_url[delivery.url].append(delivery)
    batches = (batch for waiting in by_url.values() for batch in _cut(waiting, most))
    return [batch[0] if len(batch) == 1 else _one(world, batch) for batch in batches]


def _cut(waiting: list[Delivery], most: int) -> list[list[Delivery]]:
    return [waiting[start : start + most] for start in range(0, len(waiting), most)]


def _one(world: Context, batch: list[Delivery]) -> Delivery:
    """Replaces the deliveries it combines: if it fails, all of them are repeated."""
    bodies = [json.loads(delivery.body) for delivery in batch]
    merged = merge(bodies, world.random.choice(DEPTHS))
    wamids = [wamid for delivery in batch for wamid in delivery.about_messages]
    first = batch[0]
    id = world.store.insert(
        "deliveries",
        url=first.url,
        field=",".join(dict.fromkeys(delivery.field for delivery in batch)),
        about=first.about,
        body=meta_json(merged),
        message_ids=",".join(wamids),
        parts=sum(delivery.parts for delivery in batch),
        claimed=1,
        created_at=first.created_at,
        due_at=first.due_at,
    )
    marks = ", ".join("?" * len(batch))
    world.store.write(f"delete from deliveries where id in ({marks})", *[one.id for one in batch])  # noqa: S608
    return Delivery.where(world, "id = ?", id)[0]


def merge(bodies: list[Json], depth: str) -> Json:
    """Merges bodies as entries, as changes or as items."""
    entries = [entry for body in bodies for entry in body["entry"]]
    if depth != "entries":
        entries = _join_entries(entries)
    if depth == "items":
        for entry in entries:
            entry["changes"] = _join_changes(entry["changes"])
    return {"object": bodies[0]["object"], "entry": entries}


def _join_entries(entries: list[Json]) -> list[Json]:
    joined: dict[str, Json] = {}
    for entry in entries:
        if entry["id"] in joined:
            joined[entry["id"]]["changes"] += entry["changes"]
        else:
            joined[entry["id"]] = entry
    return list(joined.values())


def _join_changes(changes: list[Json]) -> list[Json]:
    """Joins changes of the same number whose members are lists."""
    joined: list[Json] = []
    for change in changes:
        similar = next((one for one in joined if _are_similar(one, change)), None)
        if similar is None:
            joined.append(change)
        else:
            for name in LISTS:
                items = similar["value"].get(name, []) + change["value"].get(name, [])
                similar["value"] |= {name: _distinct(items)} if items else {}
    return joined


def _are_similar(one: Json, other: Json) -> bool:
    both_messages = one["field"] == other["field"] == "messages"
    return both_messages and bool(one["value"].get("metadata") == other["value"].get("metadata"))


def _distinct(items: list[Json]) -> list[Json]:
    return [item for at, item in enumerate(items) if item not in islice(items, at)]
