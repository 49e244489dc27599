"""How people get in: sessions, invitations, password resets, and the count of failed sign-ins."""

from .invitations import Invitation
from .password_resets import PasswordReset, set_password
from .people import PlatformAdmin
from .sign_in_attempts import SignInAttempt, TooManyTries
from .teams import Team, TeamMember
from .user_sessions import UserSession

__all__ = [
    "Invitation",
    "PasswordReset",
    "PlatformAdmin",
    "SignInAttempt",
    "Team",
    "TeamMember",
    "TooManyTries",
    "UserSession",
    "set_password",
]
