"""Meta lets the number send and receive."""

from __future__ import annotations

from app.extensions import graph
from app.meta import health, phone_numbers
from app.onboarding.models import Onboarding
from app.onboarding.trouble import TRY_AGAIN, Trouble
from app.tenancy import commit
from app.words import N_

from .registry import step


@step()
def health_checked(onboarding: Onboarding) -> None:
    number, token = onboarding.phone_number, onboarding.waba.token
    commit()
    state = health.fetch(graph, token, number.meta_id)
    seen = phone_numbers.fetch(graph, token, number.meta_id)
    if state.is_blocked or not (seen.is_registered or seen.is_on_biz_app):
        problem = next((problem for problem in state.problems if problem.code), None)
        details = [problem.description, problem.solution] if problem else [seen.status]
        raise Trouble(
            N_("Meta doesn't let this number send yet."),
            TRY_AGAIN,
            details=" ".join(filter(None, details)),
            code=problem.code if problem else None,
        )
    number.update_from(seen, state)
    number.connect()
