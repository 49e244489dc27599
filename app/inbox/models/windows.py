"""How long a customer may be answered freely."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Mapped

from app.tenancy import now

CUSTOMER_SERVICE_WINDOW = dt.timedelta(hours=24)
# Near its end Meta's clock decides; we stop a little before.
WINDOW_MARGIN = dt.timedelta(minutes=1)


class Window:
    """The service window of a conversation, which is WhatsApp's rule and not ours."""

    last_inbound_at: Mapped[dt.datetime | None]

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
