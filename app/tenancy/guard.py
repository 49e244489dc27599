"""Who may open which page. Every view carries one of these marks; a request to one without fails.

A request works in one scope from here to its end: it is committed when the view returns (also an error it returns),
rolled back when the view raises.
"""

from __future__ import annotations

import contextlib
import functools
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_login import current_user
from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import csrf, settings

from .actor import Actor
from .database import db
from .models import Membership, Tenant, TenantSlug, UserTenant
from .places import place_in, places
from .scope import current
from .transactions import commit, global_scope, platform_scope, tenant_scope

View = Callable[..., Any]

CONFIRMED_SECONDS = 10 * 60


def requires(permission: str) -> Callable[[View], View]:
    """A tenant's page, for members who have this permission (see `PERMISSIONS`)."""

    def mark(view: View) -> View:
        view.access = permission  # type: ignore[attr-defined]
        return view

    return mark


def confirmed(view: View) -> View:
    """Beneath `requires`: only for who has just shown again that they know their password."""
    view.confirmed = True  # type: ignore[attr-defined]
    return view


def open_when_closed(view: View) -> View:
    """Beneath `requires`: also for members of a closed business, while its data can be downloaded."""
    view.open_when_closed = True  # type: ignore[attr-defined]
    return view


def open_without_second_step(view: View) -> View:
    """Beneath `requires`: also for members who still have to set up two-step sign-in, because their business asks."""
    view.open_without_second_step = True  # type: ignore[attr-defined]
    return view


def public(view: View) -> View:
    """A page for anybody."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def for_keys(view: View) -> View:
    """An address for programs: it opens the scope of their key's tenant by itself (`app.api`)."""
    view.access = "api key"  # type: ignore[attr-defined]
    return view


def stateless(view: View) -> View:
    """An address for anybody, which opens no database session."""
    view.access = "stateless"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """A page for any signed-in user, outside any tenant."""
    view.access = "signed in"  # type: ignore[attr-defined]
    return view


def platform_only(view: View) -> View:
    """A page of the console, for platform admins; it sees every tenant."""
    view.access = "platform"  # type: ignore[attr-defined]
    return view


def takes_files(most_bytes: int) -> Callable[[View], View]:
    """A view whose form may hold that much. Nothing of it is read before the caller is known, nor with a transaction
    open: a slow sender would keep it open for minutes."""

    def mark(view: View) -> View:
        @functools.wraps(view)
        def reading(**arguments: Any) -> Any:
            commit()
            request.max_content_length = most_bytes
            csrf.protect()
            return view(**arguments)

        return csrf.exempt(reading)  # type: ignore[no-any-return]

    return mark


def access_of(endpoint: str) -> str:
    return getattr(current_app.view_functions[endpoint], "access", "")


def admit_request() -> AnyResponse | None:
    if "\x00" in request.path:
        abort(404)
    if not is_our_host():
        abort(400)
    if not request.endpoint:
        enter_nowhere()
        return None
    if request.endpoint == "static":
        return None
    match access_of(request.endpoint):
        case "":
            raise RuntimeError(f"{request.endpoint} says nothing about who may open it")
        case "stateless" | "api key":
            pass
        case "public":
            enter(global_scope())
        case "signed in":
            return enter_signed_in()
        case "platform":
            return enter_console()
        case permission:
            return enter_tenant(permission)
    return None


def is_our_host() -> bool:
    """Whether the browser asked for us by name. Checks of our health come by any name, and without https loopback."""
    ours, host = urlsplit(settings.public_url), request.host
    if request.endpoint and access_of(request.endpoint) == "stateless":
        return True
    return host == ours.netloc.lower() or (ours.scheme == "http" and host.split(":")[0] in LOOPBACK)


LOOPBACK = ("localhost", "127.0.0.1")


def enter(scope: contextlib.AbstractContextManager[Any]) -> None:
    g.scope = contextlib.ExitStack()
    g.scope.enter_context(scope)


def enter_signed_in() -> AnyResponse | None:
    with global_scope():
        is_signed_in = current_user.is_authenticated
    if not is_signed_in:
        return send_to_sign_in("team.sign_in")
    enter(global_scope())
    return None


def enter_console() -> AnyResponse | None:
    with global_scope():
        is_admin = current_user.is_authenticated and current_user.is_platform_admin
    if not is_admin:
        return send_to_sign_in("platform.sign_in")
    enter(platform_scope(f"console: {request.endpoint}"))
    return None


def enter_tenant(permission: str) -> AnyResponse | None:
    assert request.view_args is not None
    slug = request.view_args.pop("tenant_slug")
    with global_scope():
        if not current_user.is_authenticated or current_user.is_platform_admin:
            return send_to_sign_in("team.sign_in")
        tenant_id = db.session.scalar(tenant_of_member(slug))
    if tenant_id is None:
        abort(404)
    if request.method == "GET" and not is_fragment():
        g.live_since = current_app.extensions["hub"].position(tenant_id)
    enter(tenant_scope(tenant_id))
    g.membership = db.session.scalar(select(Membership).where(Membership.user_id == current_user.id))
    if g.membership is None:
        abort(404)
    g.tenant = db.session.get_one(Tenant, tenant_id)
    assert request.endpoint
    if g.tenant.closed_at and not is_open_when_closed(request.endpoint):
        return send_to(url_for(CLOSED))
    if lacks_second_step() and not is_marked(request.endpoint, "open_without_second_step"):
        return send_to(url_for(SECOND_STEP, next=page_of_request()))
    if not g.membership.may(permission):
        abort(403)
    if is_marked(request.endpoint, "confirmed") and not is_confirmed():
        back = request.path if request.method == "GET" else request.came_from  # type: ignore[attr-defined]
        return redirect(url_for("team.confirm", next=back), 303)
    return None


# What members of a closed business see in place of any other page.
CLOSED = "closing.closed"
# Where members set up two-step sign-in whose business asks for it.
SECOND_STEP = "team.two_step"


def is_marked(endpoint: str, mark: str) -> bool:
    return getattr(current_app.view_functions[endpoint], mark, False)


def lacks_second_step() -> bool:
    """Whether this member has to set up two-step sign-in first."""
    return g.tenant.requires_second_step and g.membership.user.second_step_at is None


def is_open_when_closed(endpoint: str) -> bool:
    """What members see before anything else is open too: else the two would lead to each other for ever."""
    if endpoint == CLOSED or (lacks_second_step() and is_marked(endpoint, "open_without_second_step")):
        return True
    return is_marked(endpoint, "open_when_closed") and bool(g.tenant.has_downloads)


def tenant_of_member(slug: str) -> Select[uuid.UUID]:
    """The tenant with this slug, if the person is a member; as fast for others' slugs as for unused ones."""
    mine = select(TenantSlug.tenant_id).join(UserTenant, UserTenant.tenant_id == TenantSlug.tenant_id)
    return mine.where(TenantSlug.slug == slug, UserTenant.user_id == current_user.id)


def enter_nowhere() -> None:
    """No page has this address. For a member it still belongs to their tenant, so that its error page has the rail."""
    with global_scope():
        if not current_user.is_authenticated or current_user.is_platform_admin:
            return
        first, _, rest = request.path.lstrip("/").partition("/")
        tenant_id = db.session.scalar(tenant_of_member(rest.partition("/")[0] if first == "t" else ""))
    if tenant_id:
        enter(tenant_scope(tenant_id))
        g.tenant = db.session.get_one(Tenant, tenant_id)
        g.membership = db.session.scalars(select(Membership).where(Membership.user_id == current_user.id)).one()


def confirm() -> None:
    """The person at this browser has just given their password."""
    session["confirmed_at"] = int(time.time())


def is_confirmed() -> bool:
    since = time.time() - float(session.get("confirmed_at", 0))
    return 0 <= since < CONFIRMED_SECONDS


def send_to_sign_in(endpoint: str) -> AnyResponse:
    return send_to(url_for(endpoint, next=page_of_request()))


def send_to(target: str) -> AnyResponse:
    """Leads to another page, also from a fragment. A stream just ends."""
    if is_fragment():
        return Response(status=401, headers={"HX-Redirect": target})
    if request.accept_mimetypes.best == "text/event-stream":
        return Response(status=401)
    return redirect(target, 303)


def page_of_request() -> str | None:
    """The page to return to: the one asked for, or the one that a form or a fragment was asked for from."""
    if request.method == "GET" and not is_fragment():
        return request.full_path.rstrip("?")
    return request.shown_page or None  # type: ignore[attr-defined]


def is_fragment() -> bool:
    """Whether htmx asked, which swaps what it gets into a page."""
    return request.headers.get("HX-Request") == "true"


def current_actor() -> Actor:
    """Whoever makes this request, as what they do is recorded."""
    return Actor.agent(current_user)


def commit_request(response: Response) -> Response:
    """What fails now, as when Postgres goes away just before it, is answered as if the view had raised it."""
    try:
        if "scope" in g:
            commit()
    except SQLAlchemyError as error:
        return current_app.make_response(current_app.handle_user_exception(error))
    return response


def leave(error: BaseException | None = None) -> None:
    if "scope" in g:
        g.pop("scope").close()


def roll_back() -> None:
    """A view raised: nothing of what it did may stay, nor be announced."""
    if "scope" in g:
        current.get().callbacks.clear()
        db.session.rollback()


def init_app(app: Flask) -> None:
    app.before_request(admit_request)
    app.after_request(commit_request)
    app.teardown_request(leave)
    app.jinja_env.globals.update(places=places, place_in=place_in)

    @app.url_defaults
    def stay_in_tenant(endpoint: str, values: dict[str, Any]) -> None:
        if "tenant" in g and app.url_map.is_endpoint_expecting(endpoint, "tenant_slug"):
            values.setdefault("tenant_slug", g.tenant.slug)
