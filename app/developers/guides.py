"""Texts for programmers: a feature's `templates/developers.md` is a page here; its first heading is the title."""

from __future__ import annotations

import functools
from typing import Any

from flask import current_app, render_template

from app.api import rates
from app.api.idempotency import RETENTION
from app.api.pages import MOST
from app.api.versions import HEADER, NEWEST
from app.extensions import settings

from .reference import PREFIX, calls, tag_pages

FILE = "developers.md"
START = "developers"


@functools.cache
def guide_names() -> tuple[str, ...]:
    """The features that have a text, this one's own aside."""
    files = current_app.jinja_env.list_templates(filter_func=lambda name: name.endswith(f"/{FILE}"))
    names = (name.removesuffix(f"/{FILE}") for name in files)
    return tuple(sorted(name for name in names if "/" not in name and name != START))


@functools.cache
def guide(name: str, language: str) -> str:
    """The text, as Markdown."""
    others = [(other, title_of(guide(other, language))) for other in guide_names()] if name == START else []
    return render_template(f"{name}/{FILE}", guides=others, **facts())


def facts() -> dict[str, Any]:
    """What texts may quote, so that they say what the code does."""
    return {
        "base": f"{settings.public_url}{PREFIX}",
        "calls": calls(),
        "tags": tag_pages(),
        "key_rate": rates.KEY,
        "tenant_rate": rates.TENANT,
        "days": RETENTION.days,
        "most": MOST,
        "version": NEWEST,
        "version_header": HEADER,
    }


def title_of(markdown: str) -> str:
    return markdown.lstrip().partition("\n")[0].removeprefix("# ").strip()
