"""The page behind a setup link: its reader is not signed in, and sees nothing but the number's connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import abort, redirect, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.onboarding.blueprint import setup
from app.onboarding.setup_links import SetupLink
from app.tenancy import Tenant, db, public, tenant_scope

from .page import Page


@contextmanager
def page_behind(token: str) -> Iterator[Page]:
    """The page of a link's attempt, in the tenant's scope; 404 or 410 where the link is not valid."""
    if (ids := SetupLink.ids_in(token)) is None:
        abort(404)
    tenant_id, link_id = ids
    with tenant_scope(tenant_id):
        link = SetupLink.find(link_id)
        if link is None or not link.is_valid:
            abort(410)
        context = {"tenant": db.session.get_one(Tenant, tenant_id), "link": link}
        yield Page(link.onboarding, "setup", "onboarding/setup.html", {"token": token}, context)


@setup.errorhandler(410)
@setup.errorhandler(404)
def gone(_error: object) -> tuple[str, int]:
    return render_template("onboarding/dead_setup.html"), 410


@setup.get("")
@public
def show(token: str) -> AnyResponse:
    with page_behind(token) as page:
        page.context["link"].open()
        return page.render()


@setup.post("/steps/<name>/retry")
@public
def retry(token: str, name: str) -> AnyResponse:
    with page_behind(token) as page:
        page.onboarding.retry(name, by=_("someone with the setup link"))
        return redirect(page.at("show"), 303)


@setup.post("/restart")
@public
def create(token: str) -> AnyResponse:
    with page_behind(token) as page:
        page.context["link"].start_again()
        return redirect(page.at("show"), 303)
