"""The Facebook window's answer: its code for a token, its claims, and the token where the code's answer was lost."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, select

from app.extensions import graph, settings
from app.meta import embedded_signup, system_users
from app.meta.errors import GraphError, MetaError, NoAnswer, NotConnected
from app.tenancy import announce, commit, db, later, now, platform_scope
from app.tenancy.models import WabaRoute
from app.wabas.partners import PartnerWaba
from app.words import N_

from .leases import LEASE
from .models import Onboarding
from .trouble import START_AGAIN, Trouble

CODE_USED = 36009
LOST = N_("Facebook's answer was lost, and its sign-in code works only once.")
OTHER_WAY = N_("We're requesting access another way. If this takes longer than a minute, start again.")
CLAIMS = ("waba_id", "phone_number_id", "business_id")
# The window tells Meta's servers before it tells us; their clocks may differ.
SLACK = dt.timedelta(minutes=1)


class CodeLost(Exception):
    """Meta has taken the code, and its answer with the token never came."""


class SignUp:
    """An attempt's way through the Facebook window."""

    def __init__(self, onboarding: Onboarding) -> None:
        self.onboarding = onboarding

    def receive_code(self, code: str) -> None:
        """Exchanges the code for the token at once: it lives 30 seconds and works once.

        A second post of it changes nothing.
        """
        onboarding = self.onboarding.refresh_locked()
        step = onboarding.step("code_exchanged")
        if not onboarding.needs_sign_up or step.state != "pending":
            return
        onboarding.state, onboarding.stopped_at, onboarding.lease_until = "running", "", now() + LEASE
        step.begin()
        commit()
        try:
            token = exchange(code)
        except CodeLost:
            onboarding.code_lost_at, onboarding.lease_until, step.outcome = now(), None, code_lost().as_dict()
        except MetaError as error:
            onboarding.fail(step, code_refused(error))
        else:
            onboarding.receive_token(token.value, signed_up_at=now())
            onboarding.lease_until = None
            step.finish()
        announce("onboarding", onboarding.id)
        commit()
        if onboarding.state == "running":
            later("onboarding.advance", onboarding.id)

    def receive_claims(self, event: str, data: dict[str, Any]) -> None:
        """Stores what the Facebook window told the browser; the token has to prove it.

        Where Meta shared the account without a window, the token is its whole business's and would prove too much.
        """
        onboarding = self.onboarding.refresh_locked()
        if onboarding.source == "partner":
            return
        ids = {name: str(data[name]) for name in CLAIMS if is_meta_id(data.get(name))}
        onboarding.claims = ids | {"event": event[:60]}
        announce("onboarding", onboarding.id)
        if onboarding.asks == "number" and "phone_number_id" in ids:
            onboarding.resume()

    def cancel(self, at_step: str, report: dict[str, str]) -> None:
        """Records that the Facebook window was closed before its end. A code that comes all the same counts."""
        onboarding = self.onboarding.refresh_locked()
        if onboarding.needs_sign_up:
            onboarding.state, onboarding.stopped_at, onboarding.cancelled_at = "cancelled", at_step[:60], now()
            onboarding.claims = onboarding.claims | {"report": report}
            announce("onboarding", onboarding.id)

    def recover_token(self) -> str:
        """The token of the business that Meta itself says has just shared with us the account the browser claims.

        The claim alone would open anybody's account: Meta's word has to fit it, the code has to have been a real one
        that we used, nobody may own the account, and no other business may claim it.
        """
        onboarding = self.onboarding
        waba_id, since = onboarding.claims.get("waba_id"), onboarding.created_at - SLACK
        tenant_id, was_real = onboarding.tenant_id, onboarding.code_lost_at is not None
        commit()
        if not was_real:
            raise Trouble(LOST, START_AGAIN, start_again=True)
        business_id = None
        if waba_id:
            with platform_scope("whose code was lost?"):
                shared = db.session.get(PartnerWaba, waba_id)
                if shared and shared.shared_at >= since and is_free(waba_id, tenant_id, since):
                    business_id = shared.owner_business_id
        if not business_id:
            raise code_lost()
        token = system_users.fetch_business_token(graph, settings.meta_system_user_token, business_id)
        info = embedded_signup.debug_token(graph, token, graph.app_token)
        if not info.is_valid or waba_id not in (info.waba_ids or ()):
            raise Trouble(LOST, START_AGAIN, start_again=True)
        return token


def exchange(code: str) -> embedded_signup.BusinessToken:
    """The token for the code. Raises `CodeLost`, or MetaError.

    A second try is safe, as a code works once: it succeeds if the first never arrived, and if Meta says
    that the code was used, that was us.
    """
    try:
        return embedded_signup.exchange_code(graph, code)
    except NotConnected:
        return embedded_signup.exchange_code(graph, code)
    except NoAnswer:
        return exchange_again(code)


def exchange_again(code: str) -> embedded_signup.BusinessToken:
    try:
        return embedded_signup.exchange_code(graph, code)
    except GraphError as error:
        if error.subcode == CODE_USED:
            raise CodeLost from None
        raise


def code_refused(error: MetaError) -> Trouble:
    """Why Meta took no code: only a new one helps."""
    trouble = Trouble.at_meta(error)
    trouble.fix, trouble.owner, trouble.start_again = START_AGAIN, "tenant", True
    trouble.passing = False
    if trouble.code is None and not isinstance(error, NotConnected):
        trouble.title = LOST
    return trouble


def code_lost() -> Trouble:
    return Trouble(LOST, OTHER_WAY, owner="", start_again=True, passing=True)


def is_free(waba_id: str, tenant_id: object, since: dt.datetime) -> bool:
    """Whether no other tenant owns the account or has claimed it lately. Needs a platform scope."""
    route = db.session.get(WabaRoute, waba_id)
    rivals = select(func.count()).where(
        Onboarding.claims["waba_id"].astext == waba_id,
        Onboarding.tenant_id != tenant_id,
        Onboarding.created_at >= since - dt.timedelta(hours=1),
    )
    return (route is None or route.tenant_id == tenant_id) and db.session.scalars(rivals).one() == 0


def is_meta_id(value: object) -> bool:
    return isinstance(value, str | int) and str(value).isdecimal() and len(str(value)) <= 32
