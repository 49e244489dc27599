"""How a customer's wait stands against what the business promises, as a ring around their picture."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g
from flask_babel import format_timedelta
from flask_babel import gettext as _

from app.service.models import Ring, ServicePolicy
from app.tenancy import now

from .models import Conversation
from .surveys import counts
from .views import bp

bp.add_app_template_global(counts, "survey_counts")


@dataclass(frozen=True, slots=True)
class Wait:
    state: str
    words: str


@bp.app_template_global()
def response_ring(conversation: Conversation) -> Wait | None:
    """None where nobody waits, or nothing was promised."""
    if conversation.waiting_since is None or not conversation.is_active:
        return None
    policy, is_first = promised(), conversation.answered_at is None
    ring, due = (
        policy.ring(conversation.waiting_since, is_first=is_first),
        policy.due_at(conversation.waiting_since, is_first=is_first),
    )
    if ring is None or due is None:
        return None
    left = format_timedelta(abs(due - now()), granularity="minute")
    words = _("Answer overdue for %(time)s", time=left) if ring is Ring.LATE else _("Answer due in %(time)s", time=left)
    return Wait(ring.value, words)


def promised() -> ServicePolicy:
    """Looked up once for a page."""
    if "service_policy" not in g:
        g.service_policy = ServicePolicy.current()
    return g.service_policy  # type: ignore[no-any-return]
