"""How a browser gets a session and loses it. The console's door is built of the same parts."""

from __future__ import annotations

import contextlib
import secrets

from flask import Response, after_this_request, request, session, url_for
from flask_login import login_user, logout_user
from itsdangerous import BadData, Signer

from app.extensions import login_manager, settings
from app.team.models.people import Person
from app.tenancy import User, global_scope
from app.tenancy.scope import NOBODY, current_scope

from .models import PlatformAdmin, SignInAttempt, UserSession

# The row in `user_sessions` protects a session. A phone's address changes all day and says nothing.
login_manager.session_protection = None

DEVICE_SECONDS = 365 * 86400


@login_manager.user_loader  # type: ignore[untyped-decorator]
def whose(token: object) -> User | PlatformAdmin | None:
    """The person whose session the cookie stands for, if the session is still open."""
    with contextlib.nullcontext() if is_global() else global_scope():
        found = UserSession.find(token)
        if found is None:
            return None
        found.touch()
        return found.who


def is_global() -> bool:
    """Whether the scope that is open is of nobody in particular, as the guard's is: then it will do."""
    scope = current_scope()
    return scope is not NOBODY and scope.tenant_id is None and not scope.is_platform


def check(kind: type[Person], email: str, password: str) -> Person | None:
    """Whoever has this address and password. Raises `TooManyTries`."""
    return SignInAttempt.check(kind, email, password, ip=caller(), device=known_device(email))


def let_in(who: User | PlatformAdmin) -> None:
    """Begins a new session: nothing that the browser brought along is in it."""
    UserSession.end(session.get("_user_id"))
    session.clear()
    login_user(who)
    session.permanent = True
    session["_user_id"] = UserSession.begin(who, user_agent=request.user_agent.string, ip=caller())
    remember_device(who.email)


def let_out() -> None:
    UserSession.end(session.get("_user_id"))
    logout_user()
    session.clear()

    @after_this_request
    def forget(response: Response) -> Response:
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


def caller() -> str:
    return request.remote_addr or ""


def known_device(email: str) -> str:
    """The number of a device on which this person was signed in before; empty if it is new."""
    try:
        return device_signer(email).unsign(request.cookies.get(device_cookie(), "")).decode()
    except BadData:
        return ""


def remember_device(email: str) -> None:
    if known_device(email):
        return
    device = device_signer(email).sign(secrets.token_hex(8)).decode()

    @after_this_request
    def remember(response: Response) -> Response:
        response.set_cookie(
            device_cookie(),
            device,
            max_age=DEVICE_SECONDS,
            secure=settings.is_https,
            httponly=True,
            samesite="Lax",
        )
        return response


def device_cookie() -> str:
    return "__Host-device" if settings.is_https else "device"


def device_signer(email: str) -> Signer:
    return Signer(settings.secret_key, salt=f"switchboard device of {email}")


def is_ours(target: str) -> bool:
    """Whether an address is a path of this site, whichever way a browser reads it."""
    plain = target.isascii() and target.isprintable() and not set(target) & set("\\ ")
    return plain and target.startswith("/") and "//" not in target.partition("?")[0]


def onward(target: str = "") -> str:
    return target if is_ours(target) else url_for("team.home")
