"""A browser for view tests. It reads every page it opens with a strict parser and fails on an invalid one."""

from __future__ import annotations

import contextvars
import hashlib
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import html5lib
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from app.team.models import PlatformAdmin, UserSession
from app.tenancy import User, global_scope

FRAGMENT = {"HX-Request": "true"}

# Text that is not only white space, and values. In both, no character that means something in HTML, but for what our
# templates write instead of one.
INSTEAD = r"&(?:amp|lt|gt|quot|nbsp|#34|#39);"
WORDS = re.compile(rf">\s*+(?:[^<>&]++|{INSTEAD})++<")
VALUE = re.compile(rf"""="(?:[^"<>&]++|{INSTEAD})*+"|='(?:[^'<>&]++|{INSTEAD})*+'""")
# A template is no part of the page until a script copies it.
UNSEEN = re.compile(r"<template\b.*?</template>", re.DOTALL)
CHECKED: set[bytes] = set()

P = ParamSpec("P")
R = TypeVar("R")


class Browser:
    def __init__(self, app: Flask, tenant: str = "") -> None:
        self.app, self.tenant = app, tenant
        self.client: FlaskClient = app.test_client()

    def signed_in_as(self, who: User | PlatformAdmin) -> Browser:
        with global_scope():
            token = UserSession.begin(who, user_agent="tests", ip="127.0.0.1")
        with self.client.session_transaction() as session:
            session["_user_id"] = token
            session["_fresh"] = True
        return self

    def confirmed(self) -> Browser:
        """Having given the password once more a moment ago."""
        with self.client.session_transaction() as session:
            session["confirmed_at"] = int(time.time())
        return self

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.checked(isolated(self.client.get, self.at(path), **options))

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Posts a form with the token that its page would carry."""
        headers = {"X-CSRFToken": isolated(self.csrf_token)} | options.pop("headers", {})
        return self.checked(isolated(self.client.post, self.at(path), data=data, headers=headers, **options))

    def put(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        headers = {"X-CSRFToken": isolated(self.csrf_token)} | options.pop("headers", {})
        return isolated(self.client.put, self.at(path), data=data, headers=headers, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        headers = {"X-CSRFToken": isolated(self.csrf_token)} | options.pop("headers", {})
        return isolated(self.client.delete, self.at(path), headers=headers, **options)

    def at(self, path: str) -> str:
        """`~/inbox` is the inbox of this browser's tenant."""
        return path.replace("~", f"/t/{self.tenant}", 1)

    def csrf_token(self) -> str:
        """As Flask-WTF makes it, without the two requests more that asking it would take."""
        with self.client.session_transaction() as session:
            raw = session.setdefault("csrf_token", secrets.token_hex(20))
        return str(URLSafeTimedSerializer(self.app.config["SECRET_KEY"], salt="wtf-csrf-token").dumps(raw))

    def checked(self, response: TestResponse) -> TestResponse:
        if response.mimetype == "text/html" and response.data and not response.is_streamed:
            check_page(response.get_data(as_text=True))
        return response


def isolated(call: Callable[P, R], *args: P.args, **options: P.kwargs) -> R:
    """Calls as the server would: a request inside the test's own app context would share its `g` with the next."""
    return contextvars.Context().run(call, *args, **options)


def check_page(html: str) -> None:
    """What holds for every page and fragment we serve."""
    whole = html.lstrip().startswith("<!doctype")
    markup = markup_of(html)
    if (digest := hashlib.sha256(markup.encode()).digest()) not in CHECKED:
        check_markup(markup, whole)
        CHECKED.add(digest)
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html), "inline style or script"
    assert "<script>" not in html
    if whole:
        assert re.search(r"<title>\s*\S", html), "a page without a title"
        assert re.search(r"<html lang=", html)
    ids = Counter(re.findall(r'<[a-z][^>]*\sid="([^"]+)"', UNSEEN.sub("", html)))
    assert not (doubled := [one for one, count in ids.items() if count > 1]), f"an id twice: {doubled}"
    for control in re.findall(r"<(?:input|textarea|select)\b[^>]*>", html):
        assert is_labelled(control, html), f"no label: {control}"


def markup_of(html: str) -> str:
    """The page without its words and plain values, which no rule of HTML is about: most pages differ in them only."""
    return WORDS.sub(">x<", VALUE.sub('="x"', html))


def check_markup(markup: str, whole: bool) -> None:
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(markup) if whole else parser.parseFragment(markup)
    serious = [error for error in parser.errors if error[1] != "non-void-element-with-trailing-solidus"]
    assert not serious, serious[:3]
    # ARIA: what has no role cannot be named, so screen readers pass the name over.
    assert not (unheard := re.findall(r"<(?:span|div|p|li|td|dd)(?=\s)(?![^>]*\srole=)[^>]*\saria-label=", markup)), (
        unheard
    )


def is_labelled(control: str, html: str) -> bool:
    if re.search(r'type="(hidden|submit)"', control) or "aria-label" in control:
        return True
    results = re.search(r'\bid="([^"]+)"', control)
    return bool(results and f'for="{results[1]}"' in html)
