"""The API keys of a business: list, add, change, renew, revoke. A secret is in one answer, and never again."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.api import ApiKey
from app.api.keys import MOST_KEYS, KeyExists, TooManyKeys
from app.api.scopes import SCOPES
from app.developers.blueprint import bp
from app.developers.forms import KIND_WORDS, KeyForm, NewKeyForm, grouped_scopes
from app.team.models import Team, TeamChange
from app.tenancy import Paged, confirmed, current_actor, db, in_menu, requires
from app.words import N_

Answer = str | tuple[str, int] | AnyResponse
PAGE = 50
# How long the secret before a new one still works.
OVERLAPS = {
    "none": (dt.timedelta(), N_("It stops working at once")),
    "hour": (dt.timedelta(hours=1), N_("For 1 hour")),
    "day": (dt.timedelta(days=1), N_("For 1 day")),
    "week": (dt.timedelta(days=7), N_("For 7 days")),
}


@bp.get("/t/<tenant_slug>/keys")
@in_menu(
    "settings",
    N_("API keys"),
    "key-round",
    order=190,
    group="developers",
    hint=N_("Let your own programs send and read."),
)
@requires("api.manage")
def keys() -> str:
    return render_template("developers/keys.html", page=Paged.of(ApiKey.in_order(), PAGE), teams=team_names())


@bp.get("/t/<tenant_slug>/keys/new")
@requires("api.manage")
@confirmed
def new_key() -> str:
    form = NewKeyForm(teams(), formdata=None)
    form.id.data = uuid.uuid4()
    return new_key_page(form)


@bp.post("/t/<tenant_slug>/keys")
@requires("api.manage")
@confirmed
def create_key() -> Answer:
    form = NewKeyForm(teams())
    if not form.validate():
        return new_key_page(form), 422
    chosen: dict[str, Any] = {"networks": form.allowed, "expires_at": form.expires_at, "id": form.id.data}
    chosen["team_id"] = form.team.id if form.team else None
    try:
        key, secret = ApiKey.create(form.name.data, form.kind.data, form.chosen_scopes, by=current_actor(), **chosen)
    except KeyExists:
        flash(
            _("This key was added already. Its secret can't be shown again; renew the key to get a new one."), "error"
        )
        return redirect(url_for(".show_key", api_key_id=form.id.data), 303)
    except TooManyKeys:
        flash(_("A business can have %(most)d keys. Revoke one first.", most=MOST_KEYS), "error")
        return redirect(url_for(".keys"), 303)
    TeamChange.record("key_creation", key.name, by=current_user, old=key.kind, new=key.parts["scopes"])
    return secret_page(key, secret)


@bp.get("/t/<tenant_slug>/keys/<uuid:api_key_id>")
@requires("api.manage")
@confirmed
def show_key(api_key_id: uuid.UUID) -> str:
    key = ApiKey.get_or_404(api_key_id)
    return key_page(key, KeyForm.of(key))


@bp.post("/t/<tenant_slug>/keys/<uuid:api_key_id>")
@requires("api.manage")
@confirmed
def change_key(api_key_id: uuid.UUID) -> Answer:
    key = ApiKey.get_or_404(api_key_id).refresh_locked()
    if key.revoked_at:
        return refuse_revoked(key)
    form = KeyForm(key)
    if not form.validate():
        return key_page(key, form), 422
    for part, old, new in key.change(form.name.data, form.chosen_scopes, form.allowed, form.expires_at):
        TeamChange.record(f"key_{part}", key.name, by=current_user, old=old, new=new)
    flash(_("Saved."))
    return redirect(url_for(".show_key", api_key_id=key.id), 303)


@bp.post("/t/<tenant_slug>/keys/<uuid:api_key_id>/renewal")
@requires("api.manage")
@confirmed
def renew_key(api_key_id: uuid.UUID) -> Answer:
    """Once for each time that the page was opened: `prefix` is the secret that was its present one then."""
    key = ApiKey.get_or_404(api_key_id).refresh_locked()
    if key.revoked_at:
        return refuse_revoked(key)
    if key.kind == "app":
        # The app renews it by itself.
        abort(404)
    if request.form.get("prefix") != key.prefix:
        flash(
            _("This key was renewed already. Its secret can't be shown again; renew the key to get a new one."), "error"
        )
        return redirect(url_for(".show_key", api_key_id=key.id), 303)
    overlap, _words = OVERLAPS.get(request.form.get("overlap", ""), OVERLAPS["none"])
    secret = key.renew(overlap)
    assert key.old_ends_at
    TeamChange.record("key_renewal", key.name, by=current_user, new=key.old_ends_at.isoformat())
    return secret_page(key, secret)


@bp.post("/t/<tenant_slug>/keys/<uuid:api_key_id>/revocation")
@requires("api.manage")
@confirmed
def revoke_key(api_key_id: uuid.UUID) -> Answer:
    key = ApiKey.get_or_404(api_key_id).refresh_locked()
    if key.revoked_at:
        return refuse_revoked(key)
    key.revoke()
    TeamChange.record("key_revocation", key.name, by=current_user)
    flash(_("“%(name)s” was revoked. Programs that use it are refused from now on.", name=key.name))
    return redirect(url_for(".keys"), 303)


def teams() -> list[Team]:
    return list(db.session.scalars(Team.in_order()))


def team_names() -> dict[uuid.UUID, str]:
    return {team.id: team.name for team in teams()}


def new_key_page(form: NewKeyForm) -> str:
    return render_template("developers/new_key.html", form=form, groups=grouped_scopes(), kinds=KIND_WORDS)


def key_page(key: ApiKey, form: KeyForm) -> str:
    more = {"groups": grouped_scopes(), "overlaps": OVERLAPS, "scopes": SCOPES, "teams": team_names()}
    return render_template("developers/key.html", key=key, form=form, **more)


def secret_page(key: ApiKey, secret: str) -> tuple[str, int]:
    """The only page that ever shows it. It is never stored by a browser, and loading it again makes no second one."""
    return render_template("developers/secret.html", key=key, secret=secret), 201


def refuse_revoked(key: ApiKey) -> AnyResponse:
    flash(_("This key is revoked and can't be used or changed any more."), "error")
    return redirect(url_for(".show_key", api_key_id=key.id), 303)
