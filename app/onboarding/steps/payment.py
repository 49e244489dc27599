"""Our credit line, which pays Meta for the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.extensions import graph, settings
from app.meta import credit_lines
from app.meta.codes.explanation import N_
from app.meta.errors import GraphError
from app.onboarding.trouble import PASSING, Trouble
from app.tenancy import commit, now
from app.wabas.credit import CreditLineShare
from app.wabas.models import Waba

from .registry import step

if TYPE_CHECKING:
    from app.onboarding.models import Onboarding

CREDIT_LINE = N_(
    "Our system user has to be Admin or Finance Editor, the Credit Allocation API terms accepted (Business "
    "settings, Payments), and the account's currency one that the credit line takes. For a client of another "
    "provider Meta refuses in the last 3 and first 4 days of a month."
)


@step(N_("Payment to Meta set up"), CREDIT_LINE)
def credit_line_shared(onboarding: Onboarding) -> str:
    """Meta does not say what a second share does, so look before sharing; a WABA's currency is for good."""
    waba, line, ours = onboarding.waba, settings.meta_credit_line_id, settings.meta_system_user_token
    token, currency = waba.token, waba.currency or "USD"
    commit()
    allocation = credit_lines.find_share(graph, ours, line, waba.owner_business_id)
    if allocation is None:
        allocation = share_line(waba, token, currency)
    elif not credit_lines.is_funding(
        graph, system_token=ours, business_token=token, allocation_id=allocation, waba_id=waba.meta_id
    ):
        credit_lines.attach(graph, token, line, waba.meta_id, currency)
    CreditLineShare.record(waba, line, allocation, currency)
    return currency


def share_line(waba: Waba, token: str, currency: str) -> str:
    """In one call, or, where Meta refuses that, in the two that take its place and need no system user."""
    line, ours, meta_id = settings.meta_credit_line_id, settings.meta_system_user_token, waba.meta_id
    try:
        return credit_lines.share_and_attach(graph, ours, line, meta_id, currency)
    except GraphError as error:
        if error.kind in PASSING or not waba.owner_business_id:
            raise
    credit_lines.share(graph, ours, line, waba.owner_business_id)
    return credit_lines.attach(graph, token, line, meta_id, currency)


@step(N_("Payment to Meta confirmed"), CREDIT_LINE)
def credit_line_verified(onboarding: Onboarding) -> None:
    waba = onboarding.waba
    share, token, ours = CreditLineShare.of(waba), waba.token, settings.meta_system_user_token
    assert share is not None
    commit()
    if not credit_lines.is_funding(
        graph,
        system_token=ours,
        business_token=token,
        allocation_id=share.allocation_config_id,
        waba_id=waba.meta_id,
    ):
        raise Trouble(
            N_("Somebody else still pays Meta for this WhatsApp account."),
            N_(
                "If you come from another provider, ask it to stop sharing its credit line. Meta changes the "
                "payer on the 1st of a month, and refuses to in the last 3 and first 4 days."
            ),
        )
    share.verified_at = now()
