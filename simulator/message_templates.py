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

    @classmethod
    def save(cls, world: Context, waba: Waba, name: str, language: str, **columns: Any) -> Self:
        """Creates the template, or changes the one with that name and language."""
        columns["components"] = json.dumps(columns["components"], ensure_ascii=False)
        if existing := cls.by_name(world, waba.id, name, language):
            existing.update(**columns)
            return existing
        now = world.clock.now()
        return cls.create(
            world, id=ids.object_id(), waba_id=waba.id, name=name, language=language, created_at=now, **columns
        )

    @classmethod
    def by_name(cls, world: Context, waba_id: str, name: str, language: str) -> Self | None:
        """The template with the name and language, or None."""
        matches = cls.where(world, "waba_id = ? and name = ? and language = ?", waba_id, name, language)
        return next(iter(matches), None)

    @classmethod
    def sendable(cls, world: Context, waba_id: str, name: str, language: str) -> Self:
        """The template if it can be sent, or Meta's error."""
        template = cls.by_name(world, waba_id, name, language)
        if template and template.status == "PAUSED":
            raise GraphError(132015, f"Template {name} is paused because of its low quality.")
        if template and template.status == "DISABLED":
            raise GraphError(132016, f"Template {name} is disabled for good because of its low quality.")
        if template is None or template.status not in SENDABLE:
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        return template

    def change_components(self, components: list[dict[str, Any]]) -> None:
        """Replaces all components."""
        self.update(components=json.dumps(components, ensure_ascii=False))

    def delete(self) -> None:
        """Deletes the template."""
        self.world.store.write("delete from templates where id = ?", self.id)

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The components, parsed."""
        return list(json.loads(self.components))

    @property
    def has_named_parameters(self) -> bool:
        """True if variables have names."""
        return self.parameter_format == "NAMED"
