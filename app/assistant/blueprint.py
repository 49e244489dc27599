"""The pages of the assistant, and who may open them."""

from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, permission

bp = Blueprint("assistant", __name__, url_prefix="/t/<tenant_slug>/assistant")

permission("assistant.manage", *ADMINS)
