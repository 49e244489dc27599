"""Emoji while writing: what `:` and a word may mean, and a small board to choose from."""

from __future__ import annotations

from flask import render_template, request

from app.inbox.blueprint import bp
from app.inbox.compose.emoji import suggest
from app.tenancy import requires


@bp.get("/emoji")
@requires("inbox.reply")
def emoji() -> str:
    return render_template("inbox/compose/_emoji_board.html", found=suggest(request.args.get("q", "")))


@bp.get("/emoji/suggestions")
@requires("inbox.reply")
def suggest_emoji() -> str:
    return render_template("inbox/compose/_emoji_suggestions.html", found=suggest(request.args.get("q", ""))[:8])
