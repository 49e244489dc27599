import json
import secrets
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from simulator import flow_rules, ids
from simulator.record import Record
from simulator.wabas import Waba
from simulator.webhooks import publishing

STATUSES = ("DRAFT", "PUBLISHED", "DEPRECATED", "BLOCKED", "THROTTLED")
CATEGORIES = (
    "SIGN_UP",
    "SIGN_IN",
    "APPOINTMENT_BOOKING",
    "LEAD_GENERATION",
    "CONTACT_US",
    "CUSTOMER_SUPPORT",
    "SURVEY",
    "OTHER",
)
PREVIEW_DAYS = 30


@dataclass
class Flow(Record):
    """A WhatsApp Flow of a WABA. One that the control panel added may have no Flow JSON."""

    table: ClassVar[str] = "flows"

    waba_id: str
    name: str
    status: str
    created_at: float
    categories: str
    flow_json: str
    validation_errors: str
    endpoint_uri: str | None
    preview_key: str

    @classmethod
    def add(cls, waba: Waba, name: str, status: str = "PUBLISHED", flow_id: str = "", **columns: Any) -> Self:
        """Adds a flow, or changes the one with that id."""
        if flow := cls.find(waba.world, flow_id):
            flow.update(waba_id=waba.id, name=name, status=status, **columns)
            return flow
        id, now = flow_id or ids.object_id(), waba.world.clock.now()
        columns |= {"preview_key": secrets.token_urlsafe(12)}
        return cls.create(waba.world, id=id, waba_id=waba.id, name=name, status=status, created_at=now, **columns)

    @classmethod
    def of_waba(cls, waba: Waba) -> list[Self]:
        """The flows of an account."""
        return cls.where(waba.world, "waba_id = ? order by created_at", waba.id)

    @classmethod
    def by_name(cls, waba: Waba, name: str) -> Self | None:
        """The flow with the name, or None."""
        flows = cls.where(waba.world, "waba_id = ? and name = ?", waba.id, name)
        return next(iter(flows), None)

    @property
    def waba(self) -> Waba:
        waba = Waba.find(self.world, self.waba_id)
        assert waba
        return waba

    @property
    def definition(self) -> dict[str, Any]:
        """The Flow JSON; empty where there is none that can be read."""
        try:
            parsed = json.loads(self.flow_json or "{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    @property
    def errors(self) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = json.loads(self.validation_errors)
        return results

    def load(self, text: str) -> list[dict[str, Any]]:
        """Replaces the Flow JSON. Returns what is wrong with it."""
        errors = flow_rules.errors_in(text)
        self.update(flow_json=text, validation_errors=json.dumps(errors))
        return errors

    def turn(self, status: str) -> None:
        """Changes the status and reports it."""
        old = self.status
        self.update(status=status)
        self.report(old)

    def report(self, old: str | None) -> None:
        """Posts FLOW_STATUS_CHANGE. A new flow has no old status."""
        words = (
            f"Flow {self.name} changed status from {old} to {self.status}" if old else f"Flow {self.name} was created"
        )
        value = {"event": "FLOW_STATUS_CHANGE", "message": words, "flow_id": self.id}
        value |= ({"old_status": old} if old else {}) | {"new_status": self.status}
        publishing.publish_for_waba(self.waba, "flows", value)

    def delete(self) -> None:
        self.world.store.write("delete from flows where id = ?", self.id)
