"""The form of a new flow, and what the table of responses can be narrowed to."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import Select
from wtforms import HiddenField, SelectChoice, SelectField, StringField, URLField, ValidationError
from wtforms.validators import DataRequired, Length

from app import zones
from app.egress import Refused, checked_by_its_words
from app.meta.flow_json import CATEGORIES
from app.tenancy import as_uuid
from app.wabas.models import Waba

from .lookups import SOURCES
from .models import LONGEST_NAME
from .responses import FlowResponse
from .starters import LANGUAGES


def stripped(text: str | None) -> str:
    return (text or "").replace("\x00", "").strip()


class NewFlowForm(FlaskForm):
    starter = HiddenField()
    language = HiddenField()
    name = StringField(
        _("Name"),
        filters=[stripped],
        validators=[DataRequired(_("Enter a name.")), Length(max=LONGEST_NAME)],
    )
    category = SelectField(_("Category"))
    waba_id = SelectField(_("WhatsApp account"))

    def __init__(self, accounts: Sequence[Waba], **options: Any) -> None:
        super().__init__(**options)
        self.category.choices = [SelectChoice(key, gettext(words)) for key, words in CATEGORIES.items()]
        self.waba_id.choices = [SelectChoice(str(waba.id), waba.name or waba.meta_id) for waba in accounts]

    def validate_language(self, field: HiddenField) -> None:
        field.data = field.data if field.data in LANGUAGES else LANGUAGES[0]


class LookupForm(FlaskForm):
    """Where the choices of a form come from."""

    lookup_source = SelectField(_("Choices come from"), default="")
    lookup_url = URLField(_("Address"), filters=[stripped], validators=[Length(max=2_000)])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        ours = [SelectChoice(source.name, gettext(source.title)) for source in SOURCES.values()]
        self.lookup_source.choices = [SelectChoice("", gettext("Your program")), *ours]

    def validate_lookup_url(self, field: URLField) -> None:
        if not field.data:
            return
        try:
            checked_by_its_words(field.data)
        except Refused:
            raise ValidationError(
                _("Enter a public address that begins with https:// and has no port of its own.")
            ) from None


@dataclass(frozen=True, slots=True)
class ResponseFilter:
    """What an address asks for. `arguments` make the same address again."""

    flow_id: uuid.UUID | None = None
    since: dt.date | None = None
    until: dt.date | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> ResponseFilter:
        """What makes no sense is passed over."""
        return cls(as_uuid(arguments.get("flow")), day(arguments.get("since")), day(arguments.get("until")))

    @property
    def arguments(self) -> dict[str, str]:
        values = {"flow": self.flow_id, "since": self.since, "until": self.until}
        return {name: str(value) for name, value in values.items() if value}

    def query(self) -> Select[FlowResponse]:
        """Days are by the reader's clock."""
        query = FlowResponse.newest()
        if self.flow_id:
            query = query.where(FlowResponse.flow_id == self.flow_id)
        if self.since:
            query = query.where(FlowResponse.at >= start_of(self.since))
        if self.until:
            query = query.where(FlowResponse.at < start_of(self.until + dt.timedelta(days=1)))
        return query


def day(written: str | None) -> dt.date | None:
    try:
        read = dt.date.fromisoformat(written or "")
    except ValueError:
        return None
    return read if 2000 <= read.year <= 2200 else None


def start_of(date: dt.date) -> dt.datetime:
    return zones.in_utc(dt.datetime.combine(date, dt.time(), zones.reader_zone()))
