from __future__ import annotations

from flask import Blueprint

from app.platform.blueprint import log_page

posts = Blueprint("posts", __name__, url_prefix="/platform")
held = Blueprint("held", __name__, url_prefix="/platform")
posts.before_request(log_page)
held.before_request(log_page)
