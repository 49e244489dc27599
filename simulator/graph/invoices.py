from datetime import date, timedelta

from simulator import invoices
from simulator.errors import invalid
from simulator.graph.access import Partner
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge

DEFAULT = ("id", "invoice_id")


@edge(Partner, "GET", "business_invoices")
def business_invoices(call: Call, _: Partner) -> Answer:
    """The invoices of the months between two days of issue; without lines."""
    call.only("system")
    day, last = (_day(call, name) for name in ("issue_start_date", "issue_end_date"))
    months = []
    while day <= last:
        months.append(day.strftime("%Y-%m"))
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    invoices_listed = [one for month in months for one in invoices.invoices(call.world, month)]
    return call.page(invoices_listed, "OmegaCustomerTrx", DEFAULT)


def _day(call: Call, name: str) -> date:
    try:
        return date.fromisoformat(str(call.require(name)))
    except ValueError:
        raise invalid(f"Param {name} must be a date like 2026-11-30.") from None
