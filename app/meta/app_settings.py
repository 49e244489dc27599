"""The app itself at Meta: its name, and where its webhooks go."""

from dataclasses import dataclass

from .graph import GraphClient
from .payload import identifier, mapping, sequence, text

OBJECT = "whatsapp_business_account"


@dataclass(frozen=True, slots=True)
class App:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Callback:
    callback_url: str
    is_active: bool
    fields: frozenset[str]


def fetch(graph: GraphClient, app_token: str) -> App:
    """Raises MetaError; so this also tells whether id and secret belong together."""
    answer = graph.get(graph.app_id, token=app_token, params={"fields": "id,name"})
    return App(identifier(answer.get("id")) or graph.app_id, text(answer.get("name"), 300) or "")


def callback(graph: GraphClient, app_token: str) -> Callback | None:
    """Where WhatsApp's webhooks of the app go. Raises MetaError."""
    answer = graph.get(f"{graph.app_id}/subscriptions", token=app_token)
    for one in map(mapping, sequence(answer.get("data"))):
        if one.get("object") == OBJECT:
            listed = sequence(one.get("fields"))
            names = (text(mapping(item).get("name") if isinstance(item, dict) else item, 100) for item in listed)
            address = text(one.get("callback_url"), 2_000) or ""
            return Callback(address, one.get("active") is True, frozenset(filter(None, names)))
    return None
