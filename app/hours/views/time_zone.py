"""Saves the zone of a person's browser, for what they read without one."""

from __future__ import annotations

from flask import abort, request
from flask_login import current_user
from sqlalchemy import update

from app import zones
from app.hours.blueprint import time_zone
from app.tenancy import User, db, signed_in


@time_zone.put("")
@signed_in
def save() -> tuple[str, int]:
    zone = request.form.get("zone", "")
    if not zones.find_zone(zone):
        abort(422)
    if not current_user.is_platform_admin:
        mine = update(User).where(User.id == current_user.id)
        db.session.execute(mine.values(time_zone=zone))
    return "", 204
