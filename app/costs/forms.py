from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, SelectChoice, SelectField, StringField
from wtforms.validators import Length, ValidationError

from app.billing.minor_units import to_minor
from app.billing.money import Money, step_of
from app.billing.tax import SHAPES, country_of, normal
from app.contacts import countries
from app.costs.amount_fields import AmountField, amount_field
from app.team.forms import Form, one_line


def text_field(label: str, most: int) -> StringField:
    return StringField(label, [Length(max=most)], filters=[one_line], render_kw={"maxlength": str(most)})


class BillingDetailsForm(Form):
    company = text_field(_("Company"), 120)
    address = text_field(_("Address"), 200)
    country = SelectField(_("Country"))
    vat_id = text_field(_("VAT id"), 30)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.country.choices = [SelectChoice("", gettext("Choose a country"))]
        self.country.choices += [SelectChoice(code, name) for code, name in countries.names()]

    def validate_vat_id(self, field: StringField) -> None:
        """By its shape: whether it is registered is not looked up."""
        field.data = normal(field.data or "")
        if field.data and self.country.data in SHAPES and country_of(field.data) != self.country.data:
            raise ValidationError(gettext("This isn't a VAT id of this country. It begins with two letters."))


class InCurrency(Form):
    """Amounts that can be charged in a currency."""

    def __init__(self, currency: str, **options: Any) -> None:
        self.currency = currency
        super().__init__(**options)

    def refuse_parts(self, field: AmountField) -> None:
        if field.micros and to_minor(field.micros, self.currency) is None:
            step = Money(step_of(self.currency), self.currency)
            raise ValidationError(gettext("Enter a multiple of %(step)s.", step=step))


class TopUpForm(InCurrency):
    amount = amount_field(_("Amount"))
    saves_card = BooleanField(_("Save the card, so that it can be charged automatically"))

    def validate_amount(self, field: AmountField) -> None:
        self.refuse_parts(field)


class RechargeForm(InCurrency):
    below = amount_field(_("When less than this can be spent"))
    recharge_amount = amount_field(_("Add this amount"))
    most = amount_field(_("At most this much in a month"))

    def validate_recharge_amount(self, field: AmountField) -> None:
        self.refuse_parts(field)

    def validate_most(self, field: AmountField) -> None:
        if field.micros and self.recharge_amount.micros and field.micros < self.recharge_amount.micros:
            raise ValidationError(gettext("Enter at least the amount that is added at once."))
