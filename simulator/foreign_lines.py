"""Accounts that another partner pays for: the payer changes on the 1st of a month, except on blackout days."""

from datetime import UTC, datetime, timedelta

from simulator.allocations import Allocation
from simulator.wabas import Waba

FIRST, LAST = 4, 3


def note(waba: Waba) -> None:
    """Records that from now on another partner's line pays for the account."""
    now = waba.world.clock.now()
    waba.world.store.insert("foreign_lines", replace=True, waba_id=waba.id, since=now)


def has(waba: Waba) -> bool:
    """True if another partner's line was ever attached."""
    return waba.world.store.row("select 1 from foreign_lines where waba_id = ?", waba.id) is not None


def credential_id(waba: Waba) -> str | None:
    """The id of the other partner's line while it pays; it is none of our allocations'."""
    return str(int(waba.id) + 1) if has(waba) and not has_ended(waba) else None


def has_ended(waba: Waba) -> bool:
    """Whether our line was attached and a 1st of a month has come since."""
    since = waba.world.store.value("select since from foreign_lines where waba_id = ?", waba.id)
    if since is None:
        return True
    if waba.allocation_id is None:
        return False
    start, today = (datetime.fromtimestamp(moment, UTC) for moment in (since, waba.world.clock.now()))
    return (today.year, today.month) > (start.year, start.month)


def is_blackout(moment: float) -> bool:
    """True in the last three and first four days of a month."""
    today = datetime.fromtimestamp(moment, UTC)
    return today.day <= FIRST or (today + timedelta(days=LAST)).month != today.month


def credit_of(waba: Waba) -> Allocation | None:
    """The share of our credit line that pays for the account, or None if another line pays."""
    allocation = Allocation.find(waba.world, waba.allocation_id)
    return allocation if allocation and allocation.active and has_ended(waba) else None


def attach_credit(waba: Waba, allocation: Allocation, currency: str) -> None:
    """Attaches our line, with its currency."""
    waba.update(allocation_id=allocation.id, currency=currency)
