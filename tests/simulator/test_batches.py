from collections.abc import Callable
from typing import Any

import pytest

from simulator import World
from simulator.webhooks.batches import merge
from tests.simulator.stand_ins import Product


def body(waba: str, number: str, wamid: str) -> dict[str, Any]:
    value = {"metadata": {"phone_number_id": number}, "messages": [{"id": wamid}], "contacts": [{"user_id": "US.1"}]}
    return {"object": "x", "entry": [{"id": waba, "changes": [{"field": "messages", "value": value}]}]}


@pytest.mark.parametrize(("depth", "shape"), [("entries", (3, 1, 1)), ("changes", (1, 3, 1)), ("items", (1, 2, 2))])
def test_updates_are_combined_at_three_depths(depth: str, shape: tuple[int, int, int]) -> None:
    merged = merge([body("1", "10", "a"), body("1", "10", "b"), body("1", "20", "c")], depth)
    entry = merged["entry"][0]
    messages = entry["changes"][0]["value"]["messages"]
    assert (len(merged["entry"]), len(entry["changes"]), len(messages)) == shape


def test_a_batch_is_one_post_and_every_tick_turns_double(
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    settle()
    before = len(product.bodies)
    world.knobs["batch"] = 10
    written = [write(shop, f"Message {number}")["wamid"] for number in range(5)]
    settle()
    assert len(product.bodies) == before + 1
    assert sorted(message["id"] for message in product.inbound()) == sorted(written)
    assert world.store.value("select count(*) from messages where status = 'delivered'") == 5


def test_a_batch_that_fails_comes_again_whole(
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    settle()
    world.knobs["batch"], product.answers = 10, [500]
    for number in range(3):
        write(shop, f"Message {number}")
    settle()
    assert len(product.inbound()) == 6


def test_what_is_lost_is_never_sent(
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    world.knobs["loss"] = 1
    write(shop)
    settle()
    assert product.inbound() == []


def test_delays_are_spread(
    product: Product, world: World, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    world.knobs["delay_spread"] = 60
    for number in range(20):
        write(shop, f"Message {number}")
    due = [row[0] for row in world.store.rows("select due_at from deliveries where field = 'messages'")]
    assert max(due) - min(due) > 0.3
