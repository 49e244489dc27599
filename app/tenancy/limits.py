"""How much of something a tenant may have. Who makes such things asks here; what sets the limits registers itself."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from app.words import N_, nN_

from .database import db
from .scope import current_tenant_id

# What can be limited.
KINDS = ("seats", "numbers", "api_rate")
Source = Callable[[str], int | None]
SOURCES: list[Source] = []


class OverLimit(Exception):
    """One more would be more than the tenant may have: `kind` of KINDS, of which it may have `most`."""

    def __init__(self, kind: str, most: int) -> None:
        super().__init__(kind)
        self.kind, self.most = kind, most

    @property
    def words(self) -> str:
        return str(ngettext(*WORDS[self.kind], self.most)) if self.most else str(_(CLOSED))


CLOSED = N_("This business is closed, so nothing can be added to it.")
WORDS = {
    "seats": nN_(
        "Your plan has %(num)d team member, with open invitations. Choose another plan under Costs, or remove "
        "somebody first.",
        "Your plan has %(num)d team members, with open invitations. Choose another plan under Costs, or remove "
        "somebody first.",
    ),
    "numbers": nN_(
        "Your plan has %(num)d phone number. Choose another plan under Costs, or disconnect a number first.",
        "Your plan has %(num)d phone numbers. Choose another plan under Costs, or disconnect a number first.",
    ),
    "api_rate": nN_(
        "Your plan has %(num)d API request a second.",
        "Your plan has %(num)d API requests a second.",
    ),
}


def limit_source(function: Source) -> Source:
    """Has the decorated function say how much of a kind the current tenant may have; None is any number."""
    SOURCES.append(function)
    return function


def most_of(kind: str) -> int | None:
    """How much of a kind the current tenant may have; None is any number."""
    return min((most for source in SOURCES if (most := source(kind)) is not None), default=None)


def one_at_a_time(kind: str) -> None:
    """Until the transaction ends no one else makes such a thing, so that two cannot both be the last one."""
    lock = func.hashtextextended(f"{kind} {current_tenant_id()}", 0)
    db.session.execute(select(func.pg_advisory_xact_lock(lock)))


def refuse_over(kind: str, count: int) -> None:
    """Raises `OverLimit` where a tenant would have more than it may. What it has already is left alone."""
    most = most_of(kind)
    if most is not None and count > most:
        raise OverLimit(kind, most)
