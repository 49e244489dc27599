"""Whether Meta knows our app, our system user and our credit line, and posts its webhooks here."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from app.extensions import outside
from app.meta import app_settings, credit_lines, embedded_signup, system_users
from app.words import N_

from .checks import WEBHOOKS, Ill, check

# What the app acts upon.
FIELDS = (
    "account_alerts",
    "account_review_update",
    "account_update",
    "business_capability_update",
    "history",
    "message_template_status_update",
    "messages",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "smb_app_state_sync",
    "smb_message_echoes",
    "user_preferences",
)


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
    token, line = here.settings.meta_system_user_token, here.settings.meta_credit_line_id
    stands = credit_lines.fetch(here.graph, token, line)
    if stands.is_used_up:
        raise Ill(
            f"{stands.balance} / {stands.max_balance} {stands.currency}",
            N_("It is used up, so Meta refuses every message (131042). Pay what is due, or have the limit raised."),
        )
    left = f": {stands.credit_available} {stands.currency}" if stands.credit_available is not None else ""
    return f"{line}{left}"


@check(N_("Facebook's own sign-up page"))
def hosted_signup() -> str:
    """It is optional; a wrong one would share clients' accounts with another app."""
    settings = outside().settings
    address = settings.meta_hosted_signup_url
    if not address:
        return ""
    if not is_facebooks(address, settings.meta_dialog_origins):
        raise Ill(address, N_("META_HOSTED_SIGNUP_URL is no https address of Facebook's. Copy it anew."))
    named = {value for values in parse_qs(urlsplit(address).query).values() for value in values}
    if settings.meta_app_id not in named or settings.meta_config_id not in named:
        raise Ill(address, N_("It is of another app or configuration: copy it from this app's dashboard, Quickstart."))
    return address


def is_facebooks(address: str, origins: tuple[str, ...]) -> bool:
    parts = urlsplit(address)
    if f"{parts.scheme}://{parts.netloc}" in origins:
        return True
    return parts.scheme == "https" and f".{parts.hostname or ''}".endswith(".facebook.com")
