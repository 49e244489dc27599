from collections.abc import Callable
from typing import Any

from simulator.graph.call import Call

Answer = dict[str, Any]
Handler = Callable[[Call, Any], Answer]

EDGES: dict[tuple[type, str, str], Handler] = {}
SUCCESS: Answer = {"success": True}


def edge(node: type, method: str, name: str = "") -> Callable[[Handler], Handler]:
    """Declares the handler of `METHOD /{node}/name`, or of the node itself without a name."""

    def declare(handler: Handler) -> Handler:
        EDGES[node, method, name] = handler
        return handler

    return declare
