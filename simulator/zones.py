"""Days and months of an account: they begin at midnight in its own time zone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Some of Meta's numbers for time zones.
ZONES = {
    "1": "America/Los_Angeles",
    "6": "America/Chicago",
    "7": "America/New_York",
    "8": "Asia/Dubai",
    "25": "America/Sao_Paulo",
    "47": "Europe/Berlin",
    "58": "Europe/London",
    "71": "Asia/Kolkata",
    "78": "Africa/Nairobi",
    "100": "Pacific/Auckland",
}


def zone_of(timezone_id: str) -> ZoneInfo:
    """UTC for a number that is not in the list."""
    return ZoneInfo(ZONES.get(timezone_id, "UTC"))


def day_of(moment: float, zone: ZoneInfo) -> tuple[int, int]:
    """The day that a moment is in, from midnight to midnight: 23 or 25 hours where clocks change."""
    today = datetime.fromtimestamp(moment, zone).date()
    return _midnight(today, zone), _midnight(today + timedelta(days=1), zone)


def month_of(moment: float, zone: ZoneInfo) -> str:
    """The month of a moment, as YYYY-MM."""
    return datetime.fromtimestamp(moment, zone).strftime("%Y-%m")


def bounds_of(month: str, zone: ZoneInfo) -> tuple[int, int]:
    """Begin and end of a month."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=32)).replace(day=1)
    return _midnight(first, zone), _midnight(following, zone)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp())
