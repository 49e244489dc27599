"""Facebook's sign-in: the token, and what it permits."""

from __future__ import annotations

from app.extensions import graph
from app.meta import embedded_signup
from app.onboarding.models import Onboarding
from app.onboarding.sign_up import SignUp
from app.onboarding.trouble import START_AGAIN, Trouble
from app.tenancy import commit
from app.words import N_

from .registry import step

# Whether the token opens the account and its numbers shows when they are read: Meta names that permission in several
# ways.
NEEDED = ("whatsapp_business_messaging",)


@step()
def code_exchanged(onboarding: Onboarding) -> None:
    """The request that received the code exchanges it (`SignUp.receive_code`); it works only once."""
    if onboarding.token is None:
        onboarding.token = SignUp(onboarding).recover_token()
        onboarding.signed_up_at = onboarding.code_lost_at


@step()
def token_inspected(onboarding: Onboarding) -> None:
    token = onboarding.token
    commit()
    info = embedded_signup.debug_token(graph, token, graph.app_token)
    if not info.is_valid or info.app_id != graph.app_id:
        details = (info.error and info.error.summary) or ""
        title = N_("Facebook says that this sign-in is not valid, or not for Switchboard.")
        raise Trouble(title, START_AGAIN, details=details, start_again=True)
    if missing := [scope for scope in NEEDED if scope not in info.scopes]:
        raise permission_missing(", ".join(missing))
    onboarding.granted = None if info.waba_ids is None else list(info.waba_ids)
    onboarding.token_expires_at, onboarding.token_user_id = info.expires_at, info.user_id or ""


def permission_missing(details: str) -> Trouble:
    return Trouble(
        N_("A permission is missing, so Switchboard can't work for your number."),
        N_("Start again and leave every permission on in the Facebook window."),
        details=details,
        start_again=True,
    )
