"""How a customer can be written to: free text in an open window, an approved template, Direct Send, or why not."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Self

from sqlalchemy import func

from app.message_templates.direct_send import DirectSendAccess
from app.message_templates.models import MessageTemplate
from app.tenancy import exists
from app.words import N_

OPTED_OUT = N_("The customer has opted out of utility messages.")


@dataclass(frozen=True, slots=True)
class Ways:
    """What is possible now. `obstacle` says why Direct Send is not, and is "" where it is."""

    is_open: bool
    has_template: bool
    obstacle: str

    @classmethod
    def find(cls, waba_id: uuid.UUID, refused_purposes: set[str], *, is_open: bool) -> Self:
        """From a number of this account, to somebody who refuses these purposes."""
        # Codes are not written by people.
        unwanted = {"authentication", *refused_purposes}
        fit = MessageTemplate.sendable_of(waba_id).where(func.lower(MessageTemplate.category).not_in(unwanted))
        obstacle = OPTED_OUT if "utility" in refused_purposes else DirectSendAccess.of(waba_id).obstacle
        return cls(is_open, exists(fit), obstacle)

    @property
    def has_direct_send(self) -> bool:
        return not self.obstacle

    @property
    def best(self) -> str:
        """`text`, `template`, `direct_send`, or "" where nothing can be sent."""
        if self.is_open:
            return "text"
        if self.has_template:
            return "template"
        return "direct_send" if self.has_direct_send else ""
