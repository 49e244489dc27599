"""Forms about money. Amounts are typed as decimals and become whole micro-units."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, IntegerField, RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from app.billing.money import MICROS, step_of, typed
from app.billing.plans import MOST_MARKUP
from app.costs.amount_fields import AmountField, amount_field
from app.meta.pricing import CATEGORIES
from app.parameters import InRange
from app.team.forms import Form, one_line

HUNDREDTH_OF_PERCENT = MICROS // 100
CURRENCIES = (
    *("USD", "AED", "ARS", "AUD", "BRL", "CLP", "COP", "EUR"),
    *("GBP", "IDR", "INR", "MXN", "MYR", "PEN", "SAR", "SGD"),
)


class PercentField(AmountField):
    """A percentage such as 12.5; `hundredths` are of a percent."""

    def pre_validate(self, _form: Form) -> None:
        super().pre_validate(_form)
        if (self.micros or 0) % HUNDREDTH_OF_PERCENT:
            raise ValidationError(gettext("Enter at most two decimal places."))
        if self.hundredths > MOST_MARKUP:
            raise ValidationError(gettext("Enter at most 1,000 percent."))

    @property
    def hundredths(self) -> int:
        return (self.micros or 0) // HUNDREDTH_OF_PERCENT


def count_field(label: str) -> IntegerField:
    in_range = InRange(0, 10_000_000, message=_("Enter a number from 0 to 10,000,000."))
    return IntegerField(label, [InputRequired(_("Enter a number.")), in_range], default=0)


class PlanForm(Form):
    name = StringField(_("Name"), [DataRequired(_("Enter a name.")), Length(max=80)], filters=[one_line])
    currency = SelectField(_("Currency"), choices=[SelectChoice(code, code) for code in CURRENCIES])
    monthly_fee = AmountField(_("Monthly fee"), [Optional()])
    seats = count_field(_("Team members that a business may have"))
    numbers = count_field(_("Phone numbers that a business may have"))
    api_rate = count_field(_("API requests a second that a business may send"))
    included_messages = count_field(_("Charged messages a month that are included"))
    markup_marketing = PercentField(_("Mark-up on marketing, in percent"), [Optional()])
    markup_utility = PercentField(_("Mark-up on utility, in percent"), [Optional()])
    markup_authentication = PercentField(_("Mark-up on authentication, in percent"), [Optional()])
    markup_authentication_international = PercentField(
        _("Mark-up on international authentication, in percent"), [Optional()]
    )
    markup_service = PercentField(_("Mark-up on replies, in percent"), [Optional()])
    trial_days = IntegerField(
        _("Days of trial"),
        [InputRequired(_("Enter a number.")), InRange(0, 90, message=_("Enter a number from 0 to 90."))],
        default=0,
    )
    trial_amount = AmountField(_("Amount that can be spent in the trial"), [Optional()])
    is_offered = BooleanField(_("Businesses can choose it themselves"), default=True)

    def validate_monthly_fee(self, field: AmountField) -> None:
        """What is charged is what is shown."""
        step = step_of(self.currency.data) if self.currency.data in CURRENCIES else HUNDREDTH_OF_PERCENT
        if field.micros and field.micros % step:
            raise ValidationError(gettext("Enter a multiple of %(step)s.", step=typed(step)))

    @property
    def markups(self) -> list[PercentField]:
        return [self[f"markup_{category}"] for category in CATEGORIES]

    @property
    def columns(self) -> dict[str, Any]:
        markup = {name: field.hundredths for name, field in zip(CATEGORIES, self.markups, strict=True)}
        return {
            "name": self.name.data,
            "monthly_fee_micros": self.monthly_fee.micros or 0,
            "seats": self.seats.data,
            "numbers": self.numbers.data,
            "api_rate": self.api_rate.data,
            "trial_days": self.trial_days.data,
            "trial_micros": self.trial_amount.micros or 0,
            "included_messages": self.included_messages.data,
            "markup": {name: share for name, share in markup.items() if share},
            "is_offered": self.is_offered.data,
        }


class SubscriptionForm(Form):
    plan = SelectField(_("Plan"))
    mode = RadioField(
        _("Payment"),
        choices=[
            SelectChoice("prepaid", _("Prepaid: what is on the balance can be spent")),
            SelectChoice("postpaid", _("Post-paid: up to a limit can be owed")),
        ],
        default="prepaid",
    )
    limit = AmountField(_("Limit, if post-paid"), [Optional()])
    reserve = AmountField(_("Reserved for other messages than marketing"), [Optional()])
    cap = AmountField(_("Most to be spent in a month"), [Optional()])


def note_field(label: str, missing: str) -> StringField:
    attributes = {"maxlength": "200", "autocomplete": "off"}
    return StringField(label, [DataRequired(missing), Length(max=200)], filters=[one_line], render_kw=attributes)


class PaymentForm(Form):
    amount = amount_field(_("Amount"))
    note = note_field(_("Note"), _("Enter a note, such as the reference of the transfer."))


class CorrectionForm(Form):
    difference = amount_field(_("Amount"))
    reason = note_field(_("Reason"), _("Enter a reason. The business sees it."))
    direction = RadioField(
        _("Direction"),
        choices=[
            SelectChoice("give", _("Give it to the business")),
            SelectChoice("take", _("Charge it to the business")),
        ],
        default="give",
    )

    @property
    def signed_micros(self) -> int:
        return (self.difference.micros or 0) * (1 if self.direction.data == "give" else -1)


class GuardForm(Form):
    stage = RadioField(_("Step"), default="warned")
    reason = note_field(_("Reason"), _("Enter a reason. It is saved with the step."))
