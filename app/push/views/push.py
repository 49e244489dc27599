"""What a member is notified of, and in which browsers."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, abort, flash, g, jsonify, redirect, render_template, session, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.egress import Refused
from app.extensions import settings
from app.push.blueprint import bp
from app.push.forms import BrowserForm, RuleForm
from app.push.models import NotificationRule, PushNotification, PushSubscription
from app.push.news import Unread
from app.push.web_push import BadAddress, Target, public_key
from app.team.models import UserSession
from app.tenancy import db, in_menu, later, now, requires
from app.wabas.models import PhoneNumber
from app.words import N_


@bp.get("/")
@in_menu(
    "settings",
    N_("Your notifications"),
    "bell",
    order=220,
    group="you",
    hint=N_("What you are notified about, where and when."),
)
@requires("account.manage")
def index() -> str:
    return page()


def page(form: RuleForm | None = None) -> str:
    rule = NotificationRule.of(g.membership)
    PushSubscription.let_sleep()
    return render_template(
        "push/index.html",
        form=form or RuleForm.showing(rule, numbers()),
        rule=rule,
        browsers=db.session.scalars(PushSubscription.of(g.membership)).all(),
    )


def numbers() -> list[PhoneNumber]:
    return list(db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id)))


@bp.post("/rule")
@requires("account.manage")
def save_rule() -> tuple[str, int] | AnyResponse:
    form = RuleForm(numbers())
    if not form.validate():
        return page(form), 422
    rule = NotificationRule.of(g.membership)
    form.fill(rule, now())
    db.session.add(rule)
    flash(_("Saved."))
    return redirect(url_for("push.index"), 303)


@bp.post("/browsers")
@requires("account.manage")
def add_browser() -> tuple[Response, int]:
    target, here = target_from_request(), this_session()
    saved = PushSubscription.save(g.membership, target, session_id=here.id, device=here.device)
    return jsonify(id=saved.id), 201


@bp.post("/browsers/<uuid:browser_id>/renewal")
@requires("account.manage")
def renew_browser(browser_id: uuid.UUID) -> tuple[str, int]:
    """A browser that was turned on says again how it is reached. One that was removed stays so."""
    browser, here = mine(browser_id), this_session()
    browser.reach_at(target_from_request(), session_id=here.id, device=here.device)
    return "", 204


@bp.post("/browsers/<uuid:browser_id>/removal")
@requires("account.manage")
def remove_browser(browser_id: uuid.UUID) -> AnyResponse:
    db.session.delete(mine(browser_id))
    flash(_("Browser removed. It gets no more notifications."))
    return redirect(url_for("push.index"), 303)


@bp.post("/test")
@requires("account.manage")
def send_test() -> AnyResponse:
    browsers = PushSubscription.awake(g.membership)
    for browser in browsers:
        PushNotification.put("test", browser, None)
    later("push.send")
    words = _("A test is on its way.") if browsers else _("Turn on notifications in a browser first.")
    flash(words, "success" if browsers else "warning")
    return redirect(url_for("push.index"), 303)


@bp.get("/unread")
@requires("inbox.read")
def unread() -> str:
    return render_template("push/_unread.html")


@bp.app_template_global()
def unread_context() -> dict[str, Any]:
    """What every page knows of what is new: how many, whether to make a sound, and how to reach this browser."""
    rule = NotificationRule.of(g.membership)
    return {
        "unread": Unread.of(g.membership, rule),
        "sounds": rule.sound and not rule.is_quiet(now()),
        "push_key": public_key(settings.secret_key),
    }


def mine(browser_id: uuid.UUID) -> PushSubscription:
    subscription = db.session.scalar(PushSubscription.of(g.membership).where(PushSubscription.id == browser_id))
    return subscription or abort(404)


def target_from_request() -> Target:
    form = BrowserForm()
    if not form.validate():
        abort(400, _("Your browser did not say how to reach it."))
    try:
        return Target.read(form.endpoint.data, form.p256dh.data, form.auth.data)
    except (Refused, BadAddress):
        abort(400, _("Your browser gave an address that cannot be used."))


def this_session() -> UserSession:
    return UserSession.find(session["_user_id"]) or abort(401)
