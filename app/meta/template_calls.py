"""Creating, changing, listing and measuring templates at Meta. All raise MetaError."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import resumable_uploads
from .errors import UNLISTED, GraphError, NoAnswer
from .graph import GraphClient
from .message_templates import Template, read
from .payload import identifier, mapping, sequence, text
from .template_direct_send import GENERATED

FIELDS = (
    "id,name,language,status,category,parameter_format,components,previous_category,correct_category,sub_category,"
    "quality_score,rejected_reason,message_send_ttl_seconds,library_template_name,cta_url_link_tracking_opted_out"
)
AUTO_GENERATED = "AUTO_GENERATED"
METRICS = "sent,delivered,read,clicked,cost"
MOST_MEASURED = 10
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Created:
    """Meta may have decided at once, and on another category than the one asked for."""

    id: str
    status: str
    category: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A template as Meta has it, with what Meta thinks of it."""

    id: str
    template: Template
    previous_category: str | None
    correct_category: str | None
    sub_category: str | None
    quality_score: str | None
    quality_at: dt.datetime | None
    rejected_reason: str | None
    library_template_name: str | None
    source: str | None
    is_link_tracking_off: bool | None

    @property
    def is_generated(self) -> bool:
        """Whether Direct Send made it: it can be neither changed nor deleted."""
        return self.source == AUTO_GENERATED or self.template.name.startswith(GENERATED)


@dataclass(frozen=True, slots=True)
class LibraryTemplate:
    """One of Meta's own templates."""

    name: str
    language: str
    category: str
    topic: str
    usecase: str
    industries: tuple[str, ...]
    header: str
    body: str
    body_params: tuple[str, ...]
    body_param_types: tuple[str, ...]
    buttons: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Clicks:
    """How often one button was tapped."""

    type: str
    button: str
    count: int


@dataclass(frozen=True, slots=True)
class DataPoint:
    """The figures of one template on one day; None where Meta gives none."""

    template_id: str
    start: dt.datetime
    end: dt.datetime
    sent: int | None
    delivered: int | None
    read: int | None
    clicked: tuple[Clicks, ...]
    cost: dict[str, float]


def definition_of(template: Template) -> dict[str, Any]:
    """What is submitted to Meta."""
    definition: dict[str, Any] = {
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "components": template.components,
    }
    return definition | _format_and_validity(template)


def _format_and_validity(template: Template) -> dict[str, Any]:
    named = {"parameter_format": "NAMED"} if template.is_named else {}
    return named if template.ttl is None else {**named, "message_send_ttl_seconds": template.ttl}


def create(graph: GraphClient, token: str, waba_id: str, template: Template) -> Created:
    """After a NoAnswer, `find` says whether it was created."""
    return _created(graph.post(f"{waba_id}/message_templates", token=token, json=definition_of(template)), template)


def edit(graph: GraphClient, token: str, meta_id: str, template: Template, *, with_category: bool = False) -> None:
    """Replaces all components. The category of an approved template cannot be changed."""
    change = {"components": template.components} | _format_and_validity(template)
    if with_category:
        change["category"] = template.category
    _done(graph.post(meta_id, token=token, json=change))


def delete(graph: GraphClient, token: str, waba_id: str, name: str, meta_id: str | None = None) -> None:
    """In all languages, or with `meta_id` in one."""
    _done(graph.delete(f"{waba_id}/message_templates", token=token, params={"name": name, "hsm_id": meta_id}))


def fetch(graph: GraphClient, token: str, meta_id: str) -> Fetched:
    fetched = _fetched(graph.get(meta_id, token=token, params={"fields": FIELDS}), None)
    if fetched is None:
        raise NoAnswer("Meta's answer does not name the template", 200)
    return fetched


def find(graph: GraphClient, token: str, waba_id: str, name: str, language: str) -> Fetched | None:
    """The template of exactly this name and language; Meta's own filter also finds parts of names."""
    for one in _listed(graph, token, waba_id, name=name):
        if one.template.name == name and one.template.language.replace("-", "_") == language.replace("-", "_"):
            return one
    return None


def templates_of(graph: GraphClient, token: str, waba_id: str, source: str | None = None) -> list[Fetched]:
    """All templates of a WABA; with AUTO_GENERATED as `source` only those that Direct Send made."""
    return list(_listed(graph, token, waba_id, source=source))


def _listed(graph: GraphClient, token: str, waba_id: str, **filters: str | None) -> Iterator[Fetched]:
    params = {"fields": FIELDS, "limit": _PAGE, **filters}
    pages = graph.pages(f"{waba_id}/message_templates", token=token, params=params)
    return filter(None, (_fetched(raw, filters.get("source")) for raw in pages))


def _fetched(raw: dict[str, Any], source: str | None) -> Fetched | None:
    id, quality = identifier(raw.get("id")), mapping(raw.get("quality_score"))
    tracking = raw.get("cta_url_link_tracking_opted_out")
    reason = text(raw.get("rejected_reason"), 64)
    if id is None:
        return None
    return Fetched(
        id=id,
        template=read(raw),
        previous_category=text(raw.get("previous_category"), 40),
        correct_category=text(raw.get("correct_category"), 40),
        sub_category=text(raw.get("sub_category"), 64),
        quality_score=text(quality.get("score"), 40),
        quality_at=_moment(quality.get("date")),
        rejected_reason=None if reason in ("NONE", "") else reason,
        library_template_name=text(raw.get("library_template_name"), 512),
        source=text(raw.get("source"), 64) or source,
        is_link_tracking_off=tracking if isinstance(tracking, bool) else None,
    )


def library(
    graph: GraphClient, token: str, search: str = "", language: str = "", **filters: str
) -> Iterator[LibraryTemplate]:
    """Meta's own templates, page after page. `filters` are topic, usecase, industry and category."""
    params = {"search": search or None, "language": language or None, "limit": _PAGE, **filters}
    for raw in graph.pages("message_template_library", token=token, params=params):
        yield LibraryTemplate(
            name=text(raw.get("name"), 512) or "",
            language=text(raw.get("language"), 40) or "",
            category=text(raw.get("category"), 40) or "",
            topic=text(raw.get("topic"), 100) or "",
            usecase=text(raw.get("usecase"), 100) or "",
            industries=_texts(raw.get("industry")),
            header=text(raw.get("header"), 300) or "",
            body=text(raw.get("body"), 4_096) or "",
            body_params=_texts(raw.get("body_params")),
            body_param_types=_texts(raw.get("body_param_types")),
            buttons=tuple(map(mapping, sequence(raw.get("buttons")))),
        )


def create_from_library(
    graph: GraphClient,
    token: str,
    waba_id: str,
    name: str,
    chosen: LibraryTemplate,
    *,
    body_inputs: Mapping[str, Any] | None = None,
    button_inputs: Sequence[Mapping[str, Any]] = (),
) -> Created:
    """Approved at once, with a category that stays."""
    request: dict[str, Any] = {
        "name": name,
        "language": chosen.language,
        "category": chosen.category,
        "library_template_name": chosen.name,
    }
    if body_inputs:
        request["library_template_body_inputs"] = body_inputs
    if button_inputs:
        # Meta's page has it as text.
        request["library_template_button_inputs"] = json.dumps(list(button_inputs))
    return _created(graph.post(f"{waba_id}/message_templates", token=token, json=request), chosen)


def _created(answer: dict[str, Any], template: Template | LibraryTemplate) -> Created:
    id = identifier(answer.get("id"))
    if id is None:
        raise NoAnswer("Meta's answer does not name the template", 200)
    status, category = (
        text(answer.get("status"), 40) or "PENDING",
        text(answer.get("category"), 40) or template.category,
    )
    return Created(id, status, category)


def upload_sample(graph: GraphClient, token: str, app_id: str, name: str, mime: str, content: bytes) -> str:
    """The handle for `example.header_handle`."""
    return resumable_uploads.upload(graph, token, app_id, name, mime, content)


def analytics(
    graph: GraphClient, token: str, waba_id: str, ids: Sequence[str], start: dt.datetime, end: dt.datetime
) -> list[DataPoint]:
    """The figures of each day of at most the last 90, ten templates with each call."""
    points: list[DataPoint] = []
    for first in range(0, len(ids), MOST_MEASURED):
        params = {
            "start": int(start.timestamp()),
            "end": int(end.timestamp()),
            "granularity": "daily",
            "metric_types": METRICS,
            "template_ids": f"[{','.join(ids[first : first + MOST_MEASURED])}]",
        }
        for one in graph.pages(f"{waba_id}/template_analytics", token=token, params=params):
            points += filter(None, map(_point, map(mapping, sequence(one.get("data_points")))))
    return points


def _point(raw: dict[str, Any]) -> DataPoint | None:
    id, start, end = identifier(text(raw.get("template_id"))), _moment(raw.get("start")), _moment(raw.get("end"))
    if id is None or start is None or end is None:
        return None
    clicks = (
        Clicks(
            text(one.get("type"), 64) or "", text(one.get("button_content"), 200) or "", _count(one.get("count")) or 0
        )
        for one in filter(None, map(mapping, sequence(raw.get("clicked"))))
    )
    costs = {
        str(one.get("type"))[:64]: one["value"] for one in map(mapping, sequence(raw.get("cost"))) if "value" in one
    }
    return DataPoint(
        template_id=id,
        start=start,
        end=end,
        sent=_count(raw.get("sent")),
        delivered=_count(raw.get("delivered")),
        read=_count(raw.get("read")),
        clicked=tuple(clicks),
        cost={name: float(value) for name, value in costs.items() if _is_number(value)},
    )


def enable_insights(graph: GraphClient, token: str, waba_id: str) -> None:
    """Turns figures on; they can't be turned off again."""
    graph.post(waba_id, token=token, params={"is_enabled_for_insights": True})


def unpause(graph: GraphClient, token: str, meta_id: str) -> None:
    """Ends a pause of pacing; one for low quality ends by itself."""
    _done(graph.post(f"{meta_id}/unpause", token=token))


def archive(graph: GraphClient, token: str, waba_id: str, meta_ids: Sequence[str]) -> dict[str, str]:
    """Returns the reasons of those that were not archived, by id."""
    return _moved(graph, token, f"{waba_id}/message_templates/archive", meta_ids)


def unarchive(graph: GraphClient, token: str, waba_id: str, meta_ids: Sequence[str]) -> dict[str, str]:
    """Returns the reasons of those that stay archived, by id."""
    return _moved(graph, token, f"{waba_id}/message_templates/unarchive", meta_ids)


def _moved(graph: GraphClient, token: str, path: str, meta_ids: Sequence[str]) -> dict[str, str]:
    return _failed(graph.post_to_api(path, token=token, json={"hsm_ids": ",".join(meta_ids)}))


def migrate(
    graph: GraphClient, token: str, to_waba_id: str, from_waba_id: str, meta_ids: Sequence[str]
) -> dict[str, str]:
    """Copies templates to another WABA. Returns the reasons of those that were not copied, by id."""
    request = {"source_waba_id": from_waba_id, "template_ids": list(meta_ids)}
    return _failed(graph.post(f"{to_waba_id}/migrate_message_templates", token=token, json=request))


def _failed(answer: dict[str, Any]) -> dict[str, str]:
    """Meta gives reasons by id, or a list of both."""
    failed = answer.get("failed_templates")
    if isinstance(failed, dict):
        return {str(id)[:64]: text(reason, 500) or "" for id, reason in failed.items()}
    pairs = map(mapping, sequence(failed))
    return {id: text(one.get("reason"), 500) or "" for one in pairs if (id := identifier(one.get("id")))}


def _done(answer: dict[str, Any]) -> None:
    """Meta can answer with 200 that it did not do it."""
    if answer.get("success") is False:
        raise GraphError(UNLISTED, details=text(answer.get("reason"), 500), http_status=200)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(written for one in sequence(value) if (written := text(one, 300)))


def _moment(value: Any) -> dt.datetime | None:
    seconds = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 12 else value
    if not _is_number(seconds) or not 0 <= seconds < 10**11:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
