"""Callback overrides: whether Meta sends an account's or a number's webhooks to another server than ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.extensions import settings


def foreign_callback(*overrides: str | None, application: str | None = None) -> str:
    """The first of these addresses that is neither ours nor the app's own; "" where none is."""
    ours = {plain(settings.callback_url), plain(application or "")}
    return next((url for url in overrides if url and plain(url) not in ours), "")


def host_of(url: str) -> str:
    """The server's name, as people read it; the whole text where it has none."""
    return urlsplit(url).netloc or url


def plain(url: str) -> str:
    parts = urlsplit(url.strip())
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}"
