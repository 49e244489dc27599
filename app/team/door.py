"""Signing a browser in and out. The console signs in with the same parts."""

from __future__ import annotations

import contextlib
import secrets

import structlog
from flask import Response, after_this_request, redirect, request, session, url_for
from flask_login import current_user, login_user, logout_user
from itsdangerous import BadData, Signer
from sqlalchemy import update
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import login_manager, settings
from app.team.models.people import Person, scope_of
from app.team.models.second_steps import lock
from app.templating import browser_language
from app.tenancy import User, commit, db, global_scope
from app.tenancy.scope import NO_SCOPE, current_scope

from .models import PendingSignIn, PlatformAdmin, SecondStep, SecondStepChange, SignInAttempt, UserSession

log = structlog.get_logger()

# The row in `user_sessions` protects a session. A phone's address changes all day and says nothing.
login_manager.session_protection = None

DEVICE_SECONDS = 365 * 86400


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_person(token: object) -> User | PlatformAdmin | None:
    """The person of the session that the cookie names, if the session is still open."""
    with contextlib.nullcontext() if is_global() else global_scope():
        for kind in (User, PlatformAdmin):
            with scope_of(kind):
                if user_session := UserSession.find(token, kind):
                    user_session.touch()
                    return user_session.who
    return None


def is_global() -> bool:
    """Whether the open scope is of no tenant, as the guard's is, and can be used."""
    scope = current_scope()
    return scope is not NO_SCOPE and scope.tenant_id is None and not scope.is_platform


def check(kind: type[Person], email: str, password: str) -> Person | None:
    """The person with this address and password, or None. Raises `TooManyTries`."""
    return SignInAttempt.check(kind, email, password, ip=client_ip(), device=device_id(email))


def let_in(who: User | PlatformAdmin, target: str) -> AnyResponse:
    """The one gate, for whoever has proved who they are: signs in, or asks for the code of two-step sign-in first.

    By what holds now: a password takes a while to be checked, and meanwhile may be replaced, or two-step sign-in turned
    on, which end the sessions there are.
    """
    proved, area = who.password_hash, area_of(type(who))
    with scope_of(type(who)):
        who = lock(who)
        if who.password_hash != proved:
            return redirect(url_for(f"{area}.sign_in", next=target), 303)
        if who.second_step_at is None:
            begin_session(who)
            return redirect(target, 303)
        UserSession.end(session.get("_user_id"))
        session.clear()
        session["pending_sign_in"] = PendingSignIn.begin(who)
        return redirect(url_for(f"{area}.second_step", next=target), 303)


class StartAgain(Exception):
    """The five minutes are over, or the five codes used: the password is asked for again."""


def pending_sign_in(kind: type[User | PlatformAdmin]) -> PendingSignIn:
    """The sign-in of this browser that waits for a code. Raises `StartAgain`."""
    if pending := PendingSignIn.find(session.get("pending_sign_in"), kind):
        return pending
    raise StartAgain


def let_in_with_code(kind: type[User | PlatformAdmin], typed: str, target: str) -> AnyResponse | None:
    """The second step. None if the code is wrong, for whatever reason. Raises `StartAgain` and `TooManyTries`."""
    pending = pending_sign_in(kind)
    who, number = pending.who, pending.take_try()
    commit()
    if not number:
        raise StartAgain
    with scope_of(kind):
        if check_code(who, typed):
            if not pending.finish():
                raise StartAgain
            begin_session(who)
            return redirect(target, 303)
    if number < PendingSignIn.MOST_TRIES:
        return None
    SecondStepChange.warn_of_wrong_codes(who)
    commit()
    raise StartAgain


def check_code(who: User | PlatformAdmin, typed: str) -> bool:
    """Whether a code is right; it is used up then. Raises `TooManyTries`."""
    attempt = claim_code(who)
    if is_right := SecondStep.accept(who, typed):
        attempt.withdraw()
    return is_right


def claim_code(who: User | PlatformAdmin) -> SignInAttempt:
    """One of the tries that codes have, as many as passwords have. Raises `TooManyTries`."""
    counted = "code", type(who).__tablename__, who.email, device_id(who.email)
    return SignInAttempt.claim(" ".join(filter(None, counted)), client_ip())


def area_of(kind: type[User | PlatformAdmin]) -> str:
    """The blueprint through which such people come in."""
    return "platform" if kind is PlatformAdmin else "team"


def renew_session(who: User) -> None:
    """A new session in place of the one that is open: the person is in already, and has just given their password."""
    assert current_user.is_authenticated and current_user.id == who.id
    begin_session(who)


def begin_session(who: User | PlatformAdmin) -> None:
    """A new session: nothing that the browser brought along is in it. Only the functions above may call this."""
    UserSession.end(session.get("_user_id"))
    session.clear()
    login_user(who)
    session.permanent = True
    session["_user_id"] = UserSession.begin(who, user_agent=request.user_agent.string, ip=client_ip())
    remember_device(who.email)
    if isinstance(who, User):
        remember_language(who)
    else:
        log.info("console entered", admin_id=str(who.id))


def remember_language(who: User) -> None:
    """What their browser speaks, for mails."""
    spoken = browser_language()
    mine = User.id == who.id, User.browser_language.is_distinct_from(spoken)
    with scope_of(User):
        db.session.execute(update(User).where(*mine).values(browser_language=spoken))


def end_session() -> None:
    """Signs out, and has the browser delete what it stored."""
    UserSession.end(session.get("_user_id"))
    logout_user()
    session.clear()

    @after_this_request
    def forget(response: Response) -> Response:
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


def client_ip() -> str:
    return request.remote_addr or ""


def device_id(email: str) -> str:
    """The id of a device on which this person was signed in before; "" for a new one."""
    try:
        return device_signer(email).unsign(request.cookies.get(device_cookie(), "")).decode()
    except BadData:
        return ""


def remember_device(email: str) -> None:
    if device_id(email):
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
    return target if is_ours(target) else url_for("front.home")
