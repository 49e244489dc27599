"""The forms of messages other than text: a location, a contact, buttons, a list, a link, a location request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, FieldList, FormField, StringField, TextAreaField

from app.inbox.desk.fields import tidy
from app.meta import outgoing
from app.meta.outgoing import MOST_ROWS, Outgoing, Refused, Row
from app.wabas.models import PhoneNumber
from app.words import N_

from .forms import WritingForm
from .points import LONGEST, point_in


def line_field(label: str, most: int = 300, **more: str) -> StringField:
    return StringField(
        label, filters=[tidy], render_kw={"maxlength": most, "autocomplete": "off", "dir": "auto"} | more
    )


def text_field(most: int = 1024) -> TextAreaField:
    return TextAreaField(_("Text"), filters=[tidy], render_kw={"rows": 3, "maxlength": most, "dir": "auto"})


class ComposeForm(WritingForm):
    """`names` are the fields shown, in order; those in `extra` are collapsed."""

    title: ClassVar[str]
    intro: ClassVar[str] = ""
    names: ClassVar[tuple[str, ...]]
    extra: ClassVar[tuple[str, ...]] = ()
    extra_title: ClassVar[str] = _("Header and footer")
    # Whether it can be saved as a canned reply, whose text is the field `body`.
    may_be_canned: ClassVar[bool] = False
    # Where there is nothing to choose from: why, and where that is changed.
    missing: str = ""
    remedy: tuple[str, str] | None = None
    # Of a message that goes by Direct Send.
    category: ClassVar[str] = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self:
            # The composer is on the same page and has fields of these names too.
            field.id = field.label.field_id = f"part-{field.id}"

    def offer(self, phone_number: PhoneNumber) -> None:
        """Fills in the choices that depend on the number."""

    def build(self) -> Outgoing:
        """The message that was filled in. Raises `Refused` where WhatsApp would not accept it."""
        raise NotImplementedError

    @property
    def canned_values(self) -> dict[str, Any]:
        """What is filled in beside the text."""
        fields = (field for field in self.fields_named((*self.names, *self.extra)) if field.name != "body")
        return {field.name: field.data for field in fields if field.data}

    def fill_in(self, body: str, values: dict[str, Any]) -> None:
        """Begins with a canned reply. What is not a field any more is left out."""
        for field in self.fields_named((*self.names, *self.extra)):
            if field.name == "body":
                field.data = body
            elif field.name in values:
                field.process(None, values[field.name])

    def fields_named(self, names: tuple[str, ...]) -> list[Field]:
        return [self[name] for name in names]


class LocationForm(ComposeForm):
    title = _("Send a location")
    names = ("name", "address", "latitude", "longitude")
    name = line_field(_("Name"))
    address = line_field(_("Address"))
    latitude = line_field(_("Latitude, or a link from a map"), LONGEST, placeholder="52.5200")
    longitude = line_field(_("Longitude"), 30, inputmode="decimal", placeholder="13.4050")

    def build(self) -> Outgoing:
        typed = (self.latitude.data, self.longitude.data)
        latitude, longitude = (None if typed[1] else point_in(typed[0])) or typed
        return outgoing.location(latitude, longitude, self.name.data, self.address.data)


class ContactForm(ComposeForm):
    title = _("Send a contact")
    names = ("name", "phone", "email", "organisation")
    name = line_field(_("Name"))
    phone = line_field(_("Phone number with country code"), 40, inputmode="tel", placeholder="+49 30 901820")
    email = line_field(_("Email"), inputmode="email")
    organisation = line_field(_("Company"))

    def build(self) -> Outgoing:
        return outgoing.contact(self.name.data, self.phone.data, self.email.data, self.organisation.data)


class ButtonsForm(ComposeForm):
    title = _("Ask with buttons")
    intro = _("The customer taps one of up to three buttons.")
    may_be_canned = True
    names = ("body", "first", "second", "third")
    extra = ("header", "footer")
    body = text_field()
    first = line_field(_("First button"), 20)
    second = line_field(_("Second button"), 20)
    third = line_field(_("Third button"), 20)
    header = line_field(_("Heading"), 60)
    footer = line_field(_("Footer"), 60)

    def build(self) -> Outgoing:
        titles = (self.first.data, self.second.data, self.third.data)
        return outgoing.buttons(self.body.data, titles, self.header.data, self.footer.data)


class RowForm(FlaskForm):
    class Meta:
        csrf = False

    name = line_field(_("Choice"), 24)
    description = line_field(_("Description"), 72)


class ListForm(ComposeForm):
    title = _("Send a list")
    intro = _("The customer opens a list with a button and taps one of up to ten choices.")
    may_be_canned = True
    names = ("body", "button", "rows")
    extra = ("header", "footer")
    body = text_field(4096)
    button = line_field(_("Label of the button that opens the list"), 20)
    rows = FieldList(FormField(RowForm), _("Choices"), min_entries=MOST_ROWS, max_entries=MOST_ROWS)
    header = line_field(_("Heading"), 60)
    footer = line_field(_("Footer"), 60)

    def build(self) -> Outgoing:
        rows = [Row(row.form["name"].data, row.form["description"].data) for row in self.rows]
        return outgoing.menu(self.body.data, self.button.data, rows, self.header.data, self.footer.data)


class LinkForm(ComposeForm):
    title = _("Send a link button")
    may_be_canned = True
    names = ("body", "button", "url")
    extra = ("header", "footer")
    body = text_field()
    button = line_field(_("Button label"), 20)
    url = line_field(_("Link"), 2000, inputmode="url", placeholder="https://", dir="ltr")
    header = line_field(_("Heading"), 60)
    footer = line_field(_("Footer"), 60)

    def build(self) -> Outgoing:
        return outgoing.link(self.body.data, self.button.data, self.url.data, self.header.data, self.footer.data)


class LocationRequestForm(ComposeForm):
    title = _("Request location")
    intro = _("The customer gets a button to share their location.")
    names = ("body",)
    body = text_field()

    def build(self) -> Outgoing:
        return outgoing.location_request(self.body.data)


class DirectSendForm(ComposeForm):
    title = _("Write without a template")
    intro = _(
        "Only for what the customer expects from you, such as an order, an appointment or a payment. Meta checks this "
        "after it was sent, and blocks accounts that advertise."
    )
    names = ("body",)
    extra = ("first", "second", "third", "button", "url", "header", "footer")
    extra_title = _("Buttons, header and footer")
    category = "utility"
    body = text_field()
    first = line_field(_("First reply button"), 20)
    second = line_field(_("Second reply button"), 20)
    third = line_field(_("Third reply button"), 20)
    button = line_field(_("Label of the link button"), 20)
    url = line_field(_("Link"), 2000, inputmode="url", placeholder="https://", dir="ltr")
    header = line_field(_("Heading"), 60)
    footer = line_field(_("Footer"), 60)

    def build(self) -> Outgoing:
        return replace(self.content, category=self.category)

    @property
    def content(self) -> Outgoing:
        """A text where there is no button. WhatsApp shows a heading and a footer only with buttons."""
        titles = (self.first.data, self.second.data, self.third.data)
        has_replies, has_link = any(titles), bool(self.button.data or self.url.data)
        if has_replies and has_link:
            raise Refused(N_("Use either reply buttons or a link button, not both."))
        if has_replies:
            return outgoing.buttons(self.body.data, titles, self.header.data, self.footer.data)
        if has_link:
            return outgoing.link(self.body.data, self.button.data, self.url.data, self.header.data, self.footer.data)
        if self.header.data or self.footer.data:
            raise Refused(N_("WhatsApp shows a heading and a footer only with buttons. Add a button, or remove them."))
        return outgoing.text(self.body.data)


FORMS: dict[str, type[ComposeForm]] = {
    "location": LocationForm,
    "contact": ContactForm,
    "buttons": ButtonsForm,
    "list": ListForm,
    "link": LinkForm,
    "location-request": LocationRequestForm,
    "direct-send": DirectSendForm,
}


def compose_form(kind: str) -> Callable[[type[ComposeForm]], type[ComposeForm]]:
    """Adds a form of another feature to the composer's menu."""

    def add(form: type[ComposeForm]) -> type[ComposeForm]:
        FORMS[kind] = form
        return form

    return add
