"""Background jobs of accounts: check them with Meta, warn before access expires, re-encrypt secrets."""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import or_, select

from app.extensions import redis
from app.tenancy import Tenant, db, job, later, now, platform_scope, sweep
from app.tenancy.sealed import Sealed

from .expiry import warn, warn_of_registration
from .inspection import inspect
from .models import REGISTER_WARNED_AT, WARNED_AT, PhoneNumber, Waba
from .offboarding import Offboarding
from .photos import check_photos

log = structlog.get_logger()

PROBE_EVERY, CHECK_EVERY = dt.timedelta(minutes=2), dt.timedelta(hours=1)
RESEAL_SECONDS = 60


@job("wabas.probe")
def probe(phone_number_id: str) -> None:
    """Checks a paused number; waiting messages are sent once it works again."""
    number = PhoneNumber.get_or_404(phone_number_id)
    if number.state == "paused":
        inspect(number.waba)


@job("wabas.check")
def check(waba_id: str) -> None:
    inspect(Waba.get_or_404(waba_id))
    later("wabas.check_photos", waba_id)


@job("wabas.check_photos")
def check_photos_of(waba_id: str) -> None:
    check_photos(Waba.get_or_404(waba_id))


@job("wabas.warn_of_expiry")
def warn_of_expiry(waba_id: str) -> None:
    warn(Waba.get_or_404(waba_id).refresh_locked())


@job("wabas.warn_of_deadline")
def warn_of_deadline(phone_number_id: str) -> None:
    warn_of_registration(PhoneNumber.get_or_404(phone_number_id).refresh_locked())


@job("wabas.offboard", seconds=180)
def offboard(offboarding_id: str) -> None:
    Offboarding.get_or_404(offboarding_id).go()


@sweep(every=10)
def enqueue_offboardings() -> None:
    due = select(Offboarding.tenant_id, Offboarding.id).where(
        Offboarding.state == "running", Offboarding.next_attempt_at <= now()
    )
    with platform_scope("offboardings that go on"):
        for tenant_id, offboarding_id in db.session.execute(due):
            later("wabas.offboard", offboarding_id, tenant_id=tenant_id)


@sweep(every=10)
def enqueue_probes() -> None:
    due = or_(PhoneNumber.probed_at.is_(None), PhoneNumber.probed_at < now() - PROBE_EVERY)
    paused = select(PhoneNumber.tenant_id, PhoneNumber.id).where(PhoneNumber.state == "paused", due)
    paused = paused.where(PhoneNumber.tenant_id.not_in(Tenant.sandboxes()))
    with platform_scope("do paused numbers work again?"):
        for tenant_id, number_id in db.session.execute(paused):
            later("wabas.probe", number_id, tenant_id=tenant_id)


@sweep(every=60)
def enqueue_checks() -> None:
    """Checks every connected account once an hour, for changes without a webhook."""
    same = (PhoneNumber.tenant_id == Waba.tenant_id) & (PhoneNumber.waba_id == Waba.id)
    connected = select(PhoneNumber.id).where(same, PhoneNumber.state.in_(("connected", "paused"))).exists()
    due = or_(Waba.checked_at.is_(None), Waba.checked_at < now() - CHECK_EVERY)
    due_wabas = select(Waba.tenant_id, Waba.id).where(connected, due, Waba.token_ciphertext.is_not(None))
    due_wabas = due_wabas.where(Waba.tenant_id.not_in(Tenant.sandboxes()))
    with platform_scope("reconcile accounts with Meta"):
        for tenant_id, waba_id in db.session.execute(due_wabas.order_by(Waba.checked_at).limit(100)):
            later("wabas.check", waba_id, tenant_id=tenant_id)


@sweep(every=600)
def enqueue_expiry_warnings() -> None:
    soon = Waba.token_expires_at < now() + dt.timedelta(days=WARNED_AT[0])
    with platform_scope("do tokens end soon?"):
        for waba in db.session.scalars(select(Waba).where(soon, Waba.token_ciphertext.is_not(None))):
            if waba.access_ends.is_due:
                later("wabas.warn_of_expiry", waba.id, tenant_id=waba.tenant_id)


@sweep(every=600)
def enqueue_deadline_warnings() -> None:
    soon = PhoneNumber.register_by < now() + dt.timedelta(days=REGISTER_WARNED_AT[0])
    with platform_scope("does Meta still wait for numbers?"):
        for number in db.session.scalars(select(PhoneNumber).where(soon, PhoneNumber.state == "connecting")):
            if number.registration_ends.is_due:
                later("wabas.warn_of_deadline", number.id, tenant_id=number.tenant_id)


@sweep(every=60)
def reseal_secrets() -> None:
    """Re-encrypts with the first of ENCRYPTION_KEYS; an old key can be removed once nothing uses it."""
    if not redis.set("reseal", 1, nx=True, ex=RESEAL_SECONDS):
        return
    with platform_scope("encrypt secrets with the newest key"):
        for secret in Sealed.everywhere:
            if lost := secret.reseal():
                log.error("secrets that no key opens", table=secret.owner.__tablename__, number=lost)
