"""The form of a macro."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired

from app.contacts.tags import Tag
from app.inbox.desk.fields import ChoiceField, ChoicesField, at_most, one_line, options, tidy
from app.inbox.desk.notes import LONGEST_NOTE
from app.message_templates.models import MessageTemplate
from app.meta.outgoing.plain import LONGEST_TEXT
from app.team.models import Team
from app.team.models.teams import colleagues
from app.tenancy import Membership, as_uuid, db
from app.variables import problem_in

from .canned_replies import CannedReply
from .macros import UNASSIGNED, Macro

LONGEST_NAME = 60
ENDING_WORDS = (
    ("", _("No change")),
    ("open", _("Reopen")),
    ("pending", _("Wait for the customer")),
    ("snoozed", _("Snooze until they write")),
    ("resolved", _("Resolve")),
    ("archived", _("Archive")),
)


class MacroForm(FlaskForm):
    """The steps of a macro: a reply, a template, a note, tags, an assignee, a team, a state."""

    name = StringField(
        _("Name"),
        filters=[one_line],
        validators=[DataRequired(_("Enter a name.")), at_most(LONGEST_NAME)],
        render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"},
    )
    reply = TextAreaField(
        lazy_pgettext("noun", "Reply"),
        filters=[tidy],
        validators=[at_most(LONGEST_TEXT)],
        render_kw={"rows": 2, "dir": "auto"},
    )
    canned = ChoiceField(_("Or a canned reply"))
    template = ChoiceField(_("Template"))
    note = TextAreaField(
        _("Note"), filters=[tidy], validators=[at_most(LONGEST_NOTE)], render_kw={"rows": 2, "dir": "auto"}
    )
    assignment = ChoiceField(_("Assign to"))
    team = ChoiceField(_("Team"))
    ending = ChoiceField(_("Then"), ENDING_WORDS)
    add_tag = ChoicesField(_("Add tags"))
    remove_tag = ChoicesField(_("Remove tags"))
    shared = BooleanField(_("Everyone can use this macro"))

    def __init__(self, macro: Macro, member: Membership) -> None:
        super().__init__(data=saved_values(macro))
        self.macro = macro
        if not macro.id and self.is_submitted():
            macro.owner_id = None if self.shared.data and member.may("desk.manage") else member.user_id
        self.tags = Tag.offered()
        self.canned_replies = {str(one.id): one for one in db.session.scalars(CannedReply.for_member(member))}
        self.offer_choices()

    def offer_choices(self) -> None:
        """Fills the lists of options from the database."""
        unchanged = ("", _("No change"))
        self.canned.choices = options(
            ("", _("No canned reply")), *((id, canned_words(one)) for id, one in self.canned_replies.items())
        )
        self.template.choices = options(("", _("No template")), *template_choices(self.macro))
        people = [(str(person.id), person.name) for person in colleagues()]
        to = [("me", _("The person who runs it")), (UNASSIGNED, lazy_pgettext("of a conversation", "Unassigned"))]
        self.assignment.choices = options(unchanged, *to, *people)
        teams = db.session.scalars(Team.in_order()).all()
        self.team.choices = options(unchanged, *((str(team.id), team.name) for team in teams))
        tags = options(*((str(tag.id), tag.name) for tag in self.tags))
        self.add_tag.choices = self.remove_tag.choices = tags

    def validate_reply(self, field: TextAreaField) -> None:
        if problem := problem_in(field.data or ""):
            raise ValidationError(problem)

    def validate_canned(self, field: ChoiceField) -> None:
        canned = self.canned_replies.get(field.data)
        if canned and self.reply.data:
            raise ValidationError(gettext("Enter a reply or choose a canned reply, not both."))
        if canned and canned.owner_id and self.macro.owner_id is None:
            raise ValidationError(
                gettext("/%(shortcut)s is yours alone. A macro for everyone can't send it.", shortcut=canned.shortcut)
            )

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid: bool = super().validate(extra_validators)
        steps = (self.reply, self.canned, self.template, self.note, self.assignment, self.team, self.ending)
        if is_valid and not any(field.data for field in (*steps, self.add_tag, self.remove_tag)):
            self.reply.errors = [gettext("Choose at least one step, for example a reply, a note or an assignee.")]
            return False
        return is_valid

    def save(self) -> Macro:
        macro, canned = self.macro, self.canned_replies.get(self.canned.data)
        macro.name, macro.reply, macro.note = self.name.data, self.reply.data, self.note.data
        macro.canned_reply_id, macro.canned_shortcut = (canned.id, canned.shortcut) if canned else (None, "")
        macro.template_name, _bar, macro.template_language = self.template.data.partition("|")
        macro.assignee_id = as_uuid(self.assignment.data)
        macro.assignment = "person" if macro.assignee_id else self.assignment.data
        macro.team_id, macro.ending = as_uuid(self.team.data), self.ending.data
        macro.choose_tags(self.add_tag.data, self.remove_tag.data)
        db.session.add(macro)
        return macro


def saved_values(macro: Macro) -> dict[str, Any]:
    return {
        "name": macro.name,
        "reply": macro.reply,
        "canned": str(macro.canned_reply_id or ""),
        "template": macro.template,
        "note": macro.note,
        "assignment": str(macro.assignee_id or "") if macro.assignment == "person" else macro.assignment,
        "team": str(macro.team_id or ""),
        "ending": macro.ending,
        "add_tag": [str(one.tag_id) for one in macro.tags if one.is_added],
        "remove_tag": [str(one.tag_id) for one in macro.tags if not one.is_added],
        "shared": True,
    }


def canned_words(reply: CannedReply) -> str:
    return f"/{reply.shortcut} ({reply.language})" if reply.language else f"/{reply.shortcut}"


def template_choices(macro: Macro) -> list[tuple[str, str]]:
    """The templates without variables; the macro's present one too, though it is no longer approved."""
    choices = [(one.key, f"{one.title} ({one.language})") for one in MessageTemplate.whole()]
    if macro.template and macro.template not in dict(choices):
        choices.append((macro.template, gettext("%(name)s: no longer approved", name=macro.template_name)))
    return choices
