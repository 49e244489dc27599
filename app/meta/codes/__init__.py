"""Every error code Meta documents for WhatsApp, as data."""

from . import account, features, sending, templates
from .explanation import Explanation

CODES: dict[int, Explanation] = {**account.CODES, **sending.CODES, **templates.CODES, **features.CODES}
SUBCODES: dict[tuple[int, int], Explanation] = account.SUBCODES
