"""Checks at Meta: our app, system user and credit line, and where its webhooks go."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from app.extensions import outside
from app.meta import app_settings, credit_lines, embedded_signup, system_users
from app.words import N_

from .checks import CheckFailed, check

# What the app acts upon.
FIELDS = (
    "account_alerts",
    "account_review_update",
    "account_update",
    "business_capability_update",
    "history",
    "message_template_components_update",
    "message_template_status_update",
    "messages",
    "messaging_handovers",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "smb_app_state_sync",
    "smb_message_echoes",
    "standby",
    "template_category_update",
    "user_preferences",
)


@check(N_("Meta knows the app and its secret"))
def meta_app() -> str:
    here = outside()
    app = app_settings.fetch(here.graph, here.graph.app_token)
    return f"{app.name} ({app.id})"


@check(N_("Meta sends webhooks to this installation"))
def callback() -> str:
    here = outside()
    expected = here.settings.callback_url
    current = app_settings.callback(here.graph, here.graph.app_token)
    if current is None:
        raise CheckFailed(
            expected, N_("Set this address with META_VERIFY_TOKEN in the app's dashboard, WhatsApp, Configuration.")
        )
    if current.callback_url != expected:
        raise CheckFailed(
            f"{current.callback_url} ≠ {expected}", N_("Set the callback in the app's dashboard to this address.")
        )
    if not current.is_active:
        raise CheckFailed(expected, N_("Meta has turned the callback off. Verify it again in the app's dashboard."))
    return expected


@check(N_("Webhook fields"))
def fields() -> str:
    here = outside()
    current = app_settings.callback(here.graph, here.graph.app_token)
    missing = [name for name in FIELDS if current is None or name not in current.fields]
    if missing:
        raise CheckFailed(
            ", ".join(missing), N_("Subscribe to these fields in the app's dashboard, WhatsApp, Configuration.")
        )
    return f"{len(FIELDS)}"


@check(N_("System user at Meta"))
def system_user() -> str:
    here = outside()
    token = here.settings.meta_system_user_token
    if not embedded_signup.debug_token(here.graph, token, here.graph.app_token).is_valid:
        raise CheckFailed(
            "META_SYSTEM_USER_TOKEN", N_("Meta no longer accepts this token. Create a new one in Business settings.")
        )
    users = system_users.of_business(here.graph, token, here.settings.meta_business_id)
    mine = next((user for user in users if user.id == here.settings.meta_system_user_id), None)
    if mine is None or mine.role != "ADMIN":
        raise CheckFailed("META_SYSTEM_USER_ID", N_("It has to be an admin system user of META_BUSINESS_ID."))
    return f"{mine.name}, {mine.role}"


@check(N_("Credit line"))
def credit_line() -> str:
    here = outside()
    lines = credit_lines.of_business(here.graph, here.settings.meta_system_user_token, here.settings.meta_business_id)
    if here.settings.meta_credit_line_id not in lines:
        raise CheckFailed(
            "META_CREDIT_LINE_ID",
            N_("This is not a credit line of META_BUSINESS_ID, or the system user is not an admin there."),
        )
    token, line = here.settings.meta_system_user_token, here.settings.meta_credit_line_id
    balance = credit_lines.fetch(here.graph, token, line)
    if balance.is_used_up:
        raise CheckFailed(
            f"{balance.balance} / {balance.max_balance} {balance.currency}",
            N_(
                "It is used up, so Meta refuses every message (131042). Pay the balance or ask Meta to raise the limit."
            ),
        )
    left = f": {balance.credit_available} {balance.currency}" if balance.credit_available is not None else ""
    return f"{line}{left}"


@check(N_("Hosted sign-up page"))
def hosted_signup() -> str:
    """Optional; a wrong address would share clients' accounts with another app."""
    settings = outside().settings
    address = settings.meta_hosted_signup_url
    if not address:
        return ""
    if not is_facebooks(address, settings.meta_dialog_origins):
        raise CheckFailed(address, N_("META_HOSTED_SIGNUP_URL is not an https address of Facebook. Copy it again."))
    named = {value for values in parse_qs(urlsplit(address).query).values() for value in values}
    if settings.meta_app_id not in named or settings.meta_config_id not in named:
        raise CheckFailed(
            address, N_("It belongs to another app or configuration. Copy it from this app's dashboard, Quickstart.")
        )
    return address


def is_facebooks(address: str, origins: tuple[str, ...]) -> bool:
    parts = urlsplit(address)
    if f"{parts.scheme}://{parts.netloc}" in origins:
        return True
    return parts.scheme == "https" and f".{parts.hostname or ''}".endswith(".facebook.com")
