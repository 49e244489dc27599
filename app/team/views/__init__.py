from flask import Blueprint

bp = Blueprint("team", __name__)

from . import account, invitations, looks, members, resets, sign_in, sign_up, teams  # noqa: E402, F401
