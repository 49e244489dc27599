"""Background jobs of the team: mails, and deleting what expired. The link is made when the mail is sent."""

from __future__ import annotations

import datetime as dt

from app.extensions import redis
from app.tenancy import db, enqueue, global_scope, job, now, platform_scope, sweep

from .models import (
    EmailConfirmation,
    Invitation,
    PasswordReset,
    PendingSignIn,
    SecondStep,
    SecondStepChange,
    SignInAttempt,
    UserSession,
)

PATIENCE = dt.timedelta(seconds=30)


@job("team.mail_password_reset", per_tenant=False)
def mail_password_reset(reset_id: str) -> None:
    with global_scope():
        mine = PasswordReset.unmailed().where(PasswordReset.id == reset_id)
        if reset := db.session.scalar(mine.with_for_update(skip_locked=True)):
            reset.mail()


@job("team.mail_email_confirmation", per_tenant=False)
def mail_email_confirmation(confirmation_id: str) -> None:
    with global_scope():
        mine = EmailConfirmation.unmailed().where(EmailConfirmation.id == confirmation_id)
        if confirmation := db.session.scalar(mine.with_for_update(skip_locked=True)):
            confirmation.mail()


@job("team.mail_second_step_change", per_tenant=False)
def mail_second_step_change(change_id: str) -> None:
    with platform_scope("mail a change of two-step sign-in"):
        mine = SecondStepChange.unmailed().where(SecondStepChange.id == change_id)
        if change := db.session.scalar(mine.with_for_update(of=SecondStepChange, skip_locked=True)):
            change.mail()


@job("team.mail_invitation")
def mail_invitation(invitation_id: str) -> None:
    mine = Invitation.unmailed().where(Invitation.id == invitation_id)
    if invitation := db.session.scalar(mine.with_for_update(of=Invitation, skip_locked=True)):
        invitation.mail()


@sweep(every=10)
def resend_mails() -> None:
    with platform_scope("mails not taken yet"):
        overdue = now() - PATIENCE
        resets = db.session.scalars(PasswordReset.unmailed().where(PasswordReset.created_at < overdue)).all()
        confirmations = db.session.scalars(
            EmailConfirmation.unmailed().where(EmailConfirmation.created_at < overdue)
        ).all()
        changes = db.session.scalars(SecondStepChange.unmailed().where(SecondStepChange.created_at < overdue)).all()
        invitations = db.session.scalars(Invitation.unmailed().where(Invitation.created_at < overdue)).all()
    for reset in resets:
        resend("team.mail_password_reset", reset.created_at, str(reset.id))
    for confirmation in confirmations:
        resend("team.mail_email_confirmation", confirmation.created_at, str(confirmation.id))
    for change in changes:
        resend("team.mail_second_step_change", change.created_at, str(change.id))
    for invitation in invitations:
        resend("team.mail_invitation", invitation.created_at, str(invitation.tenant_id), str(invitation.id))


def resend(name: str, since: dt.datetime, *ids: str) -> None:
    """Enqueues a mail again, less often the longer it has waited: its address may accept none at all."""
    pause = max(60, int((now() - since).total_seconds() / 4))
    if redis.set(":".join(["mail again", *ids]), 1, nx=True, ex=pause):
        enqueue(name, *ids)


@sweep(every=600)
def delete_expired() -> None:
    with global_scope():
        SignInAttempt.forget_old()
        UserSession.forget_expired()
        PasswordReset.forget_expired()
        EmailConfirmation.forget_expired()
    with platform_scope("two-step sign-in of everybody"):
        PendingSignIn.forget_expired()
        SecondStep.forget_unfinished()
        SecondStepChange.forget_old()
