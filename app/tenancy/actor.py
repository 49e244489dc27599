"""Who does something for a business: a person, a rule, a key, the phone, or Switchboard itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext as _

from .models import User

KINDS = ("agent", "automation", "assistant", "campaign", "sequence", "api", "phone", "system")
# Kinds that write by hand; what the others send is automatic.
PEOPLE = ("agent", "phone")
# Whose message takes a conversation from automation, and what may not write while a person has it.
TAKING = ("agent", "phone", "api")
AUTOMATIC = ("automation", "assistant", "sequence")
# What each kind of sender waits behind, see `app.inbox.conversations.states.LANES`.
LANE_OF = {"agent": "replies", "phone": "replies", "campaign": "campaigns", "sequence": "campaigns"}


# The part of the system whose messages another app at Meta sent, such as Meta's Business Agent.
OTHER_APP = "other_app"


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is the user's, the key's, the rule's …; `name` is what it was called then, or which part of the system."""

    kind: str
    id: uuid.UUID | None = None
    name: str = ""

    @classmethod
    def agent(cls, user: User) -> Self:
        return cls("agent", user.id, user.name)

    @classmethod
    def phone(cls) -> Self:
        """Somebody of the business in the WhatsApp Business app."""
        return cls("phone")

    @classmethod
    def system(cls, part: str) -> Self:
        """Switchboard on its own: the out-of-office reply, the survey, the distribution of a team's queue …"""
        return cls("system", None, part)

    @classmethod
    def stored(cls, kind: str | None, id: uuid.UUID | None, name: str | None) -> Self | None:
        """From three columns. Rows older than the kind column are an agent's, or have no actor."""
        kind = kind or ("agent" if id else None)
        return cls(kind, id, name or "") if kind else None

    @classmethod
    def read(cls, value: dict[str, Any] | None) -> Self | None:
        """From what `as_json` wrote."""
        if value is None:
            return None
        return cls(value["kind"], uuid.UUID(value["id"]) if value.get("id") else None, value.get("name", ""))

    def as_json(self) -> dict[str, str]:
        values = {"kind": self.kind, "id": str(self.id) if self.id else "", "name": self.name}
        return {name: value for name, value in values.items() if value}

    def columns(self, prefix: str) -> dict[str, Any]:
        """For a row's three columns `<prefix>_kind`, `_id` and `_name`. An agent's name is the user's own."""
        name = None if self.kind == "agent" else self.name or None
        return {f"{prefix}_kind": self.kind, f"{prefix}_id": self.id, f"{prefix}_name": name}

    @property
    def is_person(self) -> bool:
        return self.kind in PEOPLE

    @property
    def takes_over(self) -> bool:
        """Whether what it writes counts as a person's reply: also through a key."""
        return self.kind in TAKING

    @property
    def is_automatic(self) -> bool:
        """Whether it has to be quiet while a person has the conversation."""
        return self.kind in AUTOMATIC

    @property
    def user_id(self) -> uuid.UUID | None:
        """For what only a member of the team can have: a conversation, a mention."""
        return self.id if self.kind == "agent" else None

    @property
    def lane(self) -> str:
        """Which lane of the outbox its messages take unless the sender says otherwise."""
        return LANE_OF.get(self.kind, "automation")

    @property
    def source(self) -> str:
        """What its messages come from unless the sender says otherwise."""
        return {"agent": "inbox", "system": self.name}.get(self.kind, self.kind)

    @property
    def label(self) -> str:
        """What a page calls it."""
        match self.kind:
            case "agent":
                return self.name or str(_("Former team member"))
            case "phone":
                return str(_("Sent from the phone"))
            case "automation":
                return str(_("Automation “%(name)s”", name=self.name) if self.name else _("Automation"))
            case "assistant":
                return self.name or str(_("Assistant"))
            case "campaign":
                return str(_("Campaign “%(name)s”", name=self.name) if self.name else _("Campaign"))
            case "sequence":
                return str(_("Sequence “%(name)s”", name=self.name) if self.name else _("Sequence"))
            case "api":
                return str(_("API key “%(name)s”", name=self.name) if self.name else _("API"))
        parts = {"away": _("Out-of-office reply"), "survey": _("Survey"), OTHER_APP: _("Meta's agent or another app")}
        return str(parts.get(self.name, _("Switchboard")))
