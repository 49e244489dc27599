"""The form of a canned reply."""

from __future__ import annotations

import uuid

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.datastructures import FileStorage
from wtforms import BooleanField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Regexp

from app.inbox.desk.fields import ChoiceField, at_most, one_line, options, tidy
from app.inbox.files.attachments import Attachment
from app.meta import outgoing
from app.meta.outgoing import Refused
from app.storage import StorageUnavailable
from app.team.models import Team
from app.tenancy import Membership, as_uuid, db
from app.variables import problem_in

from .canned_files import CannedFile
from .canned_replies import CannedReply

LONGEST_SHORTCUT = 40
LONGEST_LANGUAGE = 12


class CannedReplyForm(FlaskForm):
    """The text of a canned reply, who may use it, and its file: a new one, the present one, or none."""

    shortcut = StringField(
        _("Shortcut"),
        filters=[one_line, lambda typed: typed.removeprefix("/")],
        validators=[
            DataRequired(_("Enter a shortcut.")),
            at_most(LONGEST_SHORTCUT),
            Regexp(r"[\w-]+\Z", message=_("Use one word of letters, digits and hyphens.")),
        ],
        render_kw={"maxlength": LONGEST_SHORTCUT + 1, "autocomplete": "off"},
    )
    language = StringField(
        _("Language"),
        filters=[one_line],
        validators=[at_most(LONGEST_LANGUAGE)],
        render_kw={"maxlength": LONGEST_LANGUAGE},
    )
    body = TextAreaField(lazy_pgettext("noun", "Reply"), filters=[tidy], render_kw={"rows": 4, "dir": "auto"})
    file = FileField(_("Photo, video, audio or file"))
    remove_file = BooleanField(_("Remove this file"))
    shared = BooleanField(_("Everyone can use this reply"))
    team = ChoiceField(_("Only for a team"))

    def __init__(self, reply: CannedReply, member: Membership) -> None:
        saved = {"shortcut": reply.shortcut, "language": reply.language, "body": reply.body, "shared": True}
        super().__init__(data=saved | {"team": str(reply.team_id or "")})
        self.reply, self.member = reply, member
        self.saved_file = CannedFile.of_reply(reply) if reply.id else None
        self.attachment: Attachment | None = None
        teams = db.session.scalars(Team.in_order()).all()
        self.team.choices = options(("", _("Every team")), *((str(team.id), team.name) for team in teams))
        if not reply.id and self.is_submitted():
            is_shared = self.shared.data and member.may("desk.manage")
            reply.owner_id = None if is_shared else member.user_id

    @property
    def is_for_team(self) -> bool:
        """Whether a team can be chosen: somebody's own reply has none."""
        return not self.reply.id or self.reply.owner_id is None

    def validate_shortcut(self, field: StringField) -> None:
        if self.reply.is_duplicate(field.data, self.language.data or "", self.team_id):
            raise ValidationError(
                gettext("/%(shortcut)s already exists. Choose another shortcut.", shortcut=field.data)
            )

    def validate_file(self, field: FileField) -> None:
        if isinstance(field.data, FileStorage) and field.data.filename:
            try:
                self.attachment = Attachment.of(field.data.stream, field.data.filename)
            except Refused as refusal:
                raise ValidationError(refusal.explain(gettext)) from None

    def validate(self, extra_validators: object = None) -> bool:
        """The limits of the text depend on the file, so the text is checked last."""
        if not super().validate(extra_validators):
            return False
        try:
            self.check_body()
        except Refused as refusal:
            self.body.errors = [refusal.explain(gettext)]
        return not self.body.errors

    def check_body(self) -> None:
        remaining_file = None if self.remove_file.data else self.saved_file
        kind = self.attachment.kind if self.attachment else remaining_file.kind if remaining_file else None
        if not (self.body.data or kind):
            self.body.errors = [gettext("Enter a reply, or choose a file.")]
        elif problem := problem_in(self.body.data or ""):
            self.body.errors = [problem]
        elif kind in outgoing.CAPTIONED:
            outgoing.file(kind, self.body.data)
        elif self.body.data:
            outgoing.text(self.body.data)

    def save(self) -> bool:
        """Saves the reply and its file. Returns False, with an error at the field, where the file can't be stored."""
        try:
            new_file = CannedFile.store(self.attachment) if self.attachment else None
        except StorageUnavailable:
            self.file.errors = [gettext("The file couldn't be stored. Try again in a moment.")]
            return False
        reply = self.reply
        reply.shortcut, reply.language, reply.body = self.shortcut.data, self.language.data, self.body.data
        reply.team_id = self.team_id
        db.session.add(reply)
        db.session.flush()
        if self.saved_file and (new_file or self.remove_file.data):
            self.saved_file.orphan()
        if new_file:
            new_file.attach_to(reply)
        return True

    @property
    def team_id(self) -> uuid.UUID | None:
        return as_uuid(self.team.data) if self.reply.owner_id is None else None
