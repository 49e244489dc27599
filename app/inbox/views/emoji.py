"""Emoji for the composer: suggestions for `:` and a word, and a board to choose from."""

from __future__ import annotations

from flask import render_template, request

from app.inbox.blueprint import bp
from app.inbox.compose import emoji as names
from app.tenancy import requires

RECENT = 30


@bp.get("/emoji")
@requires("inbox.reply")
def emoji() -> str:
    return render_template("inbox/compose/_emoji_board.html", matches=names.suggest_emoji(request.args.get("q", "")))


@bp.get("/emoji/suggestions")
@requires("inbox.reply")
def suggest_emoji() -> str:
    """`recent`: what this browser inserted last, the newest first."""
    recent = request.args.get("recent", "").split(",")[:RECENT]
    matches = names.suggest_emoji(request.args.get("q", ""), recent)[:8]
    return render_template("inbox/compose/_emoji_suggestions.html", matches=matches)
