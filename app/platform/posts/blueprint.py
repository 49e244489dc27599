from __future__ import annotations

from flask import Blueprint

from app.platform.blueprint import leave_a_trace

posts = Blueprint("posts", __name__, url_prefix="/platform")
held = Blueprint("held", __name__, url_prefix="/platform")
posts.before_request(leave_a_trace)
held.before_request(leave_a_trace)
