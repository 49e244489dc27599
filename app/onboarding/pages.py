"""The page of an attempt: for members of the business, and for whoever was sent a setup link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import settings
from app.tenancy.guard import is_fragment

from . import answers
from .forms import Form
from .models import Onboarding

Address = Callable[..., str]


def take_answer(onboarding: Onboarding, name: str, at: Address, page: str, **more: Any) -> AnyResponse:
    """One answer, and what there is to see after it. `at` makes addresses of this page's own."""
    if scripted := answers.SCRIPTED.get(name):
        scripted(onboarding)
        return Response(status=204)
    if wrong := answers.FORMS[name](onboarding):
        return progress(onboarding, at, page, form=wrong, status=422, **more)
    return redirect(at("show"), 303)


def progress(
    onboarding: Onboarding, at: Address, page: str, *, form: Form | None = None, status: int = 200, **more: Any
) -> AnyResponse:
    """The page, or with htmx the part of it that changes."""
    template = "onboarding/_progress.html" if is_fragment() else page
    forms = answers.with_form(form)
    more |= {"signup": signup(at), "at": at, "hosted_url": settings.meta_hosted_signup_url}
    html = render_template(template, onboarding=onboarding, forms=forms, **more)
    response = make_response(html, status)
    if onboarding.needs_sign_up:
        admit_facebook(response)
    return response


def signup(at: Address) -> dict[str, Any]:
    """What the button that opens Facebook's window has to know."""
    return {
        "sdk": settings.meta_sdk_url,
        "app-id": settings.meta_app_id,
        "config-id": settings.meta_config_id,
        "version": settings.meta_graph_version,
        "origins": " ".join(settings.meta_dialog_origins),
        "code-url": at("code"),
        "claims-url": at("session-info"),
        "cancel-url": at("cancellation"),
    }


def admit_facebook(response: Response) -> None:
    """The only page on which anything of somebody else's runs, and whose popup may answer its opener."""
    sdk, graph = origin(settings.meta_sdk_url), origin(settings.meta_graph_url)
    dialog = " ".join(settings.meta_dialog_origins)
    response.headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {sdk}",
            "style-src 'self'",
            f"img-src 'self' data: {dialog}",
            f"connect-src 'self' {graph} {dialog}",
            f"frame-src {dialog} {sdk}",
            f"form-action 'self' {dialog}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"


def origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
