from __future__ import annotations

from flask import Blueprint

bp = Blueprint("front", __name__)
