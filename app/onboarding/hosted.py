"""Facebook's own page in place of its window, for browsers that open none: it carries no tenant and gives no code.

So the account has to say whose it is. Each attempt has a word; an account whose name, or whose number's profile,
holds that word at Meta is that attempt's, because only who holds the account can write it there. A number proves
nothing, as anybody can name it: it only tells the platform's admins who may be meant.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import Tenant, TenantModel, announce, commit, db, exists, now, platform_scope, tenant_scope
from app.tenancy.models import WabaRoute
from app.wabas.models import digits
from app.wabas.partners import Opened, PartnerWaba

if TYPE_CHECKING:
    from .models import Onboarding

# Without what is read as something else: 0 and O, 1 and I.
LETTERS, LENGTH = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 8


class Hosted(TenantModel):
    __abstract__ = True

    state: Mapped[str]
    hosted_at: Mapped[dt.datetime | None]
    hosted_number: Mapped[str] = mapped_column(default="", server_default="")
    hosted_word: Mapped[str] = mapped_column(default="", server_default="")

    def wait_for_facebook(self, number: str) -> None:
        """From now on an account that holds the word is this attempt's."""
        me = cast("Onboarding", self)
        if me.refresh_locked().needs_sign_up:
            me.state, me.stopped_at, me.claims = "started", "", {}
            me.hosted_at, me.hosted_number = now(), digits(number)
            me.hosted_word = me.hosted_word or "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
            announce("onboarding", me.id)
            look_soon()

    def go_back_to_the_window(self) -> None:
        if self.refresh_locked().state in ("started", "cancelled"):
            self.hosted_at = None
            announce("onboarding", self.id)

    def take_over(self, token: str, waba_id: str, shared_at: dt.datetime, numbers: Mapping[str, str]) -> None:
        """The account has come, and is this attempt's."""
        me = cast("Onboarding", self)
        if not me.refresh_locked().needs_sign_up:
            return
        named = {"phone_number_id": numbers[self.hosted_number]} if self.hosted_number in numbers else {}
        me.source, me.claims = "partner", {"waba_id": waba_id} | named
        me.receive_token(token, signed_up_at=shared_at)
        me.step("code_exchanged").finish()
        announce("onboarding", me.id)
        me.advance_later()

    @classmethod
    def is_waiting(cls) -> tuple[ColumnElement[bool], ...]:
        return cls.hosted_at.is_not(None), cls.state.in_(("started", "cancelled"))


def look_soon() -> None:
    """Has all that was shared lately and belongs to nobody looked at within seconds."""
    commit()
    with platform_scope("an owner waits for an account"):
        PartnerWaba.look_soon()


def is_anybody_waiting() -> bool:
    """Needs a platform scope."""
    from .models import Onboarding

    return exists(select(Onboarding.id).where(*Onboarding.is_waiting()))


def find_owner(meta_id: str) -> None:
    """Looks at an account that was shared with us, and gives it to the tenant that it says it belongs to."""
    from .models import Onboarding

    with platform_scope("whose is an account that was shared with us?"):
        shared = db.session.get(PartnerWaba, meta_id)
        opened = shared.look() if shared and shared.is_due else None
        found = meant(shared, opened) if shared and opened else None
    if found and shared and opened:
        with tenant_scope(found.tenant_id):
            waiting = Onboarding.get_or_404(found.id)
            waiting.take_over(opened.token, meta_id, shared.shared_at, opened.numbers)


def meant(shared: PartnerWaba, opened: Opened) -> Row[uuid.UUID, uuid.UUID] | None:
    """The newest attempt of the one tenant that fits; None where none does, or several."""
    from .models import Onboarding

    query = select(Onboarding.tenant_id, Onboarding.id).where(*Onboarding.is_waiting()).order_by(Onboarding.id)
    by_word = query.where(Onboarding.hosted_word.in_(opened.words))
    if route := db.session.get(WabaRoute, shared.meta_id):
        # It is theirs already and has been shared anew: nobody else can get it.
        anew = or_(Onboarding.hosted_at <= shared.shared_at, Onboarding.hosted_word.in_(opened.words))
        by_word = query.where(Onboarding.tenant_id == route.tenant_id, anew)
    found = db.session.execute(by_word).all()
    return found[-1] if len({row.tenant_id for row in found}) == 1 else None


def who_named(accounts: Iterable[PartnerWaba]) -> dict[str, list[Tenant]]:
    """By account: who waits for one of its numbers. Needs a platform scope."""
    from .models import Onboarding

    held = {digits(number["number"]): account.meta_id for account in accounts for number in account.numbers}
    query = select(Onboarding.hosted_number, Tenant).join(Tenant, Tenant.id == Onboarding.tenant_id)
    named: dict[str, list[Tenant]] = defaultdict(list)
    for number, tenant in db.session.execute(
        query.where(*Onboarding.is_waiting(), Onboarding.hosted_number.in_(held)).order_by(Tenant.name)
    ):
        if tenant not in named[held[number]]:
            named[held[number]].append(tenant)
    return named
