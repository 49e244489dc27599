"""The help, for anybody: as pages, and inside a panel over the page one came from."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, request

from app.extensions import settings
from app.help.blueprint import bp
from app.help.topics import BY_NAME, LONGEST_QUERY, TOPICS, help_address, search
from app.inbox.desk.shortcuts import COMMANDS
from app.tenancy import public
from app.tenancy.guard import is_fragment


@bp.get("/")
@public
def index() -> str:
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    return page(query=query, hits=search(query), topic=None)


@bp.get("/<name>")
@public
def topic(name: str) -> str:
    if name not in BY_NAME:
        abort(404)
    return page(query="", hits=[], topic=BY_NAME[name])


def page(**shown: Any) -> str:
    layout = "help/panel.html" if is_fragment() else "help/page.html"
    has_stripe = bool(settings.stripe_secret_key)
    return render_template(layout, topics=TOPICS, longest=LONGEST_QUERY, has_stripe=has_stripe, **shown)


@bp.app_context_processor
def add_help() -> dict[str, Any]:
    return {"help_address": help_address}


@bp.app_template_global()
def default_keys() -> list[tuple[str, str]]:
    """Each command's key, as it is before anybody changes it, and its words."""
    return [(key, str(words)) for key, words in COMMANDS.values()]
