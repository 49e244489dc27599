"""Sessions, invitations, sign-ups, password resets, failed sign-ins, teams."""

from .invitations import Invitation
from .looks import Look
from .password_resets import PasswordReset, set_password
from .people import PlatformAdmin
from .sign_in_attempts import SignInAttempt, TooManyTries
from .sign_ups import SignUp
from .teams import Team, TeamMember
from .user_sessions import UserSession

__all__ = [
    "Invitation",
    "Look",
    "PasswordReset",
    "PlatformAdmin",
    "SignInAttempt",
    "SignUp",
    "Team",
    "TeamMember",
    "TooManyTries",
    "UserSession",
    "set_password",
]
