"""System users: the people a business's programs act as, and their work on a client's WABA."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import GraphError, NoAnswer
from .graph import GraphClient
from .payload import identifier, sequence, text


@dataclass(frozen=True, slots=True)
class SystemUser:
    """`role` is known from a business's list, `tasks` from a WABA's."""

    id: str
    name: str | None
    role: str | None
    tasks: tuple[str, ...]


def of_business(graph: GraphClient, token: str, business_id: str) -> list[SystemUser]:
    """The system users of our own business. Raises MetaError."""
    return _users(graph, f"{business_id}/system_users", token, {})


def assigned(graph: GraphClient, token: str, waba_id: str, business_id: str) -> list[SystemUser]:
    """The users of our business that work on a WABA. Raises MetaError."""
    return _users(graph, f"{waba_id}/assigned_users", token, {"business": business_id})


def assign(graph: GraphClient, token: str, waba_id: str, user_id: str, tasks: Sequence[str] = ("MANAGE",)) -> None:
    """Let a system user work on a WABA; the token is an admin system user's. Safe to repeat.
    Raises MetaError."""
    try:
        graph.post(f"{waba_id}/assigned_users", token=token, params={"user": user_id, "tasks": list(tasks)})
    except GraphError as error:
        if not _already_assigned(error):
            raise


def fetch_business_token(graph: GraphClient, token: str, business_id: str) -> str:
    """The token that a client's business has given our app, where its code was lost; the token asking is our
    system user's. Raises MetaError."""
    return _business_token(graph, token, business_id, {"fetch_only": True})


def renew_business_token(graph: GraphClient, token: str, business_id: str) -> str:
    """A new token of a client's business, for another 60 days. Raises MetaError."""
    return _business_token(graph, token, business_id, {"set_token_expires_in_60_days": True})


def _business_token(graph: GraphClient, token: str, business_id: str, params: dict[str, Any]) -> str:
    answer = graph.post(f"{business_id}/system_user_access_tokens", token=token, params=params)
    value = answer.get("access_token")
    if not isinstance(value, str) or not value:
        raise NoAnswer("Meta's answer holds no token", 200)
    return value


def _users(graph: GraphClient, path: str, token: str, params: dict[str, str]) -> list[SystemUser]:
    items = graph.pages(path, token=token, params=params)
    return [_user(item) for item in items if identifier(item.get("id"))]


def _user(item: dict[str, Any]) -> SystemUser:
    return SystemUser(
        id=str(identifier(item.get("id"))),
        name=text(item.get("name"), 300),
        role=text(item.get("role"), 64),
        tasks=tuple(task for task in sequence(item.get("tasks")) if isinstance(task, str)),
    )


def _already_assigned(error: GraphError) -> bool:
    return error.code == 100 and "already assigned" in (error.details or "").lower()
