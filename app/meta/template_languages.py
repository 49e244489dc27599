"""The languages that templates may be in, and which to fall back to."""

from __future__ import annotations

LANGUAGES: dict[str, str] = {}


def fallbacks(code: str) -> list[str]:
    """The codes to try in this order where a template does not exist in `code`; without `code` itself."""
    raise NotImplementedError
