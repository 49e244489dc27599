"""WhatsApp Flows at Meta: created, uploaded, published, deprecated, listed; public keys. All raise MetaError.

Meta: Flows API; Encryption of the data endpoint.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .contents import web_address
from .errors import UNLISTED, GraphError, NoAnswer
from .graph import GraphClient
from .payload import identifier, loads, mapping, sequence, text

FIELDS = "id,name,status,categories,validation_errors,json_version,data_api_version,endpoint_uri,preview"
STATUSES = ("DRAFT", "PUBLISHED", "DEPRECATED", "BLOCKED", "THROTTLED")
MOST_PROBLEMS = 50
# Meta takes 10 MB; what is larger than this is not read for its questions.
MOST_JSON, JSON_SECONDS = 2 * 1024 * 1024, 20.0


@dataclass(frozen=True, slots=True)
class FlowProblem:
    """What Meta finds wrong with a Flow JSON, and where: `screens[0].layout.children[1]`."""

    message: str
    pointer: str
    line: int | None

    def as_dict(self) -> dict[str, Any]:
        return {"message": self.message, "pointer": self.pointer, "line": self.line}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A flow as Meta lists it."""

    id: str
    name: str
    status: str
    categories: tuple[str, ...]
    problems: tuple[FlowProblem, ...]
    preview_url: str
    preview_expires_at: dt.datetime | None


def create(graph: GraphClient, token: str, waba_id: str, name: str, categories: Sequence[str], endpoint: str) -> str:
    """Creates a draft. Returns its id."""
    body: dict[str, Any] = {"name": name, "categories": list(categories)}
    if endpoint:
        body["endpoint_uri"] = endpoint
    if id := identifier(graph.post(f"{waba_id}/flows", token=token, json=body).get("id")):
        return id
    raise NoAnswer("Meta's answer names no flow", 200)


def named(graph: GraphClient, token: str, waba_id: str, name: str) -> Fetched | None:
    """The flow of that name, which is unique in an account."""
    return next((flow for flow in flows_of(graph, token, waba_id) if flow.name == name), None)


def upload(graph: GraphClient, token: str, flow_id: str, flow_json: dict[str, Any]) -> list[FlowProblem]:
    """Replaces the Flow JSON of a draft. Returns what Meta finds wrong with it."""
    written = io.BytesIO(json.dumps(flow_json, ensure_ascii=False).encode())
    fields = {"name": "flow.json", "asset_type": "FLOW_JSON"}
    answer = graph.upload(
        f"{flow_id}/assets", token=token, fields=fields, file=written, name="flow.json", mime="application/json"
    )
    return list(_problems(answer.get("validation_errors")))


def publish(graph: GraphClient, token: str, flow_id: str) -> None:
    _done(graph.post(f"{flow_id}/publish", token=token))


def deprecate(graph: GraphClient, token: str, flow_id: str) -> None:
    _done(graph.post(f"{flow_id}/deprecate", token=token))


def delete(graph: GraphClient, token: str, flow_id: str) -> None:
    """Deletes a draft."""
    _done(graph.delete(flow_id, token=token))


def flows_of(graph: GraphClient, token: str, waba_id: str) -> list[Fetched]:
    """All flows of an account."""
    listed = graph.pages(f"{waba_id}/flows", token=token, params={"fields": FIELDS, "limit": 100})
    return [_fetched(raw) for raw in listed if identifier(raw.get("id"))]


def get(graph: GraphClient, token: str, flow_id: str) -> Fetched:
    """The flow, with a fresh address of its preview."""
    fields = FIELDS.replace("preview", "preview.invalidate(false)")
    return _fetched({"id": flow_id} | graph.get(flow_id, token=token, params={"fields": fields}))


def json_of(graph: GraphClient, token: str, flow_id: str) -> dict[str, Any]:
    """The Flow JSON that Meta keeps of it; empty where there is none that can be read."""
    for asset in map(mapping, sequence(graph.get(f"{flow_id}/assets", token=token).get("data"))):
        if asset.get("asset_type") == "FLOW_JSON" and (url := web_address(asset.get("download_url"))):
            into = io.BytesIO()
            graph.download(url, into, token=None, limit=MOST_JSON, seconds=JSON_SECONDS)
            try:
                return mapping(loads(into.getvalue()))
            except ValueError:
                return {}
    return {}


def register_key(graph: GraphClient, token: str, phone_number_id: str, public_key: str) -> None:
    """Registers the key with which the customers' phones encrypt for the data endpoint."""
    params = {"business_public_key": public_key}
    _done(graph.post(f"{phone_number_id}/whatsapp_business_encryption", token=token, json=params))


def _fetched(raw: dict[str, Any]) -> Fetched:
    preview = mapping(raw.get("preview"))
    return Fetched(
        id=identifier(raw.get("id")) or "",
        name=text(raw.get("name"), 300) or "",
        status=(text(raw.get("status"), 40) or "").upper(),
        categories=tuple(filter(None, (text(one, 60) for one in sequence(raw.get("categories"))[:20]))),
        problems=tuple(_problems(raw.get("validation_errors"))),
        preview_url=web_address(preview.get("preview_url")),
        preview_expires_at=_moment(preview.get("expires_at")),
    )


def _problems(raw: Any) -> list[FlowProblem]:
    return [_problem(one) for one in map(mapping, sequence(raw)[:MOST_PROBLEMS]) if one]


def _problem(raw: dict[str, Any]) -> FlowProblem:
    places = map(mapping, sequence(raw.get("pointers")))
    pointer = next(filter(None, (text(place.get("path"), 300) for place in places)), "") or ""
    line = raw.get("line_start")
    words = text(raw.get("message"), 500) or text(raw.get("error"), 200) or ""
    return FlowProblem(words, pointer, line if isinstance(line, int) and not isinstance(line, bool) else None)


def _moment(value: Any) -> dt.datetime | None:
    try:
        read = dt.datetime.fromisoformat(text(value, 40) or "")
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def _done(answer: dict[str, Any]) -> None:
    """Meta can answer with 200 that it did not do it."""
    if answer.get("success") is False:
        problems = _problems(answer.get("validation_errors"))
        raise GraphError(UNLISTED, details=problems[0].message if problems else None, http_status=200)
