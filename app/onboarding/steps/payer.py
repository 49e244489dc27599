"""It is our credit line that pays Meta, and no other provider's."""

from __future__ import annotations

import datetime as dt

from app.extensions import graph, settings
from app.meta import credit_lines
from app.onboarding.migration import first_of_next_month
from app.onboarding.models import Onboarding
from app.onboarding.trouble import Trouble
from app.tenancy import commit, now
from app.wabas.credit import CreditLineShare
from app.words import N_

from .credit_line import CREDIT_LINE
from .registry import step


@step(CREDIT_LINE)
def credit_line_verified(onboarding: Onboarding) -> None:
    waba = onboarding.waba
    share, token, ours = CreditLineShare.of(waba), waba.token, settings.meta_system_user_token
    assert share is not None
    commit()
    is_ours = credit_lines.is_funding(
        graph,
        system_token=ours,
        business_token=token,
        allocation_id=share.allocation_config_id,
        waba_id=waba.meta_id,
    )
    if not is_ours:
        raise paid_by_another(first_of_next_month(share.created_at))
    share.verified_at = now()


def paid_by_another(changes_at: dt.datetime) -> Trouble:
    """Expected until the 1st, and retried then; afterwards a person has to act."""
    if now() >= changes_at:
        return Trouble(
            N_("Another provider still pays Meta for this WhatsApp account."),
            N_("Meta should have changed the payer on the 1st. Ask your old provider to stop sharing its credit line."),
        )
    return Trouble(
        N_("Until the 1st of next month another provider pays Meta for this WhatsApp account."),
        N_(
            "Meta changes the payer on the 1st of a month. No action needed: we check again automatically then. "
            "Nothing can be sent from here until then."
        ),
        owner="",
        until=changes_at.isoformat(),
    )
