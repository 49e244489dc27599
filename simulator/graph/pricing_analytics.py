from typing import Any
from zoneinfo import ZoneInfo

from simulator import volumes
from simulator.errors import GraphError, invalid
from simulator.foreign_lines import credit_of
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.graph.pages import page
from simulator.graph.parameters import decode
from simulator.phone_numbers import PhoneNumber
from simulator.volumes import Key
from simulator.wabas import Waba
from simulator.zones import day_of, zone_of

DAY, LOOK_BACK = 86400, 365
DIMENSIONS = ("COUNTRY", "PHONE", "PRICING_CATEGORY", "PRICING_TYPE", "TIER")
METRICS = ("COST", "VOLUME")
GRANULARITIES = ("HALF_HOUR", "DAILY", "MONTHLY")
COST_HIDDEN = 200008


@edge(Waba, "GET", "pricing_analytics")
def pricing_analytics(call: Call, waba: Waba) -> Answer:
    """Daily volumes of delivered messages; without the cost where a partner's line pays."""
    start, end = _period(call, zone_of(waba.timezone_id))
    granularity = str(call.params.get("granularity") or "").upper()
    if granularity not in GRANULARITIES:
        raise invalid(f"Param granularity must be one of {{{', '.join(GRANULARITIES)}}}")
    if granularity != "DAILY":
        raise invalid("This simulation knows volumes by day only.")
    wanted, metrics = _list(call, "dimensions", DIMENSIONS), _list(call, "metric_types", METRICS)
    if "TIER" in wanted and not {"PRICING_CATEGORY", "COUNTRY"} <= set(wanted):
        raise invalid("Param dimensions: TIER needs PRICING_CATEGORY and COUNTRY.")
    is_hidden = credit_of(waba) is not None
    if is_hidden and metrics == ["COST"]:
        words = "The cost is no longer shown to businesses that bill through a partner. Contact your partner."
        raise GraphError(COST_HIDDEN, f"(#{COST_HIDDEN}) Cost not available: {words}")
    figures: dict[Key, list[int]] = {}
    for number in PhoneNumber.of_waba(waba):
        counted = volumes.count(call.world, number, start, end, by_tier="TIER" in wanted)
        for key, figure in counted.items():
            total = figures.setdefault(_narrowed(key, wanted), [0, 0])
            total[0], total[1] = total[0] + figure[0], total[1] + figure[1]
    shows_cost = not is_hidden and metrics != ["VOLUME"]
    points = [volumes.as_point(key, figures[key], wanted, shows_cost=shows_cost) for key in sorted(figures)]
    answer = page([{"data_points": points}], call.params)
    answer["paging"].pop("next", None)
    return answer


def _narrowed(key: Key, wanted: list[str]) -> Key:
    """Without what is no dimension, so that such figures are added up."""
    return Key(
        key.start,
        key.end,
        key.number if "PHONE" in wanted else "",
        key.country if "COUNTRY" in wanted else "",
        key.category if "PRICING_CATEGORY" in wanted else "",
        key.type if "PRICING_TYPE" in wanted else "",
        key.tier,
    )


def _period(call: Call, zone: ZoneInfo) -> tuple[float, float]:
    """Whole days of the account."""
    start, end = (_seconds(call, name) for name in ("start", "end"))
    if start >= end:
        raise invalid("Param start must be before end.")
    if start < call.world.clock.now() - (LOOK_BACK + 1) * DAY:
        raise invalid("Pricing analytics look back at most one year.")
    return day_of(start, zone)[0], day_of(end - 1, zone)[1]


def _seconds(call: Call, name: str) -> float:
    value = str(call.require(name))
    if not value.isdecimal():
        raise invalid(f"Param {name} must be a UNIX timestamp.")
    return float(value)


def _list(call: Call, name: str, offered: tuple[str, ...]) -> list[str]:
    given: Any = decode(call.params.get(name)) or []
    names = [str(one).strip().upper() for one in (given if isinstance(given, list) else str(given).split(","))]
    if wrong := [one for one in names if one not in offered]:
        raise invalid(f"Param {name} must be one of {{{', '.join(offered)}}} - got {wrong[0]}")
    return names
