"""The form of an API key: what it may do, from where, and until when."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, StopValidation, ValidationError

from app import zones
from app.api.keys import ApiKey
from app.api.scopes import SCOPES, Scope
from app.inbox.desk.fields import ClientIdField, at_most, one_line, options, tidy
from app.team.models import Team
from app.tenancy import as_uuid

LONGEST_NAME = 80
MOST_NETWORKS = 50
LONGEST_NETWORK = 50
LATEST = dt.date(2099, 12, 31)
KIND_WORDS = {
    "live": _("Live: works with everything in this business."),
    "team": _("Team: reaches only the numbers of one team, and their conversations."),
    "test": _("Test: pretends. You get the same answers and webhooks, and nothing reaches WhatsApp."),
}
ACCESS_WORDS = {
    "read": _("Read only"),
    "send": _("Send and read"),
    "all": _("Everything"),
    "custom": _("Choose what it may do"),
}
# What one needs besides reading to write to customers.
SENDING = ("messages:write", "media:write")


def scopes_of(access: str) -> list[str]:
    """The scopes of a preset. Only “everything” has risky ones."""
    if access == "all":
        return sorted(SCOPES)
    sending = SENDING if access == "send" else ()
    safe = [scope.name for scope in SCOPES.values() if not scope.is_risky]
    return sorted(name for name in safe if name.endswith(":read") or name in sending)


def access_of(scopes: list[str]) -> str:
    """The preset with exactly these scopes."""
    return next((access for access in ("all", "send", "read") if scopes_of(access) == sorted(scopes)), "custom")


def grouped_scopes() -> list[tuple[str, list[Scope]]]:
    """The scopes by what they are about, reading before the rest."""
    by_resource: dict[str, list[Scope]] = {}
    for scope in sorted(SCOPES.values(), key=lambda one: (not one.name.endswith(":read"), one.is_risky, one.name)):
        by_resource.setdefault(scope.name.partition(":")[0], []).append(scope)
    return [(name.replace("_", " ").capitalize(), scopes) for name, scopes in sorted(by_resource.items())]


def last_day_of(key: ApiKey) -> dt.date | None:
    """The day, for the reader, at whose end the key expires."""
    return zones.local(key.expires_at - dt.timedelta(microseconds=1)).date() if key.expires_at else None


class KeyForm(FlaskForm):
    """What can be changed of a key. `expires_at` and `networks` are what was read of it."""

    name = StringField(_("Name"), [DataRequired(_("Enter a name.")), at_most(LONGEST_NAME)], filters=[one_line])
    access = RadioField(
        _("What it may do"),
        choices=options(*ACCESS_WORDS.items()),
        default="read",
        validate_choice=False,
    )
    scopes = SelectMultipleField(_("Permissions"), validate_choice=False)
    networks = TextAreaField(_("Allowed IP addresses"), filters=[tidy])
    expires_on = DateField(_("Expires after"))

    class Meta:
        # Checked before any view.
        csrf = False

    def __init__(self, key: ApiKey | None = None, *args: Any, **more: Any) -> None:
        self.key = key
        self.allowed: list[str] = []
        super().__init__(*args, **more)

    @classmethod
    def of(cls, key: ApiKey) -> KeyForm:
        shown: dict[str, Any] = {"name": key.name, "access": access_of(key.scopes), "scopes": key.scopes}
        shown |= {"networks": "\n".join(key.networks), "expires_on": last_day_of(key)}
        return cls(key, formdata=None, data=shown)

    def validate_access(self, field: RadioField) -> None:
        if field.data not in ACCESS_WORDS:
            raise ValidationError(gettext("Choose one of the options."))

    def validate_scopes(self, _field: SelectMultipleField) -> None:
        if self.access.data == "custom" and not self.chosen_scopes:
            raise ValidationError(gettext("Choose at least one permission."))

    def validate_networks(self, field: TextAreaField) -> None:
        lines = [line.strip() for line in (field.data or "").split("\n") if line.strip()]
        if len(lines) > MOST_NETWORKS:
            raise ValidationError(gettext("Enter at most %(count)d addresses.", count=MOST_NETWORKS))
        self.allowed = list(dict.fromkeys(map(read_network, lines)))

    def validate_expires_on(self, field: DateField) -> None:
        typed = (field.raw_data or [""])[0]
        field.errors[:] = []
        if not typed:
            raise StopValidation
        if field.data is None:
            raise StopValidation(gettext("Enter a date, such as 2027-01-31."))
        if field.data > LATEST:
            raise StopValidation(gettext("Enter a date before the year 2100."))
        if field.data < zones.today() and not self.is_expiry_as_before:
            raise StopValidation(gettext("This date is in the past. Choose a later one."))

    @property
    def is_expiry_as_before(self) -> bool:
        return bool(self.key and self.expires_on.data == last_day_of(self.key))

    @property
    def expires_at(self) -> dt.datetime | None:
        """The end of the day that was entered."""
        if self.key and self.is_expiry_as_before:
            return self.key.expires_at
        return zones.ends(self.expires_on.data) if self.expires_on.data else None

    @property
    def chosen_scopes(self) -> list[str]:
        if self.access.data != "custom":
            return scopes_of(self.access.data)
        return sorted({name for name in self.scopes.data or () if name in SCOPES})


class NewKeyForm(KeyForm):
    """`id` is the page's own for the key, so that sending the form again adds no second one."""

    id = ClientIdField()
    kind = RadioField(_("Kind"), choices=options(*KIND_WORDS.items()), default="live", validate_choice=False)
    team_id = SelectField(_("Team"), validate_choice=False)

    def __init__(self, teams: list[Team], *args: Any, **more: Any) -> None:
        super().__init__(None, *args, **more)
        self.teams = {team.id: team for team in teams}
        named = [(str(team.id), team.name) for team in teams]
        self.team_id.choices = options(("", _("Choose a team")), *named)

    def validate_kind(self, field: RadioField) -> None:
        if field.data not in KIND_WORDS:
            raise ValidationError(gettext("Choose one of the options."))

    def validate_team_id(self, _field: SelectField) -> None:
        if self.kind.data == "team" and self.team is None:
            raise ValidationError(gettext("Choose the team whose numbers the key reaches."))

    @property
    def team(self) -> Team | None:
        id = as_uuid(self.team_id.data) if self.kind.data == "team" else None
        return self.teams.get(id) if id else None


def read_network(line: str) -> str:
    """An address or a network as it is stored. Raises a `ValidationError` that names the line."""
    try:
        if len(line) > LONGEST_NETWORK or "%" in line:
            raise ValueError
        if "/" not in line:
            return str(ipaddress.ip_address(line))
        network = ipaddress.ip_network(line, strict=False)
    except ValueError:
        words = gettext(
            "“%(line)s” is no IP address or network, such as 203.0.113.7 or 203.0.113.0/24.", line=line[:60]
        )
        raise ValidationError(words) from None
    if str(network).partition("/")[0] != str(ipaddress.ip_address(line.partition("/")[0])):
        words = gettext(
            "“%(line)s” is an address within a network. Did you mean %(network)s?", line=line, network=network
        )
        raise ValidationError(words)
    return str(network)
