"""The forms of the desk: states, assignment, many conversations at once, notes, saved views, shortcuts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext, pgettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.exceptions import NotFound
from wtforms import BooleanField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.validators import AnyOf, DataRequired, Optional

from app import zones
from app.contacts.tags import Tag
from app.inbox.conversations import Conversation
from app.inbox.conversations.assignment import Taken, member_or_none
from app.team.models import Team
from app.tenancy import Actor, Membership, User, as_uuid, db, exists, now

from .bulk_changes import MOST, BulkChange
from .fields import ChoiceField, ClientIdField, IdField, IdsField, at_most, one_line, options, tidy
from .lists import VIEWS, ConversationList
from .notes import LONGEST_NOTE
from .preferences import MERGE_SECONDS, DeskPreference
from .saved_views import MOST as MOST_VIEWS
from .saved_views import SavedView
from .state_changes import SETTABLE

LONGEST_NAME = 60
LONGEST_KEY = 12
LONGEST_SNOOZE = dt.timedelta(days=3650)


class ToolbarForm(FlaskForm):
    """A form of buttons, with no visible field to show an error at: the page shows `problem` instead."""

    @property
    def problem(self) -> str:
        """The first error, or "" where there is none."""
        return next((str(error) for errors in self.errors.values() for error in errors), "")


class StateForm(ToolbarForm):
    """A state, and until when where it is a snooze."""

    state = StringField(validators=[AnyOf(SETTABLE, message=_("Choose a state."))])
    until = StringField()
    zone = StringField()

    def validate_until(self, field: StringField) -> None:
        self.snoozed_until = self.read_until(field.data or "") if self.state.data == "snoozed" else None

    def read_until(self, until: str) -> dt.datetime | None:
        """The end of the snooze, None: until the customer writes."""
        match until:
            case "" | "reply":
                return None
            case "hour":
                return now() + dt.timedelta(hours=1)
            case "later":
                return now() + dt.timedelta(hours=3)
            case "tomorrow":
                return at_nine(1)
            case "week":
                return at_nine(7 - zones.today().weekday())
        try:
            time = dt.datetime.fromisoformat(until)
        except ValueError:
            raise ValidationError(gettext("Enter a date and a time.")) from None
        try:
            at = zones.moment_at(time, zones.find_zone(self.zone.data) or zones.reader_zone())
        except zones.SkippedTime as skipped:
            raise ValidationError(str(skipped)) from None
        if not now() < at < now() + LONGEST_SNOOZE:
            raise ValidationError(gettext("Choose a time in the future."))
        return at


def at_nine(days: int) -> dt.datetime:
    """Nine o'clock by the reader's clock."""
    date = zones.today() + dt.timedelta(days=days)
    return zones.in_utc(dt.datetime.combine(date, dt.time(9), zones.reader_zone()))


class AssignmentForm(ToolbarForm):
    """Who a conversation is assigned to (`assignee`: an id, `me`, or empty to unassign), which team, or both.

    A field that is not sent changes nothing. `expected` and `expected_team` are what the page showed.
    """

    assignee = StringField()
    team = StringField()
    expected = IdField()
    expected_team = IdField()

    def apply(self, conversation: Conversation, *, by: Actor) -> str:
        """Assigns it, and returns what was done in words. Raises `Taken` where a colleague was faster."""
        words = ""
        if self.assignee.raw_data:
            assignee = member_or_404(self.assignee.data, me=by)
            expected = self.expected.data if self.expected.is_given else conversation.assignee_id
            conversation.give(assignee, by=by, expected=expected)
            words = assigned_words(assignee, by)
        if self.team.raw_data:
            if self.expected_team.is_given and conversation.locked().team_id != self.expected_team.data:
                raise Taken(conversation.assignee_id)
            team = Team.get_or_404(self.team.data) if self.team.data else None
            conversation.give_to_team(team, by=by)
            words = words or (gettext("Assigned to the team %(team)s", team=team.name) if team else gettext("No team"))
        return str(words)


def member_or_404(value: str | None, *, me: Actor) -> User | None:
    """The colleague with this id, or `me`; None where it is empty. Raises `NotFound`."""
    if not value:
        return None
    member = member_or_none(me.user_id if value == "me" else as_uuid(value))
    if member is None:
        raise NotFound
    return member


def assigned_words(assignee: User | None, by: Actor) -> str:
    if assignee is None:
        return str(pgettext("of a conversation", "Unassigned"))
    return str(
        gettext("Assigned to you") if assignee.id == by.user_id else gettext("Assigned to %(name)s", name=assignee.name)
    )


class BulkForm(StateForm):
    """A state, an assignee, a team or a tag for every selected conversation."""

    id = IdsField()
    state = StringField(validators=[Optional(), AnyOf(SETTABLE, message=_("Choose a state."))])
    assignee = StringField()
    team = StringField()
    add_tag = StringField()
    remove_tag = StringField()

    def validate_id(self, field: IdsField) -> None:
        if not field.data:
            raise ValidationError(gettext("Select conversations first."))
        if len(field.data) > MOST:
            raise ValidationError(gettext("Select at most %(count)s conversations at once.", count=MOST))

    def apply(self, *, by: Actor) -> BulkChange | None:
        """Makes the change; None where the form names none. Raises `NotFound` for a team, tag or member of others."""
        ids = self.id.data
        if self.state.data:
            return BulkChange.of_state(ids, self.state.data, by=by, until=self.snoozed_until)
        if self.assignee.raw_data:
            return BulkChange.of_assignee(ids, member_or_404(self.assignee.data, me=by), by=by)
        if self.team.raw_data:
            team = Team.get_or_404(self.team.data) if self.team.data else None
            return BulkChange.of_team(ids, team, by=by)
        if self.add_tag.data or self.remove_tag.data:
            tag = Tag.get_or_404(self.add_tag.data or self.remove_tag.data)
            return BulkChange.of_tag(ids, tag, is_added=bool(self.add_tag.data), by=by)
        return None


class NoteForm(FlaskForm):
    body = TextAreaField(
        filters=[tidy], validators=[DataRequired(_("Enter a note.")), at_most(LONGEST_NOTE)], render_kw={"rows": 2}
    )
    client_id = ClientIdField()


class SavedViewForm(FlaskForm):
    """A name for a list as it is now; the same form holds the list itself (`ConversationList.arguments`)."""

    name = StringField(
        _("Name"),
        filters=[one_line],
        validators=[DataRequired(_("Enter a name.")), at_most(LONGEST_NAME)],
        render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"},
    )
    shared = BooleanField(_("Show this view to everyone"))

    def __init__(self, member: Membership) -> None:
        super().__init__()
        self.member = member

    def validate_name(self, field: StringField) -> None:  # noqa: ARG002
        if exists(SavedView.for_member(self.member).limit(None).offset(MOST_VIEWS - 1)):
            raise ValidationError(gettext("You can have %(count)s saved views. Remove one first.", count=MOST_VIEWS))

    def save(self, inbox_list: ConversationList) -> SavedView:
        is_shared = self.shared.data and self.member.may("desk.manage")
        view = SavedView(name=self.name.data, owner_id=self.member.user_id, is_shared=is_shared)
        view.arguments = inbox_list.arguments
        db.session.add(view)
        return view


class ShortcutsForm(FlaskForm):
    """Where the inbox starts, whether Enter sends, and (`with_keys`) a field for the key of each command."""

    first_view = ChoiceField(_("The inbox opens with"), [(view, view) for view in VIEWS])
    enter = RadioField(choices=options(("sends", ""), ("new-line", "")), default="sends", validate_choice=False)
    undo_for = RadioField(
        _("When you send a message"),
        choices=options(
            ("0", _("Send at once")),
            ("5", _("Wait 5 seconds, so that you can undo it")),
            ("10", _("Wait 10 seconds, so that you can undo it")),
            (str(MERGE_SECONDS), _("Wait for more, and send short messages as one")),
        ),
        default="5",
        validators=[Optional()],
    )
    reset = BooleanField()
    commands: dict[str, tuple[str, str]]

    @classmethod
    def with_keys(cls, commands: dict[str, tuple[str, str]], preference: DeskPreference) -> ShortcutsForm:
        """The form for these commands, each with the key that we give it and its words."""
        fields = {name: KeyField(words) for name, (_key, words) in commands.items()}
        saved = {name: preference.custom_keys.get(name, key) for name, (key, _words) in commands.items()}
        saved |= {"first_view": preference.first_view, "enter": "sends" if preference.enter_sends else "new-line"}
        saved["undo_for"] = str(preference.undo_seconds)
        form: ShortcutsForm = type("ShortcutsFormWithKeys", (cls,), fields)(data=saved)
        form.commands = commands
        return form

    @property
    def chosen_keys(self) -> dict[str, str]:
        """The chosen key of each command. An empty field chooses ours."""
        return {name: (self[name].data or key) for name, (key, _words) in self.commands.items()}

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid: bool = super().validate(extra_validators)
        used: dict[str, str] = {}
        for name, key in self.chosen_keys.items():
            if not self.reset.data and (other := used.setdefault(key, name)) != name:
                words = self.commands[other][1]
                self[name].errors = [gettext("“%(key)s” is already the key for “%(command)s”.", key=key, command=words)]
                is_valid = False
        return is_valid

    def save(self, preference: DeskPreference) -> None:
        ours = {name: key for name, (key, _words) in self.commands.items()}
        chosen = {} if self.reset.data else self.chosen_keys
        preference.first_view, preference.enter_sends = self.first_view.data, self.enter.data != "new-line"
        preference.undo_seconds = int(self.undo_for.data or preference.undo_seconds)
        preference.keys = [f"{name}={key}" for name, key in chosen.items() if key != ours[name]]
        db.session.add(preference)


class KeyField(StringField):
    """A key, or several in a row (`g i`)."""

    def __init__(self, label: str, **more: Any) -> None:
        attributes: dict[str, Any] = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        attributes |= {"maxlength": LONGEST_KEY, "data-key-field": True}
        super().__init__(label, filters=[one_line], validators=[at_most(LONGEST_KEY)], render_kw=attributes, **more)
