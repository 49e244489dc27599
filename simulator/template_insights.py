"""What became of a template's messages, day by day: sent, delivered, read, clicked and what they cost."""

from collections.abc import Iterable
from typing import Any

from simulator import credit_line
from simulator.context import Context
from simulator.messages import Message

Json = dict[str, Any]
DAY = 86400
# After that many days a read or a tap no longer changes the numbers.
COUNTED_FOR = 7 * DAY
BUTTON_CATEGORIES = ("MARKETING", "UTILITY")


def click(message: Message, kind: str, button: str) -> None:
    """Records a tap on a button of a message that was sent with a template."""
    if message.template_id:
        message.world.store.insert(
            "template_clicks",
            message_id=message.id,
            template_id=message.template_id,
            customer_id=message.customer_id,
            kind=kind,
            button=button,
            at=message.world.clock.now(),
        )


def points(world: Context, template_ids: list[str], start: float, end: float, metrics: Iterable[str]) -> list[Json]:
    """One point per template and day on which it was sent."""
    made = []
    for template_id in template_ids:
        sql = "template_id = ? and sent_at >= ? and sent_at < ? order by sent_at"
        by_day: dict[int, list[Message]] = {}
        for message in Message.where(world, sql, template_id, start, end):
            by_day.setdefault(int((message.sent_at or 0) // DAY) * DAY, []).append(message)
        made += [_point(world, template_id, day, messages, metrics) for day, messages in by_day.items()]
    return made


def _point(world: Context, template_id: str, day: int, messages: list[Message], metrics: Iterable[str]) -> Json:
    shown: Json = {"template_id": template_id, "start": day, "end": day + DAY}
    arrived = [message for message in messages if message.delivered_at or message.read_at]
    counts = {
        "sent": len(messages),
        "delivered": len(arrived),
        "read": sum(_within(message, message.read_at) for message in messages),
    }
    shown |= {name: count for name, count in counts.items() if name in metrics}
    clicks = _clicks(world, messages) if "clicked" in metrics else []
    if clicks:
        shown["clicked"] = clicks
    if "cost" in metrics:
        shown["cost"] = _cost(arrived, clicks)
    return shown


def _within(message: Message, moment: float | None) -> bool:
    return moment is not None and moment <= (message.sent_at or 0) + COUNTED_FOR


def _clicks(world: Context, messages: list[Message]) -> list[Json]:
    """Taps by button; addresses also by how many people tapped."""
    taps: dict[tuple[str, str], list[str]] = {}
    for message in messages:
        sql = "select kind, button, customer_id, at from template_clicks where message_id = ?"
        for row in world.store.rows(sql, message.id):
            if _within(message, row["at"]):
                taps.setdefault((row["kind"], row["button"]), []).append(row["customer_id"])
    shown = [_click(kind, button, len(people)) for (kind, button), people in taps.items()]
    unique = [
        _click("unique_url_button", button, len(set(people)))
        for (kind, button), people in taps.items()
        if kind == "url_button"
    ]
    return shown + unique


def _click(kind: str, button: str, count: int) -> Json:
    return {"type": kind, "button_content": button, "count": count}


def _cost(arrived: list[Message], clicks: list[Json]) -> list[Json]:
    billed = [message for message in arrived if message.pricing_type == "regular"]
    spent = sum(credit_line.price_of(message) for message in billed) / credit_line.MILLION
    shown = [{"type": "amount_spent", "value": round(spent, 6)}]
    if arrived:
        shown.append({"type": "cost_per_delivered", "value": round(spent / len(arrived), 6)})
    if taps := sum(one["count"] for one in clicks if one["type"] == "url_button"):
        shown.append({"type": "cost_per_url_button_click", "value": round(spent / taps, 6)})
    return shown
