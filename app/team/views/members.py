"""The members of a business, and their roles."""

from __future__ import annotations

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.team.blueprint import bp
from app.team.forms import ROLES, InvitationForm, RoleForm
from app.team.models import Invitation, SecondStep, TeamChange
from app.tenancy import Membership, Paged, Role, User, confirmed, db, in_menu, requires
from app.tenancy.models import LastOwner
from app.words import N_

PAGE = 100


@bp.get("/t/<tenant_slug>/team")
@in_menu(
    "settings",
    N_("Team"),
    "users",
    order=170,
    group="business",
    hint=N_("Who works here, and what they may do."),
)
@requires("team.manage")
def index() -> str:
    return team_page(InvitationForm(g.membership, formdata=None))


def team_page(form: InvitationForm) -> str:
    members = select(Membership).join(User).order_by(User.name, User.email)
    return render_template(
        "team/index.html",
        form=form,
        roles=ROLES,
        page=Paged.of(members, PAGE),
        invitations=db.session.scalars(Invitation.open_ones()).all(),
    )


@bp.post("/t/<tenant_slug>/team/members/<uuid:membership_id>/role")
@requires("team.manage")
@confirmed
def change_role(membership_id: object) -> AnyResponse:
    member, form = Membership.get_or_404(membership_id), RoleForm(g.membership)
    if not form.validate():
        abort(403)
    before = member.role
    try:
        member.change_role(Role(form.role.data), by=g.membership)
    except LastOwner:
        return refuse_last_owner(member)
    TeamChange.record("role", member.user.name, by=current_user, old=before, new=member.role)
    flash(_("%(name)s is now %(role)s.", name=member.user.name, role=ROLES[Role(member.role)].lower()))
    return redirect(url_for("team.index" if g.membership.may("team.manage") else "front.home"), 303)


@bp.post("/t/<tenant_slug>/team/members/<uuid:membership_id>/removal")
@requires("team.manage")
@confirmed
def remove_member(membership_id: object) -> AnyResponse:
    member = Membership.get_or_404(membership_id)
    try:
        member.remove(by=g.membership)
    except LastOwner:
        return refuse_last_owner(member)
    TeamChange.record("removal", member.user.name, by=current_user, old=member.role)
    flash(_("%(name)s was removed from the team.", name=member.user.name))
    return redirect(url_for("front.home" if member.id == g.membership.id else "team.index"), 303)


@bp.post("/t/<tenant_slug>/team/two-step")
@requires("team.owners")
@confirmed
def require_two_step() -> AnyResponse:
    """Members without it are led to set it up before anything else; whoever asks for it has it themselves."""
    is_required = request.form.get("required") == "1"
    if is_required and g.membership.user.second_step_at is None:
        flash(_("Turn on two-step sign-in for yourself first."), "error")
        return redirect(url_for("team.two_step", next=url_for("team.index")), 303)
    if is_required != g.tenant.requires_second_step:
        before, after = ("optional", "required") if is_required else ("required", "optional")
        g.tenant.requires_second_step = is_required
        TeamChange.record("second_step_rule", "", by=current_user, old=before, new=after)
    flash(_("Two-step sign-in is required.") if is_required else _("Two-step sign-in is optional."))
    return redirect(url_for("team.index"), 303)


@bp.post("/t/<tenant_slug>/team/members/<uuid:membership_id>/two-step/removal")
@requires("team.owners")
@confirmed
def reset_two_step(membership_id: object) -> AnyResponse:
    """For who has lost it, and has no other business: what it opens is this one's alone."""
    member = Membership.get_or_404(membership_id)
    if member.id == g.membership.id or member.user.second_step_at is None:
        abort(404)
    if SecondStep.reset_by_owner(member.user):
        TeamChange.record("second_step_reset", member.user.name, by=current_user)
        flash(_("Two-step sign-in is off for %(name)s, and they are signed out.", name=member.user.name))
    else:
        words = _(
            "You can't turn it off for %(name)s. They can sign in with a recovery code, or ask the people who run"
            " Switchboard for help.",
            name=member.user.name,
        )
        flash(words, "error")
    return redirect(url_for("team.index"), 303)


def refuse_last_owner(member: Membership) -> AnyResponse:
    flash(_("%(name)s is the only owner. Make someone else an owner first.", name=member.user.name), "error")
    return redirect(url_for("team.index"), 303)
