"""The Facebook window's answer: its code for a token, its claims, and the token where the code's answer was lost."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Any

import structlog
from sqlalchemy import func, or_, select

from app.extensions import graph, settings
from app.meta import embedded_signup, system_users
from app.meta.errors import MetaError, NotConnected
from app.tenancy import User, announce, commit, db, later, now, platform_scope
from app.tenancy.models import WabaRoute
from app.wabas.partners import PartnerWaba
from app.words import N_

from .leases import LEASE
from .models import Onboarding
from .trouble import START_AGAIN, Trouble

log = structlog.get_logger()

LOST = N_("Facebook's answer was lost, and its sign-in code works only once.")
NOT_SET_UP = N_("Facebook sign-in isn't set up correctly in Switchboard. You didn't do anything wrong.")
WAIT_FOR_US = N_("The Switchboard team has to fix this, and sees it at the top of their list. Start again afterwards.")
CHECK_SETTINGS = N_(
    "Meta refuses our app at the code exchange: check META_APP_ID, META_APP_SECRETS and META_CONFIG_ID, and in the "
    "app's dashboard the allowed domains and redirect URIs of Facebook Login for Business."
)
# An app that Meta does not know, a wrong secret or redirect URI, a request without a token.
OUR_FAULTS, OUR_WORDS = {36008, 101, 2500}, re.compile("client secret|redirect_uri|redirect uri", re.IGNORECASE)
OTHER_WAY = N_("We're requesting access another way. If this takes longer than a minute, start again.")
CLAIMS = ("waba_id", "phone_number_id", "business_id")
# Meta's servers hear of the sign-up before we do; clocks may differ.
MOST_CLAIMS = 10
SLACK = dt.timedelta(minutes=1)


class SignUp:
    """An attempt's way through the Facebook window."""

    def __init__(self, onboarding: Onboarding) -> None:
        self.onboarding = onboarding

    def receive_code(self, code: str) -> Onboarding:
        """Exchanges the code for the token at once: it lives 30 seconds and works once.

        A second post of it changes nothing. Another code is another sign-up, from a second window on the same page:
        it gets an attempt of its own. Returns the attempt whose code it is.
        """
        onboarding, digest = self.onboarding.refresh_locked(), hashlib.sha256(code.encode()).hexdigest()
        step = onboarding.step("code_exchanged")
        if not onboarding.needs_sign_up or step.state != "pending":
            same = onboarding.code_digest in ("", digest)
            return onboarding if same else SignUp(self.split_off(digest)).receive_code(code)
        onboarding.state, onboarding.stopped_at, onboarding.lease_until = "running", "", now() + LEASE
        onboarding.code_digest = digest
        step.begin()
        commit()
        try:
            token = embedded_signup.exchange_code(graph, code)
        except embedded_signup.CodeLost:
            onboarding.code_lost_at, onboarding.lease_until, step.outcome = now(), None, code_lost().as_dict()
        except MetaError as error:
            onboarding.fail(step, code_refused(error))
        else:
            onboarding.receive_token(token.value, signed_up_at=now())
            onboarding.lease_until = None
        announce("onboarding", onboarding.id)
        commit()
        if onboarding.state == "running":
            later("onboarding.advance", onboarding.id)
        return onboarding

    def split_off(self, digest: str) -> Onboarding:
        """The attempt of the same person for this other code, made where there is none, with all the claims so far."""
        first = self.onboarding
        same = Onboarding.newest_first().where(
            Onboarding.code_digest == digest, Onboarding.started_by_id == first.started_by_id
        )
        if existing := db.session.scalar(same.limit(1)):
            return existing
        other = Onboarding.begin(db.session.get(User, first.started_by_id) if first.started_by_id else None)
        other.claims, other.earlier_claims = first.claims, first.earlier_claims
        return other

    def receive_claims(self, event: str, data: dict[str, Any]) -> None:
        """Stores what the Facebook window gave the browser; the token has to prove it.

        Where Meta shared the account without a window, the token is its whole business's and would prove too much.
        """
        onboarding = self.onboarding.refresh_locked()
        if onboarding.source == "partner":
            return
        ids = {name: str(data[name]) for name in CLAIMS if is_meta_id(data.get(name))}
        if onboarding.claims.get("waba_id") and onboarding.claims["waba_id"] != ids.get("waba_id"):
            onboarding.earlier_claims = [*onboarding.earlier_claims, onboarding.claims][-MOST_CLAIMS:]
        onboarding.claims = ids | {"event": event[:60]}
        if onboarding.waba_id:
            onboarding.use_claims(onboarding.waba.meta_id)
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
        that we used, no one may own the account, and no other business may claim it.
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


def code_refused(error: MetaError) -> Trouble:
    """Why Meta took no code: only a new one helps, where the fault is the platform's once that is fixed."""
    if is_our_fault(error):
        log.error("Meta refused the app's own settings", meta_code=error.code, subcode=error.subcode)
        return Trouble(NOT_SET_UP, WAIT_FOR_US, owner="platform", hint=CHECK_SETTINGS, start_again=True).quoting(error)
    trouble = Trouble.at_meta(error)
    trouble.fix, trouble.owner, trouble.start_again = START_AGAIN, "tenant", True
    trouble.passing = False
    if trouble.code is None and not isinstance(error, NotConnected):
        trouble.title = LOST
    return trouble


def is_our_fault(error: MetaError) -> bool:
    """Whether Meta refused the app, not the code: there is nothing a tenant could do about it."""
    return bool({error.code, error.subcode} & OUR_FAULTS or OUR_WORDS.search(error.details or ""))


def code_lost() -> Trouble:
    return Trouble(LOST, OTHER_WAY, owner="", start_again=True, passing=True)


def is_free(waba_id: str, tenant_id: object, since: dt.datetime) -> bool:
    """Whether no other tenant owns the account or has claimed it lately. Needs a platform scope."""
    route = db.session.get(WabaRoute, waba_id)
    claimed = or_(
        Onboarding.claims["waba_id"].astext == waba_id,
        Onboarding.earlier_claims.contains([{"waba_id": waba_id}]),
    )
    rivals = select(func.count()).where(
        claimed,
        Onboarding.tenant_id != tenant_id,
        Onboarding.created_at >= since - dt.timedelta(hours=1),
    )
    return (route is None or route.tenant_id == tenant_id) and db.session.scalars(rivals).one() == 0


def is_meta_id(value: object) -> bool:
    return isinstance(value, str | int) and str(value).isdecimal() and len(str(value)) <= 32
