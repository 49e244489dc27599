"""Invitations: sent by an owner or admin, accepted by the recipient of the mail."""

from __future__ import annotations

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.team import door, passwords
from app.team.blueprint import bp
from app.team.forms import AcceptForm, InvitationForm
from app.team.models import Invitation, TeamChange
from app.team.models.people import with_email
from app.templating import listed
from app.tenancy import Membership, Role, Tenant, User, commit, db, public, requires, uuid7
from app.tenancy.limits import OverLimit

from .members import team_page

MOST_OPEN = 100


@bp.post("/t/<tenant_slug>/team/invitations")
@requires("team.manage")
def invite() -> tuple[str, int] | AnyResponse:
    form = InvitationForm(g.membership)
    if not form.validate():
        return team_page(form), 422
    colleagues = set(db.session.scalars(select(User.email).join(Membership, Membership.user_id == User.id)))
    wanted = [email for email in dict.fromkeys(form.addresses) if email not in colleagues]
    if len(db.session.scalars(Invitation.open_ones()).all()) + len(wanted) > MOST_OPEN:
        form.problem = _("Too many invitations are open. Revoke some first.")
        return team_page(form), 422
    try:
        Invitation.refuse_over_limit(wanted)
    except OverLimit as over:
        form.problem = over.words
        return team_page(form), 422
    for email in wanted:
        Invitation.offer(email, Role(form.role.data), by=g.membership.user).mail_later()
        TeamChange.record("invitation", email, by=g.membership.user, new=form.role.data)
    if wanted:
        flash(ngettext("%(num)d invitation sent.", "%(num)d invitations sent.", len(wanted)))
    if already := colleagues.intersection(form.addresses):
        flash(_("Already in the team: %(emails)s.", emails=listed(sorted(already))), "warning")
    return redirect(url_for("team.index"), 303)


@bp.post("/t/<tenant_slug>/team/invitations/<uuid:invitation_id>/renewal")
@requires("team.manage")
def renew_invitation(invitation_id: object) -> AnyResponse:
    invitation = offered(invitation_id)
    try:
        Invitation.offer(invitation.email, Role(invitation.role), by=g.membership.user).mail_later()
    except OverLimit as over:
        flash(over.words, "error")
        return redirect(url_for("team.index"), 303)
    flash(_("New link sent to %(email)s. The old one no longer works.", email=invitation.email))
    return redirect(url_for("team.index"), 303)


@bp.post("/t/<tenant_slug>/team/invitations/<uuid:invitation_id>/withdrawal")
@requires("team.manage")
def withdraw_invitation(invitation_id: object) -> AnyResponse:
    invitation = offered(invitation_id)
    Invitation.withdraw(invitation.email)
    flash(_("Invitation of %(email)s revoked.", email=invitation.email))
    return redirect(url_for("team.index"), 303)


def offered(invitation_id: object) -> Invitation:
    invitation = Invitation.get_or_404(invitation_id)
    if invitation.accepted_at:
        abort(404)
    if not g.membership.may_give(invitation.role):
        abort(403)
    return invitation


@bp.get("/invitation")
@public
def invitation() -> tuple[str, int] | str:
    if (offer := Invitation.behind(token())) is None:
        return dead_link()
    return accept_page(*offer, AcceptForm(formdata=None))


@bp.post("/invitation")
@public
def accept_invitation() -> tuple[str, int] | AnyResponse:
    if (offer := Invitation.behind(token())) is None:
        return dead_link()
    invitation, tenant = offer
    form = AcceptForm()
    user = with_email(User, invitation.email)
    if user is None:
        form.email_of_owner = invitation.email
        if not form.validate():
            return accept_page(invitation, tenant, form), 422
        user = newcomer(invitation, form)
    elif not is_current(user):
        return accept_page(invitation, tenant, form), 403
    try:
        is_accepted = invitation.accept(user)
    except OverLimit:
        form.problem = _("This business has no free seat in its plan. Ask who invited you to make room.")
        return accept_page(invitation, tenant, form), 422
    if not is_accepted:
        return redirect(url_for("team.invitation", token=token()), 303)
    home = url_for("tenancy.home", tenant_slug=tenant.slug)
    answer = redirect(home, 303) if is_current(user) else door.let_in(user, home)
    flash(_("Welcome to %(name)s.", name=tenant.name))
    return answer


def newcomer(invitation: Invitation, form: AcceptForm) -> User:
    commit()
    password_hash = passwords.hash_password(form.password.data)
    return User(id=uuid7(), email=invitation.email, name=form.name.data, password_hash=password_hash)


def accept_page(invitation: Invitation, tenant: Tenant, form: AcceptForm) -> str:
    user = with_email(User, invitation.email)
    return render_template(
        "team/invitation.html",
        invitation=invitation,
        tenant=tenant,
        form=form,
        token=token(),
        has_account=user is not None,
        expected=user is not None and is_current(user),
    )


def is_current(user: User) -> bool:
    return bool(current_user.is_authenticated and not current_user.is_platform_admin and current_user.id == user.id)


def token() -> str:
    return request.values.get("token", "")


def dead_link() -> tuple[str, int]:
    return render_template("team/dead_invitation.html"), 410
