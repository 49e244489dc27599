from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, OWNERS, permission

bp = Blueprint("team", __name__)

permission("account.manage", *EVERYBODY)
permission("team.manage", *ADMINS)
permission("team.owners", *OWNERS)
permission("looks.read", *OWNERS)
