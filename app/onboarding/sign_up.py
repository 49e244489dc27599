"""The code that Facebook's window hands over, for a token; and the token where the code was lost on the way."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.extensions import graph, settings
from app.meta import embedded_signup, system_users
from app.meta.errors import GraphError, MetaError, NoAnswer, NotConnected
from app.tenancy import commit, db, platform_scope
from app.tenancy.models import WabaRoute
from app.wabas.partners import PartnerWaba
from app.words import N_

from .trouble import START_AGAIN, Trouble

if TYPE_CHECKING:
    from .models import Onboarding

CODE_USED = 36009
LOST = N_("Facebook's answer got lost, and its sign-in code works only once.")
OTHER_WAY = N_("We are fetching our access another way. If that takes longer than a minute, start again.")
# The window tells Meta's servers before it tells us; their clocks may differ.
SLACK = dt.timedelta(minutes=1)


class CodeLost(Exception):
    """Meta has taken the code, and its answer with the token never came."""


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


def lost_code(error: MetaError) -> Trouble:
    trouble = Trouble.at_meta(error)
    trouble.fix, trouble.mender, trouble.start_again = START_AGAIN, "you", True
    trouble.passing = False
    if trouble.code is None and not isinstance(error, NotConnected):
        trouble.title = LOST
    return trouble


def fetching() -> Trouble:
    return Trouble(LOST, OTHER_WAY, mender="nobody", start_again=True, passing=True)


def recover(onboarding: Onboarding) -> str:
    """The token of the business that Meta itself says has just shared with us the account the browser names.

    The browser's word alone would open anybody's account; so Meta's has to fit it, the code has to have been
    a real one that we used, nobody may own the account, and no other business may be after it.
    """
    claimed, since, tenant_id = onboarding.claims.get("waba_id"), onboarding.created_at - SLACK, onboarding.tenant_id
    was_real = onboarding.code_lost_at is not None
    commit()
    if not was_real:
        raise Trouble(LOST, START_AGAIN, start_again=True)
    business_id = None
    if claimed:
        with platform_scope("whose code was lost?"):
            shared = db.session.get(PartnerWaba, claimed)
            if shared and shared.shared_at >= since and is_free(claimed, tenant_id, since):
                business_id = shared.owner_business_id
    if not business_id:
        raise fetching()
    token = system_users.fetch_business_token(graph, settings.meta_system_user_token, business_id)
    info = embedded_signup.debug_token(graph, token, graph.app_token)
    if not info.is_valid or claimed not in (info.waba_ids or ()):
        raise Trouble(LOST, START_AGAIN, start_again=True)
    return token


def is_free(waba_id: str, tenant_id: object, since: dt.datetime) -> bool:
    from .models import Onboarding

    route = db.session.get(WabaRoute, waba_id)
    rivals = select(func.count()).where(
        Onboarding.claims["waba_id"].astext == waba_id,
        Onboarding.tenant_id != tenant_id,
        Onboarding.created_at >= since - dt.timedelta(hours=1),
    )
    return (route is None or route.tenant_id == tenant_id) and db.session.scalars(rivals).one() == 0
