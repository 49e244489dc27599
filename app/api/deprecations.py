"""What will go some day, declared where it is: on an endpoint, a member, a parameter, a version. RFC 9745, RFC 8594."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response
from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from werkzeug.http import http_date

from app.extensions import settings

MEMBER = "x-deprecation"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """`since` and `until` are days, in UTC: it works before the second one, for ever while there is none.

    Of an endpoint it is an argument, of a member an annotation: `Annotated[str, Deprecation("2027-01-10", "Use …")]`.
    """

    since: str
    advice: str
    until: str = ""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(core) | self.as_schema()

    def as_schema(self) -> dict[str, Any]:
        about = {"since": self.since, "advice": self.advice} | ({"until": self.until} if self.until else {})
        return {"deprecated": True, MEMBER: about}

    @property
    def words(self) -> str:
        """In English, as everything in the document."""
        end = f" and ends on {self.until}" if self.until else ""
        return f"Deprecated since {self.since}{end}. {self.advice}"


def description_of(schema: dict[str, Any]) -> str:
    """What a schema says of itself, after that it is deprecated."""
    words = Deprecation(**schema[MEMBER]).words if MEMBER in schema else ""
    return " ".join(filter(None, (words, str(schema.get("description", "")))))


def given_in(model: BaseModel) -> Iterator[Deprecation]:
    """Of the members that a request gave."""
    for name in model.model_fields_set & type(model).model_fields.keys():
        yield from (each for each in type(model).model_fields[name].metadata if isinstance(each, Deprecation))
        value = getattr(model, name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel):
                yield from given_in(one)


def mark(response: Response, deprecations: Sequence[Deprecation]) -> None:
    """Says that what this request used is deprecated, since when, and the day on which the first of it ends."""
    if not deprecations:
        return
    response.headers["Deprecation"] = f"@{int(start_of(min(one.since for one in deprecations)).timestamp())}"
    if ends := [one.until for one in deprecations if one.until]:
        response.headers["Sunset"] = http_date(start_of(min(ends)))
    response.headers.add("Link", f'<{settings.public_url}/developers/changelog>; rel="deprecation"; type="text/html"')


def start_of(day: str) -> dt.datetime:
    return dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
