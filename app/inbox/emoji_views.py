"""Emoji while writing: what `:` and a word may mean, and a small board to choose from."""

from __future__ import annotations

from flask import render_template, request

from app.tenancy import requires

from .emoji import suggest
from .views import bp


@bp.get("/emoji")
@requires("inbox.reply")
def emoji() -> str:
    return render_template("inbox/_emoji_board.html", found=suggest(request.args.get("q", "")))


@bp.get("/emoji/suggestions")
@requires("inbox.reply")
def suggest_emoji() -> str:
    return render_template("inbox/_emoji_suggestions.html", found=suggest(request.args.get("q", ""))[:8])
