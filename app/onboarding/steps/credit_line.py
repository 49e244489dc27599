"""Our credit line pays Meta for the account: shared with its owner, and attached."""

from __future__ import annotations

from app.billing.balances import Balance
from app.extensions import graph, settings
from app.meta import credit_lines
from app.meta.errors import PASSING, GraphError, MetaError
from app.onboarding.migration import Calendar
from app.onboarding.models import Onboarding
from app.onboarding.trouble import Trouble
from app.tenancy import commit, now
from app.wabas.credit import CreditLineShare
from app.wabas.models import Waba
from app.words import N_

from .registry import step

CREDIT_LINE = N_(
    "Our system user has to be Admin or Finance Editor, the Credit Allocation API terms accepted (Business "
    "settings, Payments), and the account's currency one that the credit line takes. For a client of another "
    "provider Meta refuses in the last 3 and first 4 days of a month."
)


@step(CREDIT_LINE)
def credit_line_shared(onboarding: Onboarding) -> str:
    """Shares our line unless it is shared: Meta does not document a second share, and a WABA's currency is final."""
    waba, token, line = onboarding.waba, onboarding.waba.token, settings.meta_credit_line_id
    currency = currency_to_attach(waba)
    commit()
    try:
        allocation = credit_lines.fund(
            graph,
            system_token=settings.meta_system_user_token,
            business_token=token,
            credit_line_id=line,
            business_id=waba.owner_business_id,
            waba_id=waba.meta_id,
            currency=currency,
        )
    except GraphError as error:
        if error.kind not in PASSING and is_refused_for_days(token, waba.meta_id):
            raise not_these_days(error) from None
        raise
    CreditLineShare.record(waba, line, allocation, currency)
    waba.currency = currency
    return currency


def currency_to_attach(waba: Waba) -> str:
    """The account's own; where it has none yet, the plan's. Raises `Trouble` where messages couldn't be charged."""
    balance = Balance.current()
    if balance is None or balance.plan_id is None:
        return waba.currency or "USD"
    if balance.is_foreign(waba.currency):
        raise billed_in_another_currency(waba.currency, balance.currency)
    return balance.currency


def billed_in_another_currency(account: str, plan: str) -> Trouble:
    return Trouble(
        N_("This WhatsApp account is billed in %(account)s, and your plan is in %(plan)s."),
        N_(
            "Its messages couldn't be charged to your balance, and Meta never changes an account's currency. If "
            "nothing has been charged to you yet, choose a plan in %(account)s under Costs and retry this step. "
            "Otherwise start again with a WhatsApp account in %(plan)s, or create a new one in the Facebook window."
        ),
        facts={"account": account, "plan": plan},
    )


def is_refused_for_days(token: str, meta_id: str) -> bool:
    """Whether Meta refuses only because another provider pays and may not be replaced today. Its answer is not
    documented, so the calendar and the payer decide."""
    if not Calendar.may_refuse(now()):
        return False
    try:
        return credit_lines.payer(graph, token, meta_id) is not None
    except MetaError:
        return False


def not_these_days(error: GraphError) -> Trouble:
    return Trouble(
        N_("Another provider still pays Meta for this account, and Meta doesn't let that change on these days."),
        N_(
            "Meta changes no payer in the last 3 and first 4 days of a month. No action needed: we retry automatically "
            "afterwards. Nothing can be sent until then."
        ),
        owner="",
        until=Calendar.at(now()).taken_from.isoformat(),
    ).quoting(error)
