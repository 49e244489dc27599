"""`POST` and `DELETE /<phone_number_id>/block_users`: people whose messages a business does not want."""

from app.meta.graph import GraphClient


def block(graph: GraphClient, token: str, phone_number_id: str, user: dict[str, str]) -> None:
    """Only somebody who wrote in the last 24 hours can be blocked. Raises MetaError."""
    graph.post(f"{phone_number_id}/block_users", token=token, json=_about(user))


def unblock(graph: GraphClient, token: str, phone_number_id: str, user: dict[str, str]) -> None:
    """Raises MetaError."""
    graph.delete(f"{phone_number_id}/block_users", token=token, json=_about(user))


def _about(user: dict[str, str]) -> dict[str, object]:
    return {"messaging_product": "whatsapp", "block_users": [user]}
