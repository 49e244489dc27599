"""How the log of a webhook says what went wrong."""

from __future__ import annotations

from flask_babel import gettext as _

from app.words import N_

# By `Outcome.error`.
ERRORS = {
    "refused": N_("The address leads to a private network, so nothing was sent."),
    "timeout": N_("No answer within 10 seconds."),
    "name": N_("The name of the server could not be found."),
    "tls": N_("The server's TLS certificate is not valid."),
    "connection": N_("The server could not be reached."),
    "protocol": N_("The server's answer was not valid HTTP."),
    "gone": N_("The event is no longer stored."),
    "unsigned": N_("The signing secret can't be decrypted, so nothing was sent. Ask the operator."),
    "unrendered": N_("This event couldn't be prepared, so nothing was sent. Ask the operator."),
}
REASONS = {
    "member": N_("Disabled by a team member"),
    "gone": N_("Disabled: the server answered 410 Gone"),
    "closed": N_("Disabled: the business was closed"),
    "failing": N_("Disabled: nothing was delivered for a day"),
}
STATES = {
    "waiting": N_("Waiting"),
    "delivered": N_("Delivered"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
}


def why(status: int | None, error: str) -> str:
    """What came back, in words."""
    if error:
        return str(_(ERRORS[error]))
    if status is None:
        return ""
    if 300 <= status < 400:
        return str(_("HTTP %(status)d: redirects are not followed.", status=status))
    return str(_("HTTP %(status)d", status=status))
