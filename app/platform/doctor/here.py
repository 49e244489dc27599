"""Checks of this installation: time, database, queues, files, keys, mail."""

from __future__ import annotations

import datetime as dt
import smtplib
import time
import uuid
from email.utils import parsedate_to_datetime
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import redis as redis_client
import rq
from sqlalchemy import func, select, text

from app.assistant.local_embedding import LOCAL_MODEL, embed_here, has_local_model
from app.assistant.providers.completion import ModelError
from app.extensions import outside
from app.storage import new_key
from app.tenancy import database_now, db, now, platform_scope
from app.tenancy.cluster import Cluster, NotACluster
from app.tenancy.lanes import LANES
from app.tenancy.queue import last_runs
from app.tenancy.sealed import Sealed
from app.webhook_events.models import WebhookEvent
from app.words import N_

from .checks import SECONDS, CheckFailed, check

TOO_FAR, TOO_OLD = dt.timedelta(seconds=30), dt.timedelta(minutes=2)


@check(N_("Time"))
def clock() -> str:
    with platform_scope("doctor"):
        apart = abs(database_now() - now())
    if apart > TOO_FAR:
        raise CheckFailed(
            f"{apart.total_seconds():.0f} s",
            N_("This machine and Postgres disagree about the time. Set up NTP on both."),
        )
    date = date_at_meta()
    if date and abs(parsedate_to_datetime(date) - now()) > TOO_FAR:
        raise CheckFailed(date, N_("This machine and Meta disagree about the time. Set up NTP."))
    return f"{apart.total_seconds():.1f} s"


def date_at_meta() -> str | None:
    """None where Meta cannot be reached, which is another check's finding."""
    try:
        with httpx.Client(timeout=SECONDS, trust_env=False) as http:
            date: str | None = http.get(outside().settings.meta_graph_url).headers.get("date")
            return date
    except httpx.HTTPError:
        return None


@check(N_("Postgres and row security"))
def postgres() -> str:
    bound = text("select not (rolsuper or rolbypassrls) from pg_roles where rolname = :role")
    for name in ("database_url", "platform_database_url"):
        role = urlsplit(getattr(outside().settings, name)).username
        with platform_scope("doctor"):
            if not db.session.scalar(bound, {"role": role}):
                raise CheckFailed(str(role), N_("This role bypasses row security. Run flask bootstrap."))
    return "switchboard_app, switchboard_platform"


@check(N_("One Postgres or a cluster"))
def cluster() -> str:
    with platform_scope("doctor"):
        try:
            citus = Cluster(db.session.connection())
        except NotACluster:
            return "Postgres"
        if missing := citus.missing:
            raise CheckFailed(
                ", ".join(missing), N_("These tables are not in the Citus cluster. Run flask distribute.")
            )
        if not citus.propagates_settings:
            raise CheckFailed("citus.propagate_set_commands", N_("Workers don't get the tenant. Run flask distribute."))
        return f"Citus, {len(citus.present)}"


@check(N_("Redis and the workers"))
def queues() -> str:
    redis = outside().redis
    try:
        redis.ping()
    except redis_client.RedisError:
        raise CheckFailed(
            "Redis", N_("Redis does not answer at REDIS_URL. Webhooks are still stored, but no job runs.")
        ) from None
    listening = {name for worker in rq.Worker.all(connection=redis) for name in worker.queue_names()}
    if absent := [lane for lane in LANES if lane not in listening]:
        raise CheckFailed(", ".join(absent), N_("No worker is listening to these queues. Start python -m app.worker."))
    return ", ".join(LANES)


@check(N_("Webhooks are processed"))
def backlog() -> str:
    with platform_scope("doctor"):
        number, oldest = db.session.execute(WebhookEvent.backlog()).one()
    if oldest and now() - oldest > TOO_OLD:
        raise CheckFailed(
            f"{number}",
            N_("The oldest has been queued for over two minutes. Check that the inbound worker is running."),
        )
    return f"{number}"


@check(N_("Scheduler"))
def sweeps() -> str:
    beat = outside().redis.get("clock beat")
    if beat is None:
        raise CheckFailed(
            "python -m app.clock", N_("Start it. Without it no lost job is re-enqueued and no schedule runs.")
        )
    if failing := sorted(name for name, run in last_runs().items() if run.failed):
        raise CheckFailed(", ".join(failing), N_("These sweeps failed when they last ran. See the scheduler's log."))
    return f"{max(0.0, time.time() - float(beat)):.0f} s"


@check(N_("File storage"))
def storage() -> str:
    store, key, content = outside().storage, new_key(uuid.uuid4()), b"written to see whether it can be"
    try:
        store.put(key, BytesIO(content))
        store.delete(key)
    except Exception as error:  # noqa: BLE001  each kind of store has its own
        raise CheckFailed(
            type(error).__name__,
            N_("MEDIA_URL cannot be written to. Check the folder's permissions or the access keys."),
        ) from None
    return urlsplit(outside().settings.media_url).scheme


@check(N_("Encryption keys"))
def keys() -> str:
    vault, stale, lost = outside().vault, 0, 0
    with platform_scope("doctor"):
        for secret in Sealed.everywhere:
            column = getattr(secret.owner, secret.column)
            key = func.substr(column, 1, 4)
            for fingerprint, number in db.session.execute(
                select(key, func.count()).where(column.is_not(None)).group_by(key)
            ):
                stale += number if bytes(fingerprint) != vault.current else 0
                lost += number if bytes(fingerprint) not in vault.ciphers else 0
    if lost:
        raise CheckFailed(
            f"{lost}", N_("This many secrets cannot be decrypted. Put the missing key back into ENCRYPTION_KEYS.")
        )
    if stale:
        raise CheckFailed(
            f"{stale}",
            N_(
                "This many still use an older key. Leave it in the list; the scheduler re-encrypts them within minutes."
            ),
        )
    return f"{len(vault.ciphers)}"


@check(N_("Mail"))
def mail() -> str:
    target = urlsplit(outside().settings.mail_url)
    if target.scheme == "file":
        return target.path
    connect = smtplib.SMTP_SSL if target.scheme == "smtps" else smtplib.SMTP
    try:
        with connect(target.hostname or "", target.port or 587, timeout=SECONDS) as server:
            server.noop()
    except (OSError, smtplib.SMTPException):
        raise CheckFailed(target.hostname or "", N_("The mail server of MAIL_URL does not answer.")) from None
    return target.hostname or ""


@check(N_("Local model for search by meaning"))
def local_model() -> str:
    """Optional; one that is installed has to work on this processor."""
    if not has_local_model():
        return ""
    try:
        vectors = embed_here(["bread"], is_question=True)
    except ModelError:
        raise CheckFailed(
            LOCAL_MODEL, N_("The wheel doesn't work here: it is for Linux on x86-64. Uninstall it.")
        ) from None
    return f"{LOCAL_MODEL}, {len(vectors[0])}"
