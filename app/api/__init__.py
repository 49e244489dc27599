"""The API: what an endpoint is, who may call it, and the document that describes them all.

Features declare their endpoints beside their nouns, in `api/` or `api.py`; nothing here knows a feature.
"""

from .declaring import Created, Endpoint, Shape, endpoint
from .etags import check_match
from .keys import ApiKey, current_key
from .pages import Page, PageQuery, Place
from .problems import Fault, MissingScope, Problem, problem
from .scopes import scope

__all__ = [
    "ApiKey",
    "Created",
    "Endpoint",
    "Fault",
    "MissingScope",
    "Page",
    "PageQuery",
    "Place",
    "Problem",
    "Shape",
    "check_match",
    "current_key",
    "endpoint",
    "problem",
    "scope",
]
