import json
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from simulator import ids
from simulator.context import Context
from simulator.errors import GraphError
from simulator.record import Record
from simulator.wabas import Waba

SENDABLE = ("APPROVED", "REINSTATED", "FLAGGED", "PENDING_DELETION")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
STATUSES = (*SENDABLE, "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "LIMIT_EXCEEDED", "ARCHIVED", "LOCKED")
GENERATED = "AUTO_GENERATED"
DAY = 86400
AUTHENTICATION_TTL = 600
EDITS_A_DAY, EDITS_A_MONTH = 1, 10


@dataclass
class MessageTemplate(Record):
    """A template of a WABA, in one language."""

    table: ClassVar[str] = "templates"

    waba_id: str
    name: str
    language: str
    category: str
    parameter_format: str
    components: str
    status: str
    created_at: float
    quality: str
    rejected_reason: str
    previous_category: str | None
    correct_category: str | None
    sub_category: str | None
    library_template_name: str | None
    message_send_ttl_seconds: int | None
    cta_url_link_tracking_opted_out: int | None
    source: str
    pauses: int
    paused_at: float | None
    pause: str | None
    quality_at: float | None
    archived_at: float | None
    used_at: float | None

    @classmethod
    def save(cls, world: Context, waba: Waba, name: str, language: str, **columns: Any) -> Self:
        """Creates the template, or changes the one with that name and language."""
        columns["components"] = cls.as_text(columns["components"])
        if existing := cls.by_name(world, waba.id, name, language):
            existing.update(**columns)
            return existing
        now = world.clock.now()
        return cls.create(
            world, id=ids.object_id(), waba_id=waba.id, name=name, language=language, created_at=now, **columns
        )

    @staticmethod
    def as_text(components: list[dict[str, Any]]) -> str:
        """Components as they are stored."""
        return json.dumps(components, ensure_ascii=False)

    @classmethod
    def by_name(cls, world: Context, waba_id: str, name: str, language: str) -> Self | None:
        """The template with the name and language, or None."""
        matches = cls.where(world, "waba_id = ? and name = ? and language = ?", waba_id, name, language)
        return next(iter(matches), None)

    @classmethod
    def sendable(cls, world: Context, waba_id: str, name: str, language: str) -> Self:
        """The template if it can be sent, or Meta's error."""
        template = cls.by_name(world, waba_id, name, language)
        if template and template.source == GENERATED:
            raise GraphError(132018, "Direct send template can't be used for template message.")
        if template and template.status == "PAUSED":
            raise GraphError(132015, f"Template {name} is paused because of its low quality.")
        if template and template.status == "DISABLED":
            raise GraphError(132016, f"Template {name} is disabled permanently because of its low quality.")
        if template is None or template.status not in SENDABLE:
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        return template

    def change_components(self, components: list[dict[str, Any]]) -> None:
        """Replaces all components."""
        self.update(components=self.as_text(components))

    @classmethod
    def of_waba(cls, waba: Waba) -> list[Self]:
        """The templates of an account, oldest first."""
        return cls.where(waba.world, "waba_id = ? order by created_at, rowid", waba.id)

    def delete(self) -> None:
        """Deletes the template and what Meta was going to do to it."""
        self.world.store.write("delete from templates where id = ?", self.id)
        self.world.template_steps.forget(self.id)

    def count_edit(self) -> None:
        """Records an edit of the approved template."""
        self.world.store.insert("template_edits", template_id=self.id, at=self.world.clock.now())

    def edits_since(self, seconds: float) -> int:
        """How often the approved template was edited in the last seconds."""
        sql = "select count(*) from template_edits where template_id = ? and at > ?"
        return int(self.world.store.value(sql, self.id, self.world.clock.now() - seconds))

    @property
    def may_be_edited_again(self) -> bool:
        """False while Meta's limits of one edit a day and ten in 30 days are used up."""
        return self.edits_since(DAY) < EDITS_A_DAY and self.edits_since(30 * DAY) < EDITS_A_MONTH

    @property
    def time_to_live(self) -> int | None:
        """For how many seconds Meta tries to deliver it; None is 30 days."""
        usual = AUTHENTICATION_TTL if self.category == "AUTHENTICATION" else None
        given = self.message_send_ttl_seconds
        return usual if given is None else None if given < 0 else given

    @property
    def waba(self) -> Waba:
        """The account it belongs to."""
        return Waba.where(self.world, "id = ?", self.waba_id)[0]

    @property
    def by_type(self) -> dict[str, dict[str, Any]]:
        """The components by their types in capitals."""
        return {str(part.get("type")).upper(): part for part in self.parts}

    def text_of(self, part: str) -> str:
        """The text of its header, body or footer."""
        return str(self.by_type.get(part, {}).get("text") or "")

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The components, parsed."""
        return list(json.loads(self.components))

    @property
    def has_named_parameters(self) -> bool:
        """True if variables have names."""
        return self.parameter_format == "NAMED"
