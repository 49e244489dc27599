from flask import Blueprint

bp = Blueprint("wabas", __name__)
