"""Sharing our credit line with a client's business, so that Meta bills us for its WABAs.

Meta documents neither the errors of these calls nor what a repeated share does. So look first
(`find_share`), and after a NoAnswer look again instead of sharing again.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import PASSING, GraphError, NoAnswer
from .graph import GraphClient
from .payload import identifier, mapping, text

_AMOUNTS = ("balance", "max_balance", "credit_available")


@dataclass(frozen=True, slots=True)
class CreditLine:
    """What is owed on it, how much may be, and what is left, where Meta says so; all in `currency`."""

    currency: str
    balance: Decimal | None
    max_balance: Decimal | None
    credit_available: Decimal | None

    @property
    def is_used_up(self) -> bool:
        """Then every number that it pays for is refused with 131042."""
        return self.credit_available is not None and self.credit_available <= 0

    @property
    def share_left(self) -> Decimal | None:
        """What is left of it, between 0 and 1."""
        if self.credit_available is None or not self.max_balance:
            return None
        return max(Decimal(0), self.credit_available / self.max_balance)


def fetch(graph: GraphClient, token: str, credit_line_id: str) -> CreditLine:
    """How much of the line is used. Raises MetaError."""
    answer = graph.get(credit_line_id, token=token, params={"fields": ",".join(("id", *_AMOUNTS))})
    amounts = {name: mapping(answer.get(name)) for name in _AMOUNTS}
    currencies = (text(amount.get("currency"), 10) for amount in amounts.values())
    return CreditLine(next(filter(None, currencies), ""), **{name: _amount(amounts[name]) for name in _AMOUNTS})


def of_business(graph: GraphClient, token: str, business_id: str) -> list[str]:
    """The ids of our own business's credit lines. Raises MetaError."""
    items = graph.pages(f"{business_id}/extendedcredits", token=token, params={"fields": "id,legal_entity_name"})
    return [line for item in items if (line := identifier(item.get("id")))]


def find_share(graph: GraphClient, token: str, credit_line_id: str, business_id: str) -> str | None:
    """The id of the allocation that shares the line with this business, if there is one. Raises MetaError."""
    answer = graph.get(
        f"{credit_line_id}/owning_credit_allocation_configs",
        token=token,
        params={"receiving_business_id": business_id, "fields": "id,receiving_business,request_status"},
    )
    # Meta's page prints a bare object where an edge answers with a list.
    configs = answer.get("data", answer)
    for config in map(mapping, configs if isinstance(configs, list) else [configs]):
        if _is_share_with(config, business_id):
            return identifier(config.get("id"))
    return None


def fund(
    graph: GraphClient,
    *,
    system_token: str,
    business_token: str,
    credit_line_id: str,
    business_id: str,
    waba_id: str,
    currency: str,
) -> str:
    """Has the line pay for a WABA, unless it does: shared with its owner, and attached; the allocation's id.

    In one call (method A), or, where Meta refuses that, in the two that need no system user (B). The currency can
    never be changed. Raises MetaError."""
    allocation = find_share(graph, system_token, credit_line_id, business_id)
    if allocation is None:
        try:
            return share_and_attach(graph, system_token, credit_line_id, waba_id, currency)
        except GraphError as error:
            if error.kind in PASSING or not business_id:
                raise
        share(graph, system_token, credit_line_id, business_id)
        return attach(graph, business_token, credit_line_id, waba_id, currency)
    is_attached = is_funding(
        graph, system_token=system_token, business_token=business_token, allocation_id=allocation, waba_id=waba_id
    )
    if not is_attached:
        attach(graph, business_token, credit_line_id, waba_id, currency)
    return allocation


def share_and_attach(graph: GraphClient, token: str, credit_line_id: str, waba_id: str, currency: str) -> str:
    """Method A, in one call: share with the WABA's owner and attach the line; the allocation's id. The
    system user must be assigned to the WABA. The currency can never be changed. Raises MetaError."""
    answer = graph.post(
        f"{credit_line_id}/whatsapp_credit_sharing_and_attach",
        token=token,
        params={"waba_currency": currency, "waba_id": waba_id},
    )
    return _allocation_id(answer)


def share(graph: GraphClient, token: str, credit_line_id: str, business_id: str) -> str:
    """Method B, first half: share with a client's business; the allocation's id. Raises MetaError."""
    answer = graph.post(
        f"{credit_line_id}/whatsapp_credit_sharing",
        token=token,
        params={"receiving_business_id": business_id},
    )
    return _allocation_id(answer)


def attach(graph: GraphClient, business_token: str, credit_line_id: str, waba_id: str, currency: str) -> str:
    """Method B, second half, with the client's own token: attach the shared line to a WABA; the
    allocation's id. The currency can never be changed. Raises MetaError."""
    answer = graph.post(
        f"{credit_line_id}/whatsapp_credit_attach",
        token=business_token,
        params={"waba_currency": currency, "waba_id": waba_id},
    )
    return _allocation_id(answer)


def is_funding(graph: GraphClient, *, system_token: str, business_token: str, allocation_id: str, waba_id: str) -> bool:
    """Whether our line pays for this WABA; False while another payer is attached. Raises MetaError."""
    allocation = graph.get(allocation_id, token=system_token, params={"fields": "receiving_credential{id}"})
    ours = identifier(mapping(allocation.get("receiving_credential")).get("id"))
    return ours is not None and ours == payer(graph, business_token, waba_id)


def revoke(graph: GraphClient, token: str, allocation_id: str) -> None:
    """Stop paying for this business: for all its WABAs that are shared with us. Raises MetaError."""
    graph.delete(allocation_id, token=token)


def is_revoked(graph: GraphClient, token: str, allocation_id: str) -> bool:
    """Whether Meta has revoked the share. Raises MetaError."""
    answer = graph.get(allocation_id, token=token, params={"fields": "receiving_business,request_status"})
    return text(answer.get("request_status"), 64) == "DELETED"


def payer(graph: GraphClient, business_token: str, waba_id: str) -> str | None:
    """What pays for a WABA at the moment, if anything does. Raises MetaError."""
    waba = graph.get(waba_id, token=business_token, params={"fields": "primary_funding_id"})
    return identifier(waba.get("primary_funding_id"))


def _is_share_with(config: dict[str, Any], business_id: str) -> bool:
    receiver = identifier(mapping(config.get("receiving_business")).get("id"))
    return receiver in (business_id, None) and config.get("request_status") != "DELETED"


def _allocation_id(answer: dict[str, Any]) -> str:
    allocation_id = identifier(answer.get("allocation_config_id"))
    if allocation_id is None:
        raise NoAnswer("Meta's answer does not name the shared allocation", 200)
    return allocation_id


def _amount(amount: dict[str, Any]) -> Decimal | None:
    """Money in hundredths where Meta gives them: those are the same in every language."""
    try:
        if "amount_in_hundredths" in amount:
            return Decimal(str(amount["amount_in_hundredths"])) / 100
        return Decimal(str(amount["amount"])) if "amount" in amount else None
    except InvalidOperation:
        return None
