"""The page of an attempt: for members of the business, and behind a setup link; and what both post to."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from flask import Response, abort, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import settings
from app.onboarding.blueprint import bp, setup
from app.onboarding.forms import Form, HostedForm, NewNumberForm, PinForm, VerificationCodeForm, VerificationForm
from app.onboarding.models import Onboarding
from app.onboarding.setup_links import SetupLink
from app.qr import qr_image
from app.tenancy import Tenant, db, public, requires, tenant_scope
from app.tenancy.guard import is_fragment

View = Callable[["Page"], AnyResponse]


def answer(path: str) -> Callable[[View], View]:
    """Adds a view to both blueprints, under this path and the function's own name. It gets the page, and responds."""

    def add(view: View) -> View:
        @bp.post(f"/<uuid:onboarding_id>/{path}", endpoint=view.__name__)
        @requires("numbers.manage")
        def from_member(onboarding_id: uuid.UUID) -> AnyResponse:
            return view(Page.of(onboarding_id))

        @setup.post(f"/{path}", endpoint=view.__name__)
        @public
        def by_link(token: str) -> AnyResponse:
            with Page.behind(token) as page:
                return view(page)

        return view

    return add


@dataclass(frozen=True)
class Page:
    """An attempt as one of the two blueprints shows it; `values` are in the address of each of its views."""

    onboarding: Onboarding
    blueprint: str
    template: str
    values: Mapping[str, Any]
    context: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, onboarding_id: uuid.UUID) -> Self:
        """The page of an attempt of the current tenant, or 404."""
        onboarding = Onboarding.get_or_404(onboarding_id)
        return cls(onboarding, "onboarding", "onboarding/show.html", {"onboarding_id": onboarding.id})

    @classmethod
    @contextmanager
    def behind(cls, token: str) -> Iterator[Self]:
        """The page of a setup link's attempt, in the tenant's scope; 404 or 410 where the link is not valid."""
        if (ids := SetupLink.ids_in(token)) is None:
            abort(404)
        tenant_id, link_id = ids
        with tenant_scope(tenant_id):
            link = SetupLink.find(link_id)
            if link is None or not link.is_valid:
                abort(410)
            context = {"tenant": db.session.get_one(Tenant, tenant_id), "link": link}
            yield cls(link.onboarding, "setup", "onboarding/setup.html", {"token": token}, context)

    def at(self, endpoint: str, **values: Any) -> str:
        """The address of a view of this blueprint."""
        return url_for(f"{self.blueprint}.{endpoint}", **self.values, **values)

    def render(self, form: Form | None = None) -> Response:
        """The whole page, or with htmx the part that changes; a form that was refused comes back as it was typed."""
        onboarding = self.onboarding
        # A worker may commit between the attempt's row and its steps: this depends on the row alone.
        is_connected = onboarding.state == "connected"
        html = render_template(
            "onboarding/_progress.html" if is_fragment() else self.template,
            onboarding=onboarding,
            forms=forms_with(form),
            signup=self.signup(),
            hello_qr=qr_image(onboarding.phone_number.hello_link) if is_connected else "",
            at=self.at,
            hosted_url=settings.meta_hosted_signup_url,
            **self.context,
        )
        response = make_response(html, 422 if form else 200)
        if onboarding.needs_sign_up:
            admit_facebook(response)
        return response

    def back(self) -> AnyResponse:
        """Shows the page again, as the attempt is now."""
        return redirect(self.at("show"), 303)

    def move_to(self, other: Onboarding) -> Response:
        """Sends the page's script (by `Content-Location`) to the attempt that received its code."""
        values = self.values
        if link := self.context.get("link"):
            link.onboarding_id = other.id
        else:
            values = {"onboarding_id": other.id}
        response = Response(status=204)
        response.headers["Content-Location"] = url_for(f"{self.blueprint}.show", **values)
        return response

    def signup(self) -> dict[str, Any]:
        """The data attributes of the button that opens the Facebook window."""
        return {
            "sdk": settings.meta_sdk_url,
            "app-id": settings.meta_app_id,
            "config-id": settings.meta_config_id,
            "version": settings.meta_graph_version,
            "origins": " ".join(settings.meta_dialog_origins),
            "code-url": self.at("receive_code"),
            "claims-url": self.at("receive_claims"),
            "cancel-url": self.at("cancel"),
        }


def forms_with(form: Form | None) -> dict[str, Form]:
    """Every form of the page, with the one that was posted in its place."""
    blank: dict[str, Form] = {
        "pin": PinForm(formdata=None),
        "new_number": NewNumberForm(formdata=None),
        "verification": VerificationForm(formdata=None),
        "verification_code": VerificationCodeForm(formdata=None),
        "hosted": HostedForm(formdata=None),
    }
    return {name: form if form and type(form) is type(empty) else empty for name, empty in blank.items()}


def admit_facebook(response: Response) -> None:
    """Sets the headers that allow Facebook's script and popup. No other page allows another site."""
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
