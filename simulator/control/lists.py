from typing import Any

from simulator.record import Record
from simulator.store import Row
from simulator.world import World


def records(world: World, kind: type[Record]) -> list[dict[str, Any]]:
    """Every record of a kind."""
    return [record.as_dict() for record in kind.where(world)]


def accepted(world: World, after: int = 0) -> list[dict[str, Any]]:
    """What POST /messages accepted, after a sequence number."""
    return [dict(row) for row in world.store.rows("select * from accepted where seq > ? order by seq", after)]


def newest_accepted(world: World, limit: int) -> list[dict[str, Any]]:
    """The newest accepted messages."""
    return [dict(row) for row in world.store.rows("select * from accepted order by seq desc limit ?", limit)]


def deliveries(world: World, limit: int) -> list[dict[str, Any]]:
    """The newest webhooks with their results."""
    return [_readable(row) for row in world.store.rows("select * from deliveries order by id desc limit ?", limit)]


def _readable(row: Row) -> dict[str, Any]:
    return dict(row) | {"body": row["body"].decode()}
