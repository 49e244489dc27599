"""What a member sees who may not open a page of the business: the reason, and the way back."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, render_template
from werkzeug.exceptions import HTTPException

from app import errors
from app.tenancy.guard import is_fragment


def keep_navigation(blueprint: Blueprint) -> None:
    """Shows a refusal inside the business's pages instead of on a bare card."""
    blueprint.register_error_handler(403, forbidden)


def forbidden(error: HTTPException) -> Response:
    if is_fragment() or g.get("membership") is None:
        return errors.refused(error)
    return make_response(render_template("team/forbidden.html"), 403)
