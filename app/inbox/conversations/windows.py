"""How long a customer may be answered freely."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Mapped

from app.tenancy import now

CUSTOMER_SERVICE_WINDOW = dt.timedelta(hours=24)
# Near its end Meta's clock decides; we stop a little before.
WINDOW_MARGIN = dt.timedelta(minutes=1)
# Within that an answer makes the days that follow free, where the customer came by an advertisement.
ANSWER_WITHIN = dt.timedelta(hours=24)


class Window:
    """The service window of a conversation, which is WhatsApp's rule and not ours."""

    last_inbound_at: Mapped[dt.datetime | None]
    # When the customer last came by an advertisement or a page's button, and until when nothing is charged therefore.
    entry_at: Mapped[dt.datetime | None]
    free_until: Mapped[dt.datetime | None]
    waiting_since: Any

    @property
    def window_closes_at(self) -> dt.datetime | None:
        """When the customer service window closes: 24 hours after the customer last wrote."""
        return self.last_inbound_at and self.last_inbound_at + CUSTOMER_SERVICE_WINDOW

    @property
    def window_is_open(self) -> bool:
        return bool(self.window_closes_at and self.window_closes_at > now() + WINDOW_MARGIN)

    @property
    def window_left(self) -> dt.timedelta:
        return max(self.window_closes_at - now(), dt.timedelta()) if self.window_closes_at else dt.timedelta()

    @property
    def is_free(self) -> bool:
        """Whether WhatsApp charges nothing, not even for templates. Free text still needs the window."""
        return bool(self.free_until and self.free_until > now())

    @property
    def free_left(self) -> dt.timedelta:
        return max(self.free_until - now(), dt.timedelta()) if self.free_until else dt.timedelta()

    @property
    def free_if_answered_by(self) -> dt.datetime | None:
        """Until when an answer begins such a time, for a customer who came so and waits."""
        if self.is_free or not (self.entry_at and self.waiting_since):
            return None
        ends = self.entry_at + ANSWER_WITHIN
        return ends if ends > now() else None
