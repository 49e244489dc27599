"""The page behind a setup link: its reader is not signed in, and sees nothing but the number's connection."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.onboarding.blueprint import setup
from app.tenancy import public

from .page import Page


@setup.errorhandler(410)
@setup.errorhandler(404)
def gone(_error: object) -> tuple[str, int]:
    return render_template("onboarding/dead_setup.html"), 410


@setup.get("")
@public
def show(token: str) -> AnyResponse:
    with Page.behind(token) as page:
        page.context["link"].open()
        return page.render()


@setup.post("/steps/<name>/retry")
@public
def retry(token: str, name: str) -> AnyResponse:
    with Page.behind(token) as page:
        page.onboarding.retry(name, by=_("someone with the setup link"))
        return page.back()


@setup.post("/restart")
@public
def create(token: str) -> AnyResponse:
    with Page.behind(token) as page:
        page.context["link"].start_again()
        return page.back()
