"""Creating, changing, listing and measuring templates at Meta."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .graph import GraphClient
from .message_templates import Template


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
    """The figures of one template on one day."""

    template_id: str
    start: dt.datetime
    end: dt.datetime
    sent: int | None
    delivered: int | None
    read: int | None
    clicked: tuple[Clicks, ...]
    cost: dict[str, float]


@dataclass(frozen=True, slots=True)
class Preview:
    """The fixed words of an authentication template in one language."""

    language: str
    body: str
    footer: str
    buttons: tuple[dict[str, Any], ...]


def create(graph: GraphClient, token: str, waba_id: str, template: Template) -> Created:
    """Raises MetaError; after a NoAnswer, `find` settles whether it was created."""
    raise NotImplementedError


def edit(graph: GraphClient, token: str, meta_id: str, template: Template, *, with_category: bool = False) -> None:
    raise NotImplementedError


def delete(graph: GraphClient, token: str, waba_id: str, name: str, meta_id: str | None = None) -> None:
    raise NotImplementedError


def fetch(graph: GraphClient, token: str, meta_id: str) -> Fetched:
    raise NotImplementedError


def find(graph: GraphClient, token: str, waba_id: str, name: str, language: str) -> Fetched | None:
    raise NotImplementedError


def templates_of(graph: GraphClient, token: str, waba_id: str, source: str | None = None) -> list[Fetched]:
    raise NotImplementedError


def library(
    graph: GraphClient, token: str, search: str = "", language: str = "", **filters: str
) -> Iterator[LibraryTemplate]:
    raise NotImplementedError


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
    raise NotImplementedError


def upload_sample(graph: GraphClient, token: str, app_id: str, name: str, mime: str, content: bytes) -> str:
    raise NotImplementedError


def analytics(
    graph: GraphClient, token: str, waba_id: str, ids: Sequence[str], start: dt.datetime, end: dt.datetime
) -> list[DataPoint]:
    raise NotImplementedError


def enable_insights(graph: GraphClient, token: str, waba_id: str) -> None:
    raise NotImplementedError


def unpause(graph: GraphClient, token: str, meta_id: str) -> None:
    raise NotImplementedError


def archive(graph: GraphClient, token: str, waba_id: str, meta_ids: Sequence[str]) -> dict[str, str]:
    """Returns the reasons of those that were not archived, by id."""
    raise NotImplementedError


def unarchive(graph: GraphClient, token: str, waba_id: str, meta_ids: Sequence[str]) -> dict[str, str]:
    raise NotImplementedError


def previews(
    graph: GraphClient,
    token: str,
    waba_id: str,
    languages: Sequence[str],
    *,
    add_security_recommendation: bool = False,
    code_expiration_minutes: int | None = None,
) -> list[Preview]:
    raise NotImplementedError


def migrate(
    graph: GraphClient, token: str, to_waba_id: str, from_waba_id: str, meta_ids: Sequence[str]
) -> dict[str, str]:
    """Returns the reasons of those that were not copied, by id."""
    raise NotImplementedError
