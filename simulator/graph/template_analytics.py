from typing import Any

from simulator import template_insights
from simulator.errors import GraphError, invalid
from simulator.foreign_lines import credit_of
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.graph.pages import page
from simulator.graph.parameters import decode
from simulator.message_templates import MessageTemplate
from simulator.template_groups import TemplateGroup
from simulator.wabas import Waba

Json = dict[str, Any]
METRICS = ("sent", "delivered", "read", "clicked", "cost")
GROUP_METRICS = ("sent", "delivered", "read")
PRODUCTS = ("CLOUD_API", "MARKETING_MESSAGES_API_FOR_WHATSAPP")
DAY, LOOK_BACK, MOST_TEMPLATES = 86400, 90, 10
NOT_AVAILABLE, NOT_ENABLED = 200005, 200007
# Accounts in the European Economic Area, the United Kingdom and Japan have no template analytics.
WITHOUT = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK GB JP"


@edge(Waba, "GET", "template_analytics")
def of_templates(call: Call, waba: Waba) -> Answer:
    """Daily numbers of up to ten templates; without the cost where a partner pays."""
    start, end = _period(call, waba)
    wanted = _ids(call, "template_ids")
    own = [one for one in wanted if _is_own(waba, one)]
    if len(own) < len(wanted):
        raise invalid("Param template_ids must hold templates of this account.")
    product = str(call.params.get("product_type") or PRODUCTS[0]).upper()
    if product not in PRODUCTS:
        raise invalid(f"Param product_type must be one of {{{', '.join(PRODUCTS)}}}")
    metrics = _metrics(call, METRICS)
    if credit_of(waba) is not None:
        metrics = [name for name in metrics if name != "cost"]
    points = template_insights.points(call.world, own, start, end, metrics) if product == PRODUCTS[0] else []
    return _answer(call, {"granularity": "DAILY", "product_type": product.lower(), "data_points": points})


@edge(Waba, "GET", "template_group_analytics")
def of_groups(call: Call, waba: Waba) -> Answer:
    """Daily numbers of groups of templates."""
    start, end = _period(call, waba)
    metrics = _metrics(call, GROUP_METRICS)
    points: list[Json] = []
    for id in _ids(call, "template_group_ids"):
        group = TemplateGroup.find(call.world, id)
        if group is None or group.waba_id != waba.id:
            raise invalid("Param template_group_ids must hold groups of this account.")
        of_members = template_insights.points(call.world, group.members, start, end, metrics)
        points += _added_up(id, of_members, metrics)
    return _answer(call, {"granularity": "DAILY", "data_points": points})


def _added_up(group_id: str, points: list[Json], metrics: list[str]) -> list[Json]:
    """The points of all templates of a group, one per day."""
    by_day: dict[int, Json] = {}
    for point in points:
        day = by_day.setdefault(
            point["start"], {"template_group_id": group_id, "start": point["start"], "end": point["end"]}
        )
        for name in metrics:
            day[name] = day.get(name, 0) + point[name]
    return [by_day[start] for start in sorted(by_day)]


def _answer(call: Call, about: Json) -> Answer:
    """A page of one object, as Meta answers."""
    answer = page([about], call.params)
    answer["paging"].pop("next", None)
    return answer


def _period(call: Call, waba: Waba) -> tuple[float, float]:
    """The days that the times lie in, at most 90 back."""
    if waba.country in WITHOUT.split():
        raise GraphError(NOT_AVAILABLE, "(#200005) Template Insights are not available for this account.")
    if not waba.insights:
        raise GraphError(NOT_ENABLED, "(#200007) Template Insights are not enabled for this account.")
    if str(call.params.get("granularity") or "daily").upper() != "DAILY":
        raise invalid("Param granularity must be one of {DAILY}")
    start, end = (_seconds(call, name) for name in ("start", "end"))
    if start >= end:
        raise invalid("Param start must be before end.")
    oldest = call.world.clock.now() - LOOK_BACK * DAY
    if end < oldest:
        raise invalid(f"Template analytics look back at most {LOOK_BACK} days.")
    return max(start, oldest) // DAY * DAY, -(-end // DAY) * DAY


def _seconds(call: Call, name: str) -> float:
    value = str(call.require(name))
    if not value.isdecimal():
        raise invalid(f"Param {name} must be a UNIX timestamp.")
    return float(value)


def _ids(call: Call, name: str) -> list[str]:
    given = decode(call.require(name))
    ids = [str(one).strip() for one in (given if isinstance(given, list) else str(given).split(","))]
    if not 1 <= len(ids) <= MOST_TEMPLATES:
        raise invalid(f"Param {name} must hold 1 to {MOST_TEMPLATES} ids.")
    return ids


def _metrics(call: Call, offered: tuple[str, ...]) -> list[str]:
    """Without `metric_types` all of them."""
    given = decode(call.params.get("metric_types")) or list(offered)
    names = [str(one).strip().lower() for one in (given if isinstance(given, list) else str(given).split(","))]
    if wrong := [name for name in names if name not in offered]:
        raise invalid(f"Param metric_types must be one of {{{', '.join(offered).upper()}}} - got {wrong[0]}")
    return names


def _is_own(waba: Waba, template_id: str) -> bool:
    template = MessageTemplate.find(waba.world, template_id)
    return template is not None and template.waba_id == waba.id
