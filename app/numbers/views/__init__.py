"""One number, all about it: how it stands, what customers see of it, and how it leaves."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("numbers", __name__, url_prefix="/t/<tenant_slug>/numbers/<uuid:phone_number_id>")

from . import greeting, links, passport, people, profile, trial  # noqa: E402, F401
