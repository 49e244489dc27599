from collections.abc import Callable

from tests.simulator.stand_ins import Graph, Product


def test_a_text_travels_there_and_back(
    graph: Graph,
    settle: Callable[[], None],
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
) -> None:
    write(shop, "Where is my order?")
    settle()
    assert product.inbound()[0]["text"] == {"body": "Where is my order?"}
    sent = graph.send(shop, "16505551234", biz_opaque_callback_data="outbox-1")
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "delivered"]
    assert {status["id"] for status in product.statuses()} == {sent.json["messages"][0]["id"]}
