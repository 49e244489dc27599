from __future__ import annotations

import threading
from typing import Any

import pytest

from simulator import World
from tests.simulator.stand_ins import Graph


class Door:
    """A lock that says when something waits for it."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.knocked = threading.Event()

    def __enter__(self) -> None:
        self.knocked.set()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_a_step_taken_by_one_thread_is_not_taken_by_another_in_place_of_the_next(
    graph: Graph, world: World, shop: dict[str, str], write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shop)
    wamid = graph.send(shop, "16505551234").json["messages"][0]["id"]
    world.advance(1)
    door = Door(world.store._writing)
    monkeypatch.setattr(world.store, "_writing", door)
    other = threading.Thread(target=world.timeline.run_due)
    with world.store.transaction():
        door.knocked.clear()
        other.start()
        assert door.knocked.wait(5)
        world.timeline.run_now(wamid)
    other.join()
    statuses = [row["status"] for row in world.store.rows("select status from steps where message_id = ?", wamid)]
    assert statuses == ["delivered"]
