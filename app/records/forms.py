"""Forms of records, and of the stages of a type."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField, URLField
from wtforms.validators import DataRequired, Length, ValidationError

from app.contacts.names import plain

from .attributes import CURRENCY, MOST_MICROS, WrongLink, read_link
from .models import LONGEST_ID, LONGEST_OWNER, LONGEST_TITLE, Values
from .stages import LONGEST_STAGE, MOST_STAGES, OUTCOMES, TYPE_NAMES

MICROS = 1_000_000


def stripped(value: str | None) -> str:
    return (value or "").strip()


def one_line(value: str | None) -> str:
    return plain(value or "")


class RecordForm(FlaskForm):
    """A record that is entered by hand."""

    type = SelectField(_("Type"), default="deal")
    title = StringField(
        _("Title"), filters=[one_line], validators=[DataRequired(_("Enter a title.")), Length(max=LONGEST_TITLE)]
    )
    external_id = StringField(_("ID in the other system"), filters=[one_line], validators=[Length(max=LONGEST_ID)])
    url = URLField(_("Link"), filters=[stripped])
    stage = StringField(_("Stage"), filters=[one_line], validators=[Length(max=LONGEST_STAGE)])
    amount = StringField(_("Amount"), filters=[stripped], validators=[Length(max=30)])
    currency = StringField(_("Currency"), filters=[lambda value: stripped(value).upper()], validators=[Length(max=3)])
    owner_name = StringField(
        lazy_pgettext("of a record", "Owner"), filters=[one_line], validators=[Length(max=LONGEST_OWNER)]
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.type.choices = [(name, gettext(words)) for name, words in TYPE_NAMES.items()]

    def validate_url(self, field: URLField) -> None:
        try:
            field.data = read_link(field.data or "")
        except WrongLink:
            raise ValidationError(_("Enter a whole web address that begins with https://.")) from None

    def validate_amount(self, field: StringField) -> None:
        if field.data and self.micros is None:
            raise ValidationError(_("Enter an amount such as 1250.50."))

    def validate_currency(self, field: StringField) -> None:
        if self.amount.data and not CURRENCY.fullmatch(field.data or ""):
            raise ValidationError(_("Enter the three letters of the currency, such as XOF."))

    @property
    def micros(self) -> int | None:
        """None for what is no amount."""
        try:
            micros = int(Decimal((self.amount.data or "").replace(",", ".").replace(" ", "")) * MICROS)
        except (InvalidOperation, OverflowError, ValueError):
            return None
        return micros if abs(micros) <= MOST_MICROS else None

    @property
    def values(self) -> Values:
        has_amount = bool(self.amount.data)
        return Values(
            title=self.title.data,
            url=self.url.data or "",
            stage=self.stage.data,
            amount_micros=self.micros if has_amount else None,
            currency=self.currency.data if has_amount else "",
            owner_name=self.owner_name.data,
        )


class StagesForm(FlaskForm):
    """The stages of one type, one a line; those that end it are marked."""

    open = TextAreaField(_("Stages, in order"), filters=[stripped], render_kw={"rows": 8})
    won = TextAreaField(_("Stages that mean won"), filters=[stripped], render_kw={"rows": 2})
    lost = TextAreaField(_("Stages that mean lost"), filters=[stripped], render_kw={"rows": 2})

    @property
    def stages(self) -> list[tuple[str, str]]:
        """Names and outcomes, in order."""
        listed = []
        for outcome in OUTCOMES:
            lines = map(one_line, (self[outcome].data or "").splitlines())
            listed += [(line, outcome) for line in lines if line]
        return listed

    def validate_open(self, field: TextAreaField) -> None:  # noqa: ARG002
        if len(self.stages) > MOST_STAGES:
            raise ValidationError(gettext("A type may have %(most)d stages.", most=MOST_STAGES))
        if any(len(name) > LONGEST_STAGE for name, _outcome in self.stages):
            raise ValidationError(gettext("A stage may have %(most)d characters.", most=LONGEST_STAGE))
