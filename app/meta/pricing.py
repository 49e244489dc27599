"""What Meta charges for. The amounts are on rate cards, published per currency."""

import datetime as dt

# The columns of a rate card. Meta bills under more names (groups, max-price bidding) that no card has a price for.
CATEGORIES = ("marketing", "utility", "authentication", "authentication_international", "service")
# Until this day the customer service window made answers and utility templates free; now neither.
WINDOW_CHARGED_FROM = dt.date(2026, 10, 1)
# So many answers of a number are free in a calendar month all the same.
FREE_ANSWERS = 1000


def is_free_in_window(category: str, day: dt.date) -> bool:
    return category in ("utility", "service") and day < WINDOW_CHARGED_FROM
