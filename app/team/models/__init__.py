"""Sessions, two-step sign-in, invitations, email confirmations, password resets, failed sign-ins, teams."""

from .email_confirmations import EmailConfirmation
from .invitations import Invitation
from .looks import Look
from .password_resets import PasswordReset, set_password
from .pending_sign_ins import PendingSignIn
from .people import PlatformAdmin
from .second_step_changes import SecondStepChange
from .second_step_resets import NotBySelf, NotNeeded, SecondStepReset
from .second_steps import SecondStep
from .sign_in_attempts import SignInAttempt, TooManyTries
from .team_changes import TeamChange
from .teams import Team, TeamMember
from .user_sessions import UserSession

__all__ = [
    "EmailConfirmation",
    "Invitation",
    "Look",
    "NotBySelf",
    "NotNeeded",
    "PasswordReset",
    "PendingSignIn",
    "PlatformAdmin",
    "SecondStep",
    "SecondStepChange",
    "SecondStepReset",
    "SignInAttempt",
    "Team",
    "TeamChange",
    "TeamMember",
    "TooManyTries",
    "UserSession",
    "set_password",
]
