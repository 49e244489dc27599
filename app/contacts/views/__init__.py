from flask import Blueprint

bp = Blueprint("contacts", __name__, url_prefix="/t/<tenant_slug>/contacts")

from . import contacts, fields, sections, tables, tags  # noqa: E402, F401
