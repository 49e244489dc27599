from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Optional

from app import zones
from app.billing.terms import Estimate, Terms
from app.inbox.conversations import Conversation, Later, Message
from app.message_templates.models import MessageTemplate
from app.meta.outgoing import Outgoing, Refused, text
from app.tenancy import User
from app.tenancy.database import is_uuid

from .forms import tidy

LONGEST_WAIT = dt.timedelta(days=365)


class TimeForm(FlaskForm):
    """A time by the clock of the zone that the page names beside it. Where it comes twice, `fold` says which."""

    at = DateTimeLocalField(
        _("When"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[InputRequired(_("Choose a day and a time."))],
    )
    zone = HiddenField(default=lambda: zones.reader_zone().key)
    fold = StringField(_("Which one"))

    def validate_at(self, field: DateTimeLocalField) -> None:
        if self.fold_times and self.fold.data not in ("0", "1"):
            raise ValidationError(zones.doubled_words(field.data, self.time_zone) + " " + gettext("Choose which one."))
        try:
            moment = self.moment
        except zones.SkippedTime as skipped:
            raise ValidationError(str(skipped)) from None
        if moment <= dt.datetime.now(dt.UTC):
            raise ValidationError(_("This moment is over. Choose a later one."))
        if moment > dt.datetime.now(dt.UTC) + LONGEST_WAIT:
            raise ValidationError(_("Choose a moment within a year."))

    @property
    def moment(self) -> dt.datetime:
        """Raises `SkippedTime`."""
        return zones.moment_at(self.at.data, self.time_zone, fold=int(self.fold.data == "1"))

    @property
    def time_zone(self) -> zoneinfo.ZoneInfo:
        return zones.find_zone(self.zone.data) or zones.reader_zone()

    @property
    def fold_times(self) -> list[dt.datetime]:
        """Both moments, in the zone of entry, where the clocks show the time twice."""
        if not self.at.data or not zones.is_doubled(self.at.data, self.time_zone):
            return []
        return [self.at.data.replace(tzinfo=self.time_zone, fold=fold) for fold in (0, 1)]


class LaterForm(TimeForm):
    """A text, its time, and the template for the case that only templates may be sent by then."""

    body = TextAreaField(_("Message"), filters=[tidy], render_kw={"rows": 4, "dir": "auto"})
    # Not at a time, but as soon as the customer writes.
    parks = BooleanField()
    instead = SelectField(_("If the 24 hours to answer are over by then"), validators=[Optional()])
    client_id = HiddenField()

    def __init__(self, templates: list[MessageTemplate], terms: Terms) -> None:
        super().__init__()
        self.terms = terms
        self.templates = {str(one.id): one for one in templates}
        if self.parks.data:
            del self.at
        named = [(id, self.priced(one)) for id, one in self.templates.items()]
        self.instead.choices = [("", _("Do not send anything")), *named]

    @property
    def price_of_answer(self) -> Estimate:
        return self.terms.price_of("service", dt.datetime.now(dt.UTC))

    def priced(self, template: MessageTemplate) -> str:
        """What it would cost by today's prices; those of the day it goes out may be others."""
        price = self.terms.price_of(template.category, dt.datetime.now(dt.UTC)).words
        return str(gettext("Send the template “%(name)s” (%(price)s)", name=template.title, price=price))

    def validate_body(self, field: TextAreaField) -> None:
        try:
            text(field.data)
        except Refused as refused:
            raise ValidationError(refused.told(gettext)) from None

    def message_for(self, conversation: Conversation, *, by: User) -> Message:
        """Raises what `Conversation.send` does."""
        chosen = self.templates.get(self.instead.data)
        at = None if self.parks.data else self.moment
        later = Later(at, carried(chosen.definition.filled({})) if chosen else None)
        return conversation.reply(self.body.data, by=by, client_id=client_id_of(self.client_id.data), later=later)


def carried(outgoing: Outgoing) -> dict[str, Any]:
    """A message as its row would hold it."""
    content = {"raw": outgoing.raw, "preview": outgoing.preview, "shown": outgoing.shown}
    return {"type": outgoing.type, "body": outgoing.words, "content": content}


def client_id_of(given: str | None) -> uuid.UUID:
    """An old page or a script loses only the protection against a double click."""
    return uuid.UUID(given) if given and is_uuid(given) else uuid.uuid4()
