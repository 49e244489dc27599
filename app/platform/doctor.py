"""Whether this installation can work: each thing it needs, looked at, with what to do where it is not so."""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import redis as redis_client
import rq
from sqlalchemy import func, select, text

from app.extensions import outside
from app.meta import app_settings, credit_lines, embedded_signup, system_users
from app.meta.codes.explanation import N_
from app.meta.errors import MetaError
from app.storage import new_key
from app.tenancy import commit, database_now, db, now, platform_scope
from app.tenancy.queue import LANES
from app.tenancy.sealed import Sealed

WEBHOOKS = "/webhooks/whatsapp"
SECONDS = 5.0
TOO_FAR, TOO_OLD = dt.timedelta(seconds=30), dt.timedelta(minutes=2)
# What the app acts upon. The first three it cannot work without.
NEEDED = ("messages", "account_update", "phone_number_quality_update")
FIELDS = (
    *NEEDED,
    "account_alerts",
    "account_review_update",
    "business_capability_update",
    "history",
    "message_template_status_update",
    "phone_number_name_update",
    "security",
    "smb_app_state_sync",
    "smb_message_echoes",
    "user_preferences",
)


class Ill(Exception):
    """What is wrong, and what helps."""

    def __init__(self, words: str, fix: str, **facts: object) -> None:
        super().__init__(words)
        self.words, self.fix, self.facts = words, fix, facts


@dataclass(frozen=True)
class Finding:
    title: str
    is_well: bool
    words: str = ""
    fix: str = ""


CHECKS: list[tuple[str, Callable[[], str | None]]] = []


def check(title: str) -> Callable[[Callable[[], str | None]], Callable[[], str | None]]:
    def add(look: Callable[[], str | None]) -> Callable[[], str | None]:
        CHECKS.append((title, look))
        return look

    return add


def examine() -> Iterator[Finding]:
    """Every check, one after the other; one that breaks is ill and does not stop the others."""
    for title, look in CHECKS:
        commit()
        try:
            yield Finding(title, True, look() or "")
        except Ill as ill:
            yield Finding(title, False, ill.words, ill.fix)
        except MetaError as error:
            said = " ".join(filter(None, (error.details, f"({error.code})" if error.code is not None else "")))
            yield Finding(title, False, f"{error.title} {said}".strip(), META_REFUSES)
        except Exception as error:  # noqa: BLE001  a check that breaks is a finding too
            yield Finding(title, False, type(error).__name__, LOOK_IN_LOG)


META_REFUSES = N_("Compare the META_ settings with the app's dashboard at Meta (docs/settings.md).")
LOOK_IN_LOG = N_("Look into the log of the web process.")


@check(N_("The public address answers"))
def public_url() -> str:
    address = outside().settings.public_url
    try:
        with httpx.Client(timeout=SECONDS, trust_env=False, follow_redirects=False) as http:
            answer = http.get(f"{address}/healthz")
    except httpx.HTTPError:
        raise Ill(address, N_("PUBLIC_URL has to lead here, also from this machine. Check DNS and proxy.")) from None
    if answer.status_code != 200 or answer.text.strip() != "ok":
        raise Ill(
            f"{address}: {answer.status_code}", N_("Something else answers at PUBLIC_URL, or the proxy redirects.")
        )
    return address


@check(N_("TLS"))
def tls() -> str:
    parts = urlsplit(outside().settings.public_url)
    if parts.scheme != "https":
        if parts.hostname in ("localhost", "127.0.0.1"):
            return "http, on this machine only"
        raise Ill(
            "http", N_("Meta takes https only. Put a proxy with a certificate in front and set PUBLIC_URL to it.")
        )
    with httpx.Client(timeout=SECONDS, trust_env=False, verify=ssl.create_default_context()) as http:
        try:
            http.get(f"https://{parts.netloc}/healthz")
        except httpx.HTTPError as error:
            raise Ill(type(error).__name__, N_("The certificate is not one that others trust. Renew it.")) from None
    return "https"


@check(N_("Proxy headers"))
def proxy() -> str:
    """The cookie of a session is named after what the app believes: https or not."""
    settings = outside().settings
    with httpx.Client(timeout=SECONDS, trust_env=False, follow_redirects=False) as http:
        cookies = http.get(f"{settings.public_url}/sign-in").headers.get_list("set-cookie")
    if settings.is_https and not any("secure" in cookie.lower() for cookie in cookies):
        raise Ill("X-Forwarded-Proto", N_("The proxy has to pass on X-Forwarded-For and X-Forwarded-Proto, one hop."))
    return "X-Forwarded-For, X-Forwarded-Proto"


@check(N_("Meta knows the app and its secret"))
def meta_app() -> str:
    here = outside()
    found = app_settings.fetch(here.graph, here.graph.app_token)
    return f"{found.name} ({found.id})"


@check(N_("Webhooks come to this installation"))
def callback() -> str:
    here = outside()
    expected = f"{here.settings.public_url}{WEBHOOKS}"
    found = app_settings.callback(here.graph, here.graph.app_token)
    if found is None:
        raise Ill(
            expected, N_("Set this address with META_VERIFY_TOKEN in the app's dashboard, WhatsApp, Configuration.")
        )
    if found.callback_url != expected:
        raise Ill(f"{found.callback_url} ≠ {expected}", N_("Set the callback in the app's dashboard to this address."))
    if not found.is_active:
        raise Ill(expected, N_("Meta has switched the callback off. Verify it anew in the app's dashboard."))
    return expected


@check(N_("The fields of the webhooks"))
def fields() -> str:
    here = outside()
    found = app_settings.callback(here.graph, here.graph.app_token)
    missing = [name for name in FIELDS if found is None or name not in found.fields]
    if missing:
        raise Ill(", ".join(missing), N_("Subscribe to these fields in the app's dashboard, WhatsApp, Configuration."))
    return f"{len(FIELDS)}"


@check(N_("Meta reaches us: webhooks answer the challenge"))
def challenge() -> str:
    settings, word = outside().settings, uuid.uuid4().hex
    asked = {"hub.mode": "subscribe", "hub.verify_token": settings.meta_verify_token, "hub.challenge": word}
    with httpx.Client(timeout=SECONDS, trust_env=False) as http:
        answer = http.get(f"{settings.public_url}{WEBHOOKS}", params=asked)
    if answer.text != word:
        raise Ill(f"{answer.status_code}", N_("The proxy has to pass /webhooks/ on unchanged, with its query."))
    return WEBHOOKS


@check(N_("Our system user at Meta"))
def system_user() -> str:
    here = outside()
    token = here.settings.meta_system_user_token
    if not embedded_signup.debug_token(here.graph, token, here.graph.app_token).is_valid:
        raise Ill("META_SYSTEM_USER_TOKEN", N_("Meta does not take it any more: make a new one in Business settings."))
    known = system_users.of_business(here.graph, token, here.settings.meta_business_id)
    mine = next((user for user in known if user.id == here.settings.meta_system_user_id), None)
    if mine is None or mine.role != "ADMIN":
        raise Ill("META_SYSTEM_USER_ID", N_("It has to be an admin system user of META_BUSINESS_ID."))
    return f"{mine.name}, {mine.role}"


@check(N_("The credit line"))
def credit_line() -> str:
    here = outside()
    lines = credit_lines.of_business(here.graph, here.settings.meta_system_user_token, here.settings.meta_business_id)
    if here.settings.meta_credit_line_id not in lines:
        raise Ill(
            "META_CREDIT_LINE_ID", N_("It is none of our business's lines; the system user has to be Admin there.")
        )
    return here.settings.meta_credit_line_id


@check(N_("The clock"))
def clock() -> str:
    with platform_scope("doctor"):
        apart = abs(database_now() - now())
    if apart > TOO_FAR:
        raise Ill(f"{apart.total_seconds():.0f} s", N_("This machine and Postgres disagree. Let both follow NTP."))
    told = metas_clock()
    if told and abs(parsedate_to_datetime(told) - now()) > TOO_FAR:
        raise Ill(told, N_("This machine and Meta disagree about the time. Let it follow NTP."))
    return f"{apart.total_seconds():.1f} s"


def metas_clock() -> str | None:
    """Whether Meta can be reached at all is another check's."""
    try:
        with httpx.Client(timeout=SECONDS, trust_env=False) as http:
            told: str | None = http.get(outside().settings.meta_graph_url).headers.get("date")
            return told
    except httpx.HTTPError:
        return None


@check(N_("Postgres and row security"))
def postgres() -> str:
    bound = text("select not (rolsuper or rolbypassrls) from pg_roles where rolname = :role")
    for name in ("database_url", "platform_database_url"):
        role = urlsplit(getattr(outside().settings, name)).username
        with platform_scope("doctor"):
            if not db.session.scalar(bound, {"role": role}):
                raise Ill(
                    str(role), N_("This role passes row security: one of the two walls is gone. Run flask bootstrap.")
                )
    return "switchboard_app, switchboard_platform"


@check(N_("Redis and the workers"))
def queues() -> str:
    redis = outside().redis
    try:
        redis.ping()
    except redis_client.RedisError:
        raise Ill("Redis", N_("Redis does not answer at REDIS_URL. Webhooks are still stored; no job runs.")) from None
    listening = {name for worker in rq.Worker.all(connection=redis) for name in worker.queue_names()}
    if absent := [lane for lane in LANES if lane not in listening]:
        raise Ill(", ".join(absent), N_("No worker listens here. Start python -m app.worker."))
    return ", ".join(LANES)


@check(N_("Webhooks are worked off"))
def backlog() -> str:
    waiting = text("select count(*), min(received_at) from webhook_events where drained_at is null")
    with platform_scope("doctor"):
        number, oldest = db.session.execute(waiting).one()
    if oldest and now() - oldest > TOO_OLD:
        raise Ill(f"{number}", N_("The oldest waits for over two minutes. Is the worker of the lane inbound alive?"))
    return f"{number}"


@check(N_("The clock process runs"))
def sweeps() -> str:
    beat = outside().redis.get("clock beat")
    if beat is None:
        raise Ill("python -m app.clock", N_("Start it: without it nothing lost is rung again, and nothing is watched."))
    return f"{max(0.0, time.time() - float(beat)):.0f} s"


@check(N_("Files are kept"))
def storage() -> str:
    store, key, content = outside().storage, new_key(uuid.uuid4()), b"written to see whether it can be"
    try:
        store.put(key, BytesIO(content))
        store.delete(key)
    except Exception as error:  # noqa: BLE001  each kind of store has its own
        raise Ill(
            type(error).__name__, N_("MEDIA_URL cannot be written to. Check the folder's rights, or the keys.")
        ) from None
    return urlsplit(outside().settings.media_url).scheme


@check(N_("The keys for secrets"))
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
        raise Ill(
            f"{lost}", N_("So many secrets no key of ENCRYPTION_KEYS opens. Put the missing key back into the list.")
        )
    if stale:
        raise Ill(
            f"{stale}",
            N_("So many are still under an older key. Keep it in the list; the clock moves them within minutes."),
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
        raise Ill(target.hostname or "", N_("The mail server of MAIL_URL does not answer.")) from None
    return target.hostname or ""
