"""The page behind a setup link: nobody is signed in, and nothing can be seen but the number's connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from flask import abort, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.onboarding.answers import NAMES
from app.onboarding.blueprint import setup
from app.onboarding.pages import progress, take_answer
from app.onboarding.setup_links import SetupLink
from app.tenancy import Tenant, db, public, tenant_scope

PAGE = "onboarding/setup.html"


@contextmanager
def behind(token: str) -> Iterator[tuple[SetupLink, Tenant]]:
    """Works in the tenant's scope, for as long as the link works."""
    if (ids := SetupLink.ids_in(token)) is None:
        abort(404)
    tenant_id, link_id = ids
    with tenant_scope(tenant_id):
        link = SetupLink.find(link_id)
        if link is None or not link.works:
            abort(410)
        yield link, db.session.get_one(Tenant, tenant_id)


def address(token: str, to: str, **values: Any) -> str:
    if to in ("show", "retry", "start_again"):
        return url_for(f"setup.{to}", token=token, **values)
    return url_for("setup.answer", token=token, answer=to)


@setup.errorhandler(410)
@setup.errorhandler(404)
def gone(_error: object) -> tuple[str, int]:
    return render_template("onboarding/dead_setup.html"), 410


@setup.get("")
@public
def show(token: str) -> AnyResponse:
    with behind(token) as (link, tenant):
        link.open()
        return progress(link.onboarding, partial(address, token), PAGE, tenant=tenant, link=link)


@setup.post(f"/<any({NAMES}):answer>")
@public
def answer(token: str, answer: str) -> AnyResponse:
    with behind(token) as (link, tenant):
        more = {"tenant": tenant, "link": link}
        return take_answer(link.onboarding, answer, partial(address, token), PAGE, **more)


@setup.post("/steps/<name>/retry")
@public
def retry(token: str, name: str) -> AnyResponse:
    with behind(token) as (link, _tenant):
        link.onboarding.retry(name, by=_("somebody with the setup link"))
    return redirect(address(token, "show"), 303)


@setup.post("/restart")
@public
def start_again(token: str) -> AnyResponse:
    with behind(token) as (link, _tenant):
        link.start_again()
    return redirect(address(token, "show"), 303)
