"""The forms of listings: one by hand, a saved search, and what a business decides."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import BooleanField, IntegerField, SelectChoice, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length

from app import dates
from app.contacts.consents import CHOSEN_SOURCES
from app.contacts.models import Contact
from app.contacts.refusals import Refusal
from app.egress import Refused, checked_by_its_words
from app.meta import written_numbers
from app.meta.written_numbers import NotRead
from app.notifications.choosing import check_new
from app.notifications.models import Notification
from app.parameters import InRange
from app.tenancy import Membership, User, as_uuid, db
from app.wabas.models import PhoneNumber
from app.whatsapp_flows.models import WhatsappFlow

from .amounts import read_currency, read_number, read_price, typed_price
from .criteria import Criteria
from .feed_reading import READERS, read_money
from .kinds import KINDS, STATUSES
from .models import LONGEST_DESCRIPTION, LONGEST_ID, LONGEST_LINK, LONGEST_PLACE, LONGEST_TITLE, Listing
from .saved_searches import FREQUENCIES, NoConsent
from .settings import ALERT_HOURS, ListingSettings
from .wording import ALERT_VARIABLES, INQUIRY_VARIABLES

MOST_CHOICES = 200
SOURCE_WORDS = {
    "message": _("In a message"),
    "phone": _("By phone"),
    "form": _("In a form"),
    "paper": _("On paper"),
    "other": _("In another way"),
}


def stripped(text: str | None) -> str:
    return (text or "").replace("\x00", "").strip()


def line(label: Any, most: int, *, needed: str = "") -> StringField:
    validators: list[Any] = [Length(max=most)]
    validators += [DataRequired(needed)] if needed else []
    return StringField(label, filters=[stripped], validators=validators)


def choices(words: dict[str, Any], none: str = "") -> list[SelectChoice]:
    listed = [SelectChoice(name, gettext(one)) for name, one in words.items()]
    return [SelectChoice("", none), *listed] if none else listed


class ListingForm(FlaskForm):
    """Every value is read as a feed's is."""

    external_id = line(_("Reference"), LONGEST_ID)
    title = line(_("Title"), LONGEST_TITLE, needed=_("Enter a title."))
    kind = SelectField(_("Offer"))
    type = line(_("Type"), LONGEST_PLACE)
    city = line(_("City"), LONGEST_PLACE)
    district = line(_("District"), LONGEST_PLACE)
    price = line(_("Price"), 60)
    currency = line(_("Currency"), 20)
    rooms = line(_("Rooms"), 20)
    area = line(_("Area in m²"), 20)
    url = line(_("Link"), LONGEST_LINK)
    status = SelectField(_("Status"))
    owner = line(_("Owner's phone number"), 40)
    member_id = SelectField(_("Team member"), default="")
    description = TextAreaField(
        _("Description"), filters=[stripped], validators=[Length(max=LONGEST_DESCRIPTION)], render_kw={"rows": 6}
    )

    def __init__(self, listing: Listing | None = None, **options: Any) -> None:
        super().__init__(data=values_of(listing) if listing else None, **options)
        self.kind.choices, self.status.choices = choices(KINDS), choices(STATUSES)
        self.member_id.choices = [SelectChoice("", gettext("No one in particular")), *members()]
        self.given: dict[str, Any] = {}

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        for name, reader in READERS.items():
            if name in self._fields and name not in ("kind", "status"):
                is_valid &= self.take(name, reader, self[name].data)
        money = {"price": self.price.data, "currency": self.currency.data}
        is_valid &= self.take("price", lambda one: read_money(one, ListingSettings.current().currency), money)
        is_valid &= self.take("owner", owner_called, self.owner.data)
        if is_valid and not self.given["title"]:
            self.title.errors, is_valid = [_("Enter a title.")], False
        self.given |= {"kind": self.kind.data, "status": self.status.data, "member_id": as_uuid(self.member_id.data)}
        return is_valid

    def take(self, name: str, reader: Any, value: Any) -> bool:
        """Reads a value; a refusal is shown at its field."""
        try:
            self.given |= reader(value)
        except Refusal as refusal:
            self[name].errors = [*self[name].errors, refusal.explain(gettext)]
            return False
        return True


def owner_called(written: str) -> dict[str, Any]:
    """The contact with this number. Raises `Refusal`."""
    if not written:
        return {"contact_id": None}
    try:
        contact = Contact.with_number(written_numbers.read(written))
    except NotRead as problem:
        raise Refusal.of(problem) from None
    if contact is None:
        raise Refusal(gettext("No contact has this number. Add the contact first."))
    return {"contact_id": contact.id}


def values_of(listing: Listing) -> dict[str, Any]:
    shown = {
        name: getattr(listing, name) for name in ("external_id", "title", "kind", "type", "city", "district", "url")
    }
    shown |= {"price": typed_price(listing.price_micros), "currency": listing.currency or "", "status": listing.status}
    shown |= {
        name: f"{number:g}" if (number := getattr(listing, name)) is not None else "" for name in ("rooms", "area")
    }
    shown |= {"owner": listing.owner.phone if listing.owner else "", "member_id": str(listing.member_id or "")}
    return shown | {"description": listing.description}


def members() -> list[SelectChoice]:
    query = select(User.id, User.name).join(Membership, Membership.user_id == User.id).order_by(User.name)
    return [SelectChoice(str(id), name) for id, name in db.session.execute(query.limit(MOST_CHOICES))]


def numbers() -> list[SelectChoice]:
    query = select(PhoneNumber.id, PhoneNumber.display_number).order_by(PhoneNumber.display_number)
    return [SelectChoice(str(id), number) for id, number in db.session.execute(query.limit(MOST_CHOICES))]


class SearchForm(FlaskForm):
    """What a customer looks for. Prices, rooms and places are written as people write them."""

    contact_id = StringField()
    name = line(_("Name"), LONGEST_PLACE)
    kind = SelectField(_("Offer"), default="")
    types = line(_("Types"), 300)
    places = line(_("Cities or districts"), 300)
    price_from = line(_("Price from"), 60)
    price_to = line(_("Price to"), 60)
    rooms_from = line(_("Rooms from"), 20)
    area_from = line(_("Area from, in m²"), 20)
    words = line(_("Words"), 200)
    frequency = SelectField(_("How often"))
    wants_drops = BooleanField(_("Also when a price goes down"))
    consent_source = SelectField(_("How the customer agreed to marketing"), default="")
    consent_evidence = line(_("When and where"), 1_000)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.kind.choices = choices(KINDS, gettext("For sale or for rent"))
        self.frequency.choices = choices(FREQUENCIES)
        listed = {name: SOURCE_WORDS[name] for name in CHOSEN_SOURCES}
        self.consent_source.choices = [
            SelectChoice("", "–"),
            *(SelectChoice(name, str(one)) for name, one in listed.items()),
        ]
        self.criteria = Criteria()
        # What is wrong and at none of its fields.
        self.problem = ""

    def blame(self, refusal: Refusal) -> None:
        """Puts a refusal at the field that it is about."""
        words = refusal.explain(gettext)
        if isinstance(refusal, NoConsent):
            self.consent_source.errors = [words]
        elif refusal.facts.get("field") in self:
            self[str(refusal.facts["field"])].errors = [words]
        else:
            self.problem = words

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        given: dict[str, Any] = {"kind": self.kind.data, "words": self.words.data, "currency": ""}
        given |= {name: [one.strip() for one in self[name].data.split(",")] for name in ("types", "places")}
        for name in ("price_from", "price_to"):
            is_valid &= self.take_price(name, given)
        for name in ("rooms_from", "area_from"):
            is_valid &= self.take_number(name, given)
        if self.consent_source.data and not self.consent_evidence.data:
            self.consent_evidence.errors = [_("Enter when and where the customer agreed. It is stored as evidence.")]
            is_valid = False
        if is_valid:
            try:
                self.criteria = Criteria.of(given)
            except Refusal as refusal:
                self.blame(refusal)
                return False
        return is_valid

    def take_price(self, name: str, given: dict[str, Any]) -> bool:
        written = self[name].data
        if not written:
            return True
        try:
            given[name], given["currency"] = read_price(
                written, given["currency"] or ListingSettings.current().currency
            )
        except Refusal as refusal:
            self[name].errors = [refusal.explain(gettext)]
            return False
        return True

    def take_number(self, name: str, given: dict[str, Any]) -> bool:
        written = self[name].data
        given[name] = read_number(written, 1_000_000) if written else None
        if written and given[name] is None:
            self[name].errors = [_("Enter a number.")]
            return False
        return True


class SettingsForm(FlaskForm):
    """The columns of `ListingSettings`, by their names."""

    currency = line(_("Currency of prices without one"), 20)
    alert_notification_id = SelectField(_("Notification for alerts"), default="")
    alert_hour = SelectField(_("Send alerts from"))
    phone_number_id = SelectField(_("From the number"), default="")
    inquiry_notification_id = SelectField(_("Notification to the owner of a listing"), default="")
    inquiry_days = IntegerField(
        _("Days in which a customer's questions about the same listing count as one inquiry"),
        validators=[InputRequired(_("Enter a number.")), InRange(1, 365, message=_("Choose 1 to 365 days."))],
    )
    assigns_member = BooleanField(_("Assign the conversation to the listing's team member"))
    search_flow_id = SelectField(_("Form whose responses become saved searches"), default="")
    feed_url = line(_("Address of your feed"), LONGEST_LINK)
    feed_withdraws = BooleanField(_("Withdraw listings that are missing in the feed"))

    def __init__(self, settings: ListingSettings | None = None, **options: Any) -> None:
        super().__init__(data=settings_values(settings) if settings else None, **options)
        listed = [
            SelectChoice(str(one.id), one.title)
            for one in db.session.scalars(Notification.in_order().limit(MOST_CHOICES))
        ]
        nothing = SelectChoice("", gettext("None: nothing is sent"))
        self.alert_notification_id.choices = self.inquiry_notification_id.choices = [nothing, *listed]
        self.alert_hour.choices = [SelectChoice(str(hour), dates.hour(hour)) for hour in ALERT_HOURS]
        self.phone_number_id.choices = [SelectChoice("", gettext("The one the customer last wrote to")), *numbers()]
        flows = db.session.scalars(WhatsappFlow.listed().limit(MOST_CHOICES))
        self.search_flow_id.choices = [
            SelectChoice("", gettext("No form")),
            *(SelectChoice(str(one.id), one.name) for one in flows),
        ]

    def validate_currency(self, field: StringField) -> None:
        if field.data:
            try:
                field.data = read_currency(field.data)
            except Refusal as refusal:
                raise ValidationError(refusal.explain(gettext)) from None

    def validate_alert_notification_id(self, field: SelectField) -> None:
        chosen = Notification.find(as_uuid(field.data))
        check_new(field, chosen, ALERT_VARIABLES)
        if field.data != field.object_data and chosen and chosen.category not in ("", "MARKETING"):
            raise ValidationError(
                gettext("Alerts are marketing. Choose one with a template of the category marketing.")
            )

    def validate_inquiry_notification_id(self, field: SelectField) -> None:
        check_new(field, Notification.find(as_uuid(field.data)), INQUIRY_VARIABLES)

    def validate_feed_url(self, field: StringField) -> None:
        if field.data:
            try:
                checked_by_its_words(field.data)
            except Refused:
                raise ValidationError(_("Enter a public address that begins with https://.")) from None

    def store(self, settings: ListingSettings) -> None:
        if self.feed_url.data != settings.feed_url:
            settings.feed_fetched_at, settings.feed_failure = None, {}
        for name in PLAIN:
            setattr(settings, name, self[name].data)
        settings.alert_hour = int(self.alert_hour.data)
        for name in REFERENCES:
            setattr(settings, name, as_uuid(self[name].data))
        settings.save()


PLAIN = ("currency", "inquiry_days", "assigns_member", "feed_url", "feed_withdraws")
REFERENCES = ("alert_notification_id", "inquiry_notification_id", "phone_number_id", "search_flow_id")


def settings_values(settings: ListingSettings) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(settings, name) for name in PLAIN}
    values |= {name: str(getattr(settings, name) or "") for name in REFERENCES}
    return values | {"alert_hour": str(settings.alert_hour)}
