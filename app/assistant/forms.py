"""The forms of the assistant's pages."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from sqlalchemy import select
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    Field,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    URLField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app import zones
from app.contacts.settings import ContactSettings
from app.contacts.tags import Tag
from app.egress import Refused, checked_by_its_words
from app.entry_points.models import MOST, EntryPoint
from app.extensions import outside
from app.inbox.desk.fields import options
from app.languages import NAMES
from app.message_templates.models import MessageTemplate
from app.meta import written_numbers
from app.parameters import InRange
from app.team.models import Team
from app.tenancy import as_uuid, db
from app.wabas.models import PhoneNumber
from app.words import N_

from . import guard
from .access import PROVIDERS, ModelAccess
from .actions import MOST_PARAMETERS, PARAMETER, AssistantAction
from .assistant import (
    LONGEST_INSTRUCTIONS,
    LONGEST_TEXT,
    MOST_CONTACTS,
    MOST_HOSTS,
    MOST_TOPICS,
    Assistant,
    Setup,
    Tools,
)
from .golden import LONGEST_MESSAGE, LONGEST_TITLE
from .knowledge import LONGEST_BODY, LONGEST_QUESTION
from .local_embedding import has_local_model
from .lookups import LOOKUPS
from .prices import MILLION, price_of
from .providers.calling import ADAPTERS

PROVIDER_NAMES = {
    "openai": N_("OpenAI, or any server that speaks its protocol"),
    "anthropic": "Anthropic",
    "google": "Google",
}
REFRESHES = {0: N_("Only when I ask for it"), 24: N_("Every day"), 168: N_("Every week")}


def stripped(value: str | None) -> str:
    return (value or "").replace("\x00", "").strip()


def lines_of(value: str | None) -> list[str]:
    """One entry a line, each once."""
    return list(dict.fromkeys(filter(None, (line.strip() for line in stripped(value).splitlines()))))


class LinesField(TextAreaField):
    """One entry a line."""

    data: list[str]

    def __init__(self, label: Any, *, most: int, longest: int = 200, **more: Any) -> None:
        super().__init__(label, **more)
        self.most, self.longest = most, longest

    def _value(self) -> str:
        return "\n".join(self.data or [])

    def process_formdata(self, values: Sequence[str]) -> None:
        self.data = lines_of(values[0] if values else "")

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002
        if len(self.data or []) > self.most:
            raise ValidationError(gettext("Enter at most %(most)d lines.", most=self.most))
        if any(len(line) > self.longest for line in self.data or []):
            raise ValidationError(gettext("A line may have %(most)d characters.", most=self.longest))


class AccessForm(FlaskForm):
    provider = RadioField(_("Provider"), default="openai")
    base_url = URLField(_("Address"), filters=[stripped], validators=[Length(max=500)])
    key = PasswordField(_("Key"), filters=[stripped], validators=[Length(max=500)])
    model = StringField(_("Model"), filters=[stripped], validators=[DataRequired(_("Enter a model.")), Length(max=100)])
    hearing_model = StringField(
        _("Model that listens to voice messages"), filters=[stripped], validators=[Length(max=100)]
    )
    input_price = DecimalField(
        _("Price of a million tokens read, in dollars"), places=None, validators=[Optional(), InRange(0, 10_000)]
    )
    output_price = DecimalField(
        _("Price of a million tokens written, in dollars"), places=None, validators=[Optional(), InRange(0, 10_000)]
    )

    def __init__(self, access: ModelAccess | None, **more: Any) -> None:
        super().__init__(**more)
        self.access = access
        self.provider.choices = options(*((name, gettext(PROVIDER_NAMES[name])) for name in PROVIDERS))

    @classmethod
    def of(cls, access: ModelAccess | None) -> AccessForm:
        if access is None:
            return cls(None, formdata=None)
        values: dict[str, Any] = {"provider": access.provider, "base_url": access.base_url, "model": access.model}
        values["hearing_model"] = access.hearing_model
        values |= {name: in_dollars(getattr(access, name)) for name in ("input_price", "output_price")}
        return cls(access, formdata=None, data=values)

    @property
    def address(self) -> str:
        """Where the API is: the provider's own where none was entered."""
        adapter = ADAPTERS.get(self.provider.data) or ADAPTERS[PROVIDERS[0]]
        return str(self.base_url.data or adapter.BASE_URL).rstrip("/")

    def validate_base_url(self, field: URLField) -> None:  # noqa: ARG002
        if outside().egress.is_inside(self.address):
            return
        try:
            checked_by_its_words(self.address)
        except Refused:
            raise ValidationError(
                _("Enter a public address that begins with https://. Your operator can allow servers of their network.")
            ) from None

    def validate_key(self, field: PasswordField) -> None:
        # A key is for one place: with another address it would go to whoever is there.
        is_same = self.access and (self.access.provider, self.access.base_url) == (self.provider.data, self.address)
        has_key = bool(self.access and self.access.key_ciphertext)
        if not field.data and not (is_same and has_key) and not outside().egress.is_inside(self.address):
            raise ValidationError(_("Enter the key."))
        if field.data and not field.data.isascii():
            raise ValidationError(_("This key has characters that no key has. Copy it again."))

    def validate_output_price(self, field: DecimalField) -> None:
        if (self.input_price.data is None) != (field.data is None):
            raise ValidationError(_("Enter both prices, or none."))
        if field.data is None and price_of(self.model.data or "") is None:
            raise ValidationError(_("The price of this model isn't in our table. Enter both; 0 for a server of yours."))

    def save(self, access: ModelAccess) -> None:
        is_elsewhere = (access.provider, access.base_url) != (self.provider.data, self.address)
        access.provider, access.base_url, access.model = self.provider.data, self.address, self.model.data
        access.hearing_model = self.hearing_model.data or ""
        access.input_price = in_micros(self.input_price.data)
        access.output_price = in_micros(self.output_price.data)
        if self.key.data:
            access.key = self.key.data
        elif is_elsewhere:
            access.key = None
        access.problem = ""


def in_dollars(micros: int | None) -> Any:
    return None if micros is None else f"{micros / MILLION:g}"


def in_micros(dollars: Any) -> int | None:
    return None if dollars is None else int(dollars * MILLION)


class SetupForm(FlaskForm):
    """What the assistant is and does. Saving makes a new version."""

    name = StringField(_("Name"), filters=[stripped], validators=[DataRequired(_("Enter a name.")), Length(max=60)])
    purpose = TextAreaField(
        _("What is it for?"),
        filters=[stripped],
        validators=[DataRequired(_("Say what it is for.")), Length(max=LONGEST_TEXT)],
        render_kw={"rows": 2},
    )
    instructions = TextAreaField(
        _("Instructions"), filters=[stripped], validators=[Length(max=LONGEST_INSTRUCTIONS)], render_kw={"rows": 8}
    )
    tone = SelectField(
        _("Tone"), choices=options(("friendly", _("Friendly")), ("neutral", _("Neutral")), ("formal", _("Formal")))
    )
    languages = SelectMultipleField(_("Languages it answers in"))
    model = StringField(_("Another model than the usual one"), filters=[stripped], validators=[Length(max=100)])
    topics = LinesField(_("Topics that people answer"), most=MOST_TOPICS, longest=60)
    hosts = LinesField(_("Sites it may link to"), most=MOST_HOSTS, longest=200)
    numbers = SelectMultipleField(_("Numbers"))
    teams = SelectMultipleField(_("Teams"))
    entry_points = SelectMultipleField(_("Links, buttons and ads"))
    contacts = LinesField(_("Only these customers"), most=MOST_CONTACTS, longest=40)
    percentage = IntegerField(
        _("Share of customers, in percent"), validators=[InputRequired(_("Enter a number.")), InRange(0, 100)]
    )
    hours = SelectField(
        _("When"),
        choices=options(
            ("always", _("Always")),
            ("closed", _("Outside business hours")),
            ("nobody_online", _("When no one in the team is online")),
        ),
    )
    hand_over_team = SelectField(_("Hand over to the team"))
    debounce_seconds = IntegerField(
        _("Wait after a message (seconds)"), validators=[InputRequired(_("Enter a number.")), InRange(0, 15)]
    )
    most_turns = IntegerField(
        _("Answers in one conversation"), validators=[InputRequired(_("Enter a number.")), InRange(1, 200)]
    )
    most_per_hour = IntegerField(
        _("Answers to one customer in an hour"), validators=[InputRequired(_("Enter a number.")), InRange(1, 60)]
    )
    money_per_day = DecimalField(
        _("Dollars a day"), places=None, validators=[InputRequired(_("Enter an amount.")), InRange(0, 100_000)]
    )
    money_per_conversation = DecimalField(
        _("Dollars a conversation"), places=None, validators=[Optional(), InRange(0, 100_000)]
    )
    most_tokens = IntegerField(
        _("Tokens an answer may take"), validators=[InputRequired(_("Enter a number.")), InRange(100, 8_000)]
    )
    hears = BooleanField(_("Listen to voice messages"))
    sees = BooleanField(_("Look at pictures"))
    contact_fields = BooleanField(_("Read the customer's own fields and tags"))
    tags = SelectMultipleField(_("Tags it may set"))
    assign_teams = SelectMultipleField(_("Teams it may assign"))
    templates = SelectMultipleField(_("Templates it may send"))
    actions = SelectMultipleField(_("Actions it may call"))
    lookups = SelectMultipleField(_("What it may look up about the customer"))

    PLACES = ("numbers", "teams", "entry_points")
    BUDGETS = ("money_per_day", "money_per_conversation")
    TEXTS = ("disclosure", "hand_over_text", "closed_text")
    PLAIN = (
        *("name", "purpose", "instructions", "tone", "languages", "model", "topics", "hosts", "percentage", "hours"),
        *("debounce_seconds", "most_turns", "most_per_hour", "most_tokens"),
    )

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        teams = [(str(team.id), team.name) for team in db.session.scalars(Team.in_order())]
        numbers = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id))
        self.languages.choices = options(*NAMES.items())
        self.numbers.choices = options(*((str(number.id), number.display_number) for number in numbers))
        self.teams.choices, self.assign_teams.choices = options(*teams), options(*teams)
        places = db.session.scalars(EntryPoint.in_order().limit(MOST))
        self.entry_points.choices = options(*((str(one.id), one.name) for one in places))
        self.hand_over_team.choices = options(("", gettext("No team in particular")), *teams)
        self.tags.choices = options(*((str(tag.id), tag.name) for tag in Tag.offered()))
        self.templates.choices = options(
            *((one.key, f"{one.title} ({one.language})") for one in MessageTemplate.whole())
        )
        actions = db.session.scalars(AssistantAction.in_order())
        self.actions.choices = options(*((str(one.id), one.name) for one in actions))
        self.lookups.choices = options(*((one.name, gettext(one.title)) for one in LOOKUPS.values()))

    @classmethod
    def of(cls, setup: Setup) -> SetupForm:
        values: dict[str, Any] = {name: getattr(setup, name) for name in cls.PLAIN}
        values |= {name: [str(id) for id in getattr(setup, name)] for name in cls.PLACES}
        values |= {name: in_dollars(getattr(setup, name)) for name in cls.BUDGETS}
        values |= {"contacts": setup.contacts}
        values |= {"hand_over_team": str(setup.hand_over_team or "")}
        values |= {name: getattr(setup.tools, name) for name in ("hears", "sees", "contact_fields")}
        values |= {"tags": [str(id) for id in setup.tools.tags], "templates": setup.tools.templates}
        values |= {"assign_teams": [str(id) for id in setup.tools.teams]}
        values |= {"actions": [str(id) for id in setup.tools.actions], "lookups": setup.tools.lookups}
        form = cls(formdata=None, data=values)
        form.texts = {name: getattr(setup, name) for name in cls.TEXTS}
        return form

    texts: dict[str, dict[str, str]]

    def read_texts(self, posted: Any) -> None:
        """The texts for customers: a field for each language."""
        self.texts = {
            name: {code: text for code in NAMES if (text := stripped(posted.get(f"{name}-{code}")))[:LONGEST_TEXT]}
            for name in self.TEXTS
        }

    def validate_contacts(self, field: LinesField) -> None:
        country = ContactSettings.default_country()
        self.read_contacts = []
        for line in field.data or []:
            try:
                self.read_contacts.append(f"+{written_numbers.read(line, country)}")
            except written_numbers.NotRead:
                raise ValidationError(gettext("“%(line)s” is not a phone number.", line=line)) from None

    read_contacts: list[str]

    @property
    def setup(self) -> Setup:
        values: dict[str, Any] = {name: self[name].data for name in self.PLAIN}
        values |= {name: ids(self[name]) for name in self.PLACES}
        values |= {name: in_micros(self[name].data) for name in self.BUDGETS}
        values |= {"contacts": self.read_contacts}
        values |= {"hand_over_team": as_uuid(self.hand_over_team.data), **self.texts}
        values["hosts"] = [guard.host_of(host) or host for host in self.hosts.data]
        values["tools"] = Tools(
            contact_fields=self.contact_fields.data,
            hears=self.hears.data,
            sees=self.sees.data,
            tags=ids(self.tags),
            teams=ids(self.assign_teams),
            templates=self.templates.data or [],
            actions=ids(self.actions),
            lookups=self.lookups.data or [],
        )
        return Setup(**values)


def ids(field: Field) -> list[uuid.UUID]:
    return [id for id in map(as_uuid, field.data or []) if id]


class ValidDaysForm(FlaskForm):
    """From and until which day something is so, by the reader's clock."""

    language = SelectField(_("Language"))
    valid_from = DateField(_("Valid from"), validators=[Optional()])
    valid_until = DateField(_("Valid until"), validators=[Optional()])

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.language.choices = options(("", gettext("Any")), *NAMES.items())

    def validate_valid_until(self, field: DateField) -> None:
        if field.data and self.valid_from.data and field.data < self.valid_from.data:
            raise ValidationError(_("Choose a day after the first one."))

    @property
    def validity(self) -> dict[str, Any]:
        """The first day begins at midnight, the last one ends with the next."""
        until = self.valid_until.data and self.valid_until.data + dt.timedelta(days=1)
        return {
            "language": self.language.data or "",
            "valid_from": midnight(self.valid_from.data),
            "valid_until": midnight(until),
        }


def midnight(day: dt.date | None) -> dt.datetime | None:
    if day is None:
        return None
    return zones.in_utc(dt.datetime.combine(day, dt.time(), zones.reader_zone()))


def day_of(moment: dt.datetime | None, *, is_end: bool = False) -> dt.date | None:
    if moment is None:
        return None
    local = moment.astimezone(zones.reader_zone())
    return (local - dt.timedelta(seconds=1)).date() if is_end else local.date()


class PairForm(FlaskForm):
    """A question and its answer, as a proposal has them too."""

    title = StringField(
        _("Question"),
        filters=[stripped],
        validators=[DataRequired(_("Enter the question.")), Length(max=LONGEST_QUESTION)],
    )
    body = TextAreaField(
        _("Answer"),
        filters=[stripped],
        validators=[DataRequired(_("Enter the answer.")), Length(max=guard.MOST_LETTERS)],
        render_kw={"rows": 4},
    )


class QuestionForm(PairForm, ValidDaysForm):
    """It may be so for some days only, and in one language."""


class TextForm(ValidDaysForm):
    title = StringField(_("Title"), filters=[stripped], validators=[DataRequired(_("Enter a title.")), Length(max=200)])
    body = TextAreaField(
        _("Text"),
        filters=[stripped],
        validators=[DataRequired(_("Enter the text.")), Length(max=LONGEST_BODY)],
        render_kw={"rows": 12},
    )


class PageForm(ValidDaysForm):
    title = StringField(_("Title"), filters=[stripped], validators=[DataRequired(_("Enter a title.")), Length(max=200)])
    url = URLField(
        _("Address"), filters=[stripped], validators=[DataRequired(_("Enter an address.")), Length(max=2_000)]
    )
    refresh_hours = SelectField(_("Read again"), coerce=int, default=168)

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.refresh_hours.choices = [SelectChoice(hours, gettext(words)) for hours, words in REFRESHES.items()]

    def validate_url(self, field: URLField) -> None:
        try:
            checked_by_its_words(field.data)
        except Refused:
            raise ValidationError(_("Enter a public address that begins with https://.")) from None


class FileForm(ValidDaysForm):
    title = StringField(_("Title"), filters=[stripped], validators=[Length(max=200)])
    file = FileField(_("File"))


class MeaningForm(FlaskForm):
    """How passages become vectors; only what is there is offered."""

    embedding = SelectField(_("How"))
    embedding_model = StringField(
        _("Another model than the usual one"), filters=[stripped], validators=[Length(max=100)]
    )

    def __init__(self, access: ModelAccess | None, **more: Any) -> None:
        super().__init__(**more)
        self.usual_model = access.embeds if access else ""
        ways = [("", gettext("Off: by words alone"))]
        if has_local_model():
            ways.append(("local", gettext("The small model on this server: free, and texts stay here")))
        if self.usual_model:
            ways.append(("provider", gettext("Your provider's model")))
        self.embedding.choices = options(*ways)

    @classmethod
    def of(cls, assistant: Assistant | None, access: ModelAccess | None) -> MeaningForm:
        names = ("embedding", "embedding_model")
        values = {name: getattr(assistant, name) for name in names} if assistant else {}
        return cls(access, formdata=None, data=values)

    @property
    def is_choice(self) -> bool:
        """Whether there is anything to choose between."""
        return len(self.embedding.choices) > 1


class TrialForm(FlaskForm):
    words = TextAreaField(
        _("As a customer would write it"),
        filters=[stripped],
        validators=[DataRequired(_("Write something.")), Length(max=4_000)],
        render_kw={"rows": 2},
    )


class GoldenForm(FlaskForm):
    title = StringField(
        _("Title"), filters=[stripped], validators=[DataRequired(_("Enter a title.")), Length(max=LONGEST_TITLE)]
    )
    words = TextAreaField(
        _("What the customer writes"),
        filters=[stripped],
        validators=[DataRequired(_("Write something.")), Length(max=LONGEST_MESSAGE)],
        render_kw={"rows": 3},
    )
    action = SelectField(
        _("What it has to do"),
        choices=options(
            ("answer", lazy_pgettext("what it does", "Answer")),
            ("ask", _("Ask back")),
            ("hand_over", _("Hand over to a person")),
            ("stay_silent", _("Say nothing")),
        ),
    )
    must = LinesField(_("What the answer has to contain"), most=10)
    must_not = LinesField(_("What it must not contain"), most=10)


class ActionForm(FlaskForm):
    name = StringField(_("Name"), filters=[stripped], validators=[DataRequired(_("Enter a name.")), Length(max=40)])
    description = StringField(
        _("What it is for"), filters=[stripped], validators=[DataRequired(_("Say what it is for.")), Length(max=300)]
    )
    url = URLField(
        _("Address"), filters=[stripped], validators=[DataRequired(_("Enter an address.")), Length(max=2_000)]
    )
    parameters = LinesField(_("What the assistant fills in"), most=MOST_PARAMETERS, longest=40)

    def validate_name(self, field: StringField) -> None:
        if not PARAMETER.fullmatch(field.data):
            raise ValidationError(_("Use small letters, digits and underscores, as in free_slots."))
        if db.session.scalar(select(AssistantAction.id).where(AssistantAction.name == field.data)):
            raise ValidationError(_("There is an action of this name already."))

    def validate_parameters(self, field: LinesField) -> None:
        if not all(PARAMETER.fullmatch(name) for name in field.data or []):
            raise ValidationError(_("Use small letters, digits and underscores, as in day_of_week."))

    validate_url = PageForm.validate_url


class HelpForm(FlaskForm):
    """What an agent wants done with a text."""

    text = TextAreaField(_("Text"), filters=[stripped], validators=[Length(max=guard.MOST_LETTERS)])
    language = SelectField(_("Language"), default="en")
    tone = SelectField(
        _("Tone"),
        choices=options(("friendly", _("Friendlier")), ("neutral", _("Plainer")), ("formal", _("More formal"))),
    )

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.language.choices = options(*NAMES.items())
