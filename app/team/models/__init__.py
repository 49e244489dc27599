"""Sessions, invitations, email confirmations, password resets, failed sign-ins, teams."""

from .email_confirmations import EmailConfirmation
from .invitations import Invitation
from .looks import Look
from .password_resets import PasswordReset, set_password
from .people import PlatformAdmin
from .sign_in_attempts import SignInAttempt, TooManyTries
from .team_changes import TeamChange
from .teams import Team, TeamMember
from .user_sessions import UserSession

__all__ = [
    "EmailConfirmation",
    "Invitation",
    "Look",
    "PasswordReset",
    "PlatformAdmin",
    "SignInAttempt",
    "Team",
    "TeamChange",
    "TeamMember",
    "TooManyTries",
    "UserSession",
    "set_password",
]
