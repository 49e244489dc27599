"""Facebook's own page in place of its window, for browsers that open none: it carries no tenant and gives no code.

So the account has to name its owner. Each attempt has a word; an account whose name, or whose number's profile,
holds that word at Meta belongs to that attempt, because only who holds the account can write it there. A number
proves nothing, as anybody can name it: it only tells the platform's admins who may be the owner.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, Row, or_, select

from app.tenancy import Tenant, announce, commit, db, exists, later, now, platform_scope, tenant_scope
from app.tenancy.models import WabaRoute
from app.wabas.models import digits
from app.wabas.partners import Opened, PartnerWaba

from .models import Onboarding

# Without what is read as something else: 0 and O, 1 and I.
LETTERS, LENGTH = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 8


class Hosted:
    """An attempt that waits for an account from Facebook's own page."""

    def __init__(self, onboarding: Onboarding) -> None:
        self.onboarding = onboarding

    def wait_for_account(self, number: str) -> None:
        """From now on an account that holds the word belongs to this attempt."""
        onboarding = self.onboarding.refresh_locked()
        if onboarding.needs_sign_up:
            onboarding.state, onboarding.stopped_at, onboarding.claims = "started", "", {}
            onboarding.hosted_at, onboarding.hosted_number = now(), digits(number)
            onboarding.hosted_word = onboarding.hosted_word or "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
            announce("onboarding", onboarding.id)
            check_soon()

    def cancel(self) -> None:
        """Goes back to the Facebook window."""
        if self.onboarding.refresh_locked().needs_sign_up:
            self.onboarding.hosted_at = None
            announce("onboarding", self.onboarding.id)

    def take_over(self, token: str, waba_id: str, shared_at: dt.datetime, numbers: Mapping[str, str]) -> None:
        """The account has come: the attempt goes on with it. `numbers` are its numbers' ids by their digits."""
        onboarding = self.onboarding.refresh_locked()
        if not onboarding.needs_sign_up:
            return
        number_id = numbers.get(onboarding.hosted_number)
        onboarding.source = "partner"
        onboarding.claims = {"waba_id": waba_id} | ({"phone_number_id": number_id} if number_id else {})
        onboarding.receive_token(token, signed_up_at=shared_at)
        announce("onboarding", onboarding.id)
        later("onboarding.advance", onboarding.id)


def adopt(token: str, waba_id: str, shared_at: dt.datetime) -> None:
    """Gives an account to the current tenant: to the attempt that waits for it, else to a new one."""
    waiting = db.session.scalar(Onboarding.newest_first().where(*is_waiting()).limit(1))
    Hosted(waiting or Onboarding.begin(None, "partner")).take_over(token, waba_id, shared_at, {})


def is_waiting() -> tuple[ColumnElement[bool], ...]:
    return Onboarding.hosted_at.is_not(None), Onboarding.state.in_(("started", "cancelled"))


def is_anyone_waiting() -> bool:
    """Whether any attempt waits for an account. Needs a platform scope."""
    return exists(select(Onboarding.id).where(*is_waiting()))


def check_soon() -> None:
    """Has everything that was shared lately and is unassigned checked within seconds."""
    commit()
    with platform_scope("an owner waits for an account"):
        PartnerWaba.check_soon()


def find_owner(meta_id: str) -> None:
    """Asks Meta about an account that was shared with us, and gives it to the attempt that it names."""
    with platform_scope("who owns an account that was shared with us?"):
        shared = db.session.get(PartnerWaba, meta_id)
        opened = shared.open() if shared and shared.is_due else None
        owner = owner_of(shared, opened) if shared and opened else None
    if owner and shared and opened:
        with tenant_scope(owner.tenant_id):
            waiting = Onboarding.get_or_404(owner.id)
            Hosted(waiting).take_over(opened.token, meta_id, shared.shared_at, opened.numbers)


def owner_of(shared: PartnerWaba, opened: Opened) -> Row[uuid.UUID, uuid.UUID] | None:
    """The newest attempt of the one tenant that fits; None where none does, or several."""
    query = select(Onboarding.tenant_id, Onboarding.id).where(*is_waiting()).order_by(Onboarding.id)
    by_word = query.where(Onboarding.hosted_word.in_(opened.words))
    if route := db.session.get(WabaRoute, shared.meta_id):
        # This tenant owns it already; no other tenant can claim it.
        anew = or_(Onboarding.hosted_at <= shared.shared_at, Onboarding.hosted_word.in_(opened.words))
        by_word = query.where(Onboarding.tenant_id == route.tenant_id, anew)
    candidates = db.session.execute(by_word).all()
    return candidates[-1] if len({row.tenant_id for row in candidates}) == 1 else None


def tenants_naming(accounts: Iterable[PartnerWaba]) -> dict[str, list[Tenant]]:
    """By account: the tenants that wait for one of its numbers. Needs a platform scope."""
    account_of = {digits(number["number"]): account.meta_id for account in accounts for number in account.numbers}
    query = select(Onboarding.hosted_number, Tenant).join(Tenant, Tenant.id == Onboarding.tenant_id)
    named: dict[str, list[Tenant]] = defaultdict(list)
    for number, tenant in db.session.execute(
        query.where(*is_waiting(), Onboarding.hosted_number.in_(account_of)).order_by(Tenant.name)
    ):
        if tenant not in named[account_of[number]]:
            named[account_of[number]].append(tenant)
    return named
