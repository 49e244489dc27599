from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import replace
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
from wtforms.validators import InputRequired, Optional, StopValidation

from app import zones
from app.billing.terms import Estimate, Terms
from app.inbox.conversations import Conversation, Later, Message, Ways
from app.inbox.desk.fields import ClientIdField, options, tidy
from app.message_templates.models import MessageTemplate
from app.meta.outgoing import Outgoing, Refused, text
from app.tenancy import Actor, User

from .drafts import Draft

LONGEST_WAIT = dt.timedelta(days=365)
# The choice beside the ids of templates.
DIRECT_SEND, UTILITY = "direct-send", "utility"


class TimeForm(FlaskForm):
    """A time by the clock of the zone that the page names beside it. Where it comes twice, `fold` says which."""

    at = DateTimeLocalField(
        _("When"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[InputRequired(_("Enter a date and a time."))],
    )
    zone = HiddenField(default=lambda: zones.reader_zone().key)
    fold = StringField(_("Which one"))

    def validate_at(self, field: DateTimeLocalField) -> None:
        if field.data is None:
            field.errors[:] = []
            raise StopValidation(_("Enter a date and a time."))
        if self.fold_times and self.fold.data not in ("0", "1"):
            raise ValidationError(zones.doubled_words(field.data, self.time_zone) + " " + gettext("Choose which one."))
        try:
            moment = self.moment
        except zones.SkippedTime as skipped:
            raise ValidationError(str(skipped)) from None
        if moment <= dt.datetime.now(dt.UTC):
            raise ValidationError(_("This time is in the past. Choose a later one."))
        if moment > dt.datetime.now(dt.UTC) + LONGEST_WAIT:
            raise ValidationError(_("Choose a time within one year."))

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


class ScheduleForm(TimeForm):
    """A text, when to send it, and the template to send instead if the reply window has closed by then."""

    body = TextAreaField(_("Message"), filters=[tidy], render_kw={"rows": 4, "dir": "auto"})
    # Not at a time, but as soon as the customer writes.
    parks = BooleanField()
    instead = SelectField(_("If the reply window has closed by then"), validators=[Optional()])
    client_id = ClientIdField()

    def __init__(self, templates: list[MessageTemplate], terms: Terms, ways: Ways) -> None:
        super().__init__()
        self.terms = terms
        self.templates = {str(one.id): one for one in templates}
        if self.parks.data:
            del self.at
        choices = [(id, self.price_words(one)) for id, one in self.templates.items()]
        if ways.has_direct_send:
            choices.append((DIRECT_SEND, self.direct_send_words))
        self.instead.choices = options(("", _("Don't send anything")), *choices)

    @property
    def reply_price(self) -> Estimate:
        return self.terms.price_of("service", dt.datetime.now(dt.UTC))

    def price_words(self, template: MessageTemplate) -> str:
        """The option for a template, with today's price; on the day it is sent the price may differ."""
        price = self.terms.price_of(template.category, dt.datetime.now(dt.UTC)).words
        return str(gettext("Send the template “%(name)s” (%(price)s)", name=template.title, price=price))

    @property
    def direct_send_words(self) -> str:
        price = self.terms.price_of(UTILITY, dt.datetime.now(dt.UTC)).words
        return str(gettext("Send this text without a template, as a utility message (%(price)s)", price=price))

    def validate_body(self, field: TextAreaField) -> None:
        try:
            text(field.data)
        except Refused as refusal:
            raise ValidationError(refusal.explain(gettext)) from None

    def schedule(self, conversation: Conversation, *, by: User) -> Message:
        """Schedules the message and clears the draft. Raises what `Conversation.send` raises."""
        template = self.templates.get(self.instead.data)
        at = None if self.parks.data else self.moment
        fallback = template.filled({}) if template else None
        if self.instead.data == DIRECT_SEND:
            fallback = replace(text(self.body.data), category=UTILITY)
        later = Later(at, as_instead(fallback) if fallback else None)
        message = conversation.reply(self.body.data, by=Actor.agent(by), client_id=self.client_id.data, later=later)
        Draft.clear(conversation, "reply", owner=by)
        return message


def as_instead(outgoing: Outgoing) -> dict[str, Any]:
    """A message as `Message.instead` holds it."""
    content = {"raw": outgoing.raw, "shown": outgoing.shown}
    category = {"category": outgoing.category} if outgoing.category else {}
    return {"type": outgoing.type, "body": outgoing.words, "content": content | category}
