from simulator import foreign_lines
from simulator.allocations import Allocation
from simulator.businesses import Business
from simulator.credit_line import CreditLine as OwnLine
from simulator.errors import forbidden, invalid
from simulator.graph import access
from simulator.graph.access import CreditLine, Partner
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.wabas import Waba

CURRENCIES = {"AUD", "EUR", "GBP", "IDR", "INR", "USD"}


@edge(Partner, "GET", "extendedcredits")
def extended_credits(call: Call, _: Partner) -> Answer:
    line = {"id": call.world.settings.credit_line_id, "legal_entity_name": call.world.settings.app_name}
    return call.page([line], "ExtendedCredit", ("id", "legal_entity_name"))


@edge(CreditLine, "GET")
def line(call: Call, _: CreditLine) -> Answer:
    call.only("system")
    settings = call.world.settings
    fields = {"id": settings.credit_line_id, "legal_entity_name": settings.app_name, "is_access_revoked": False}
    return call.project(fields | OwnLine.of(call.world).amounts(), "ExtendedCredit", ("id", "legal_entity_name"))


@edge(CreditLine, "POST", "whatsapp_credit_sharing_and_attach")
def share_and_attach(call: Call, _: CreditLine) -> Answer:
    call.only("system")
    waba = _waba(call)
    if not access.is_assigned(call.world, waba, call.token.user_id):
        raise forbidden("The system user must be assigned to the WhatsApp Business Account.")
    with call.world.store.transaction():
        allocation = Allocation.share(call.world, waba.business_id)
        _attach(call, waba, allocation)
    return {"allocation_config_id": allocation.id, "waba_id": waba.id}


@edge(CreditLine, "POST", "whatsapp_credit_sharing")
def share(call: Call, _: CreditLine) -> Answer:
    call.only("system")
    business = Business.find(call.world, str(call.require("receiving_business_id")))
    if business is None:
        raise invalid(
            "Param receiving_business_id must be a business that shares a WhatsApp Business Account with you."
        )
    return SUCCESS | {"allocation_config_id": Allocation.share(call.world, business.id).id}


@edge(CreditLine, "POST", "whatsapp_credit_attach")
def attach(call: Call, _: CreditLine) -> Answer:
    """Attaches, with the client's token, what the partner shared with the client's business."""
    call.only("business")
    waba = _waba(call)
    allocation = Allocation.active_for(call.world, waba.business_id)
    if allocation is None:
        raise forbidden("The credit line is not shared with the business that owns the WhatsApp Business Account.")
    _attach(call, waba, allocation)
    return SUCCESS | {"waba_id": waba.id, "allocation_config_id": allocation.id}


@edge(CreditLine, "GET", "owning_credit_allocation_configs")
def allocations(call: Call, _: CreditLine) -> Answer:
    call.only("system")
    allocation = Allocation.active_for(call.world, str(call.require("receiving_business_id")))
    configs = [_describe(allocation)] if allocation else []
    return call.page(configs, "ExtendedCreditAllocationConfig", ("id", "receiving_business"))


@edge(Allocation, "GET")
def show(call: Call, allocation: Allocation) -> Answer:
    return call.project(_describe(allocation), "ExtendedCreditAllocationConfig", ("id", "receiving_business"))


@edge(Allocation, "DELETE")
def revoke(_: Call, allocation: Allocation) -> Answer:
    allocation.revoke()
    return SUCCESS


def _waba(call: Call) -> Waba:
    waba = Waba.find(call.world, str(call.require("waba_id")))
    if waba is None or not access.sees(call.token, waba):
        raise invalid("Param waba_id must be a WhatsApp Business Account that you can see.")
    return waba


def _attach(call: Call, waba: Waba, allocation: Allocation) -> None:
    """Attaches the line. A WABA's line and currency never change, and not on blackout days."""
    if foreign_lines.has(waba) and foreign_lines.is_blackout(call.world.clock.now()):
        raise invalid("The payment of this account cannot be changed in the last 3 and first 4 days of a month.")
    currency = call.require("waba_currency")
    if currency not in CURRENCIES:
        raise invalid(f"Param waba_currency must be one of {{{', '.join(sorted(CURRENCIES))}}}")
    if foreign_lines.has(waba):
        foreign_lines.note(waba)
    if foreign_lines.credit_of(waba) and waba.currency != currency:
        raise invalid("WABA already has a credit line attached")
    foreign_lines.attach_credit(waba, allocation, currency)


def _describe(allocation: Allocation) -> Answer:
    business = Business.find(allocation.world, allocation.business_id)
    settings = allocation.world.settings
    return {
        "id": allocation.id,
        "receiving_business": {"name": business.name if business else "", "id": allocation.business_id},
        "receiving_credential": {"id": allocation.receiving_credential_id},
        "owning_business": {"name": settings.app_name, "id": settings.business_id},
        "owning_credential": {"id": settings.credit_line_id},
        "request_status": allocation.request_status,
    }
