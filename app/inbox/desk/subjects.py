"""The card of what a conversation is about, beside it, and the form that corrects it."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import StringField, ValidationError
from wtforms.validators import DataRequired

from app.entry_points.models import EntryTouch
from app.entry_points.subjects import LONGEST_TITLE, LONGEST_URL, TYPES, Subject, price_of
from app.inbox.conversations import Conversation
from app.meta.contents import web_address
from app.tenancy import db

from .cards import details_card
from .fields import at_most, one_line

MOST_TOUCHES = 10


@dataclass(frozen=True, slots=True)
class SubjectCard:
    conversation: Conversation
    touches: list[EntryTouch]
    has_more: bool

    @property
    def about(self) -> Subject | None:
        return self.conversation.about

    @property
    def types(self) -> dict[str, str]:
        return TYPES


@details_card("inbox/conversations/_subject.html", order=10, permission="inbox.read")
def subject_card(conversation: Conversation) -> SubjectCard | None:
    """Nothing where nothing is known. One statement."""
    newest = select(EntryTouch).where(EntryTouch.conversation_id == conversation.id)
    newest = newest.order_by(EntryTouch.at.desc(), EntryTouch.id.desc()).limit(MOST_TOUCHES + 1)
    touches = list(db.session.scalars(newest.options(joinedload(EntryTouch.entry_point))))
    if not touches and conversation.subject is None:
        return None
    return SubjectCard(conversation, touches[:MOST_TOUCHES], len(touches) > MOST_TOUCHES)


class SubjectForm(FlaskForm):
    """What it is about, in an agent's words."""

    title = StringField(
        _("Title"), filters=[one_line], validators=[DataRequired(_("Enter a title.")), at_most(LONGEST_TITLE)]
    )
    price = StringField(_("Price"), filters=[one_line])
    url = StringField(_("Page"), filters=[one_line], validators=[at_most(LONGEST_URL)])

    def validate_price(self, field: StringField) -> None:
        if field.data and price_of(field.data, "")[0] is None:
            raise ValidationError(gettext("Enter an amount and a currency, such as 500000 XOF."))

    def validate_url(self, field: StringField) -> None:
        if field.data and not web_address(field.data):
            raise ValidationError(gettext("Enter an address that begins with http:// or https://."))

    def corrected(self, before: Subject | None) -> Subject:
        """Type and id stay what they were."""
        kind, id = (before.type, before.external_id) if before else ("page", "")
        return Subject(kind, id, self.title.data, *price_of(self.price.data or "", ""), self.url.data or "")
