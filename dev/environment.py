"""Settings for development, demo and tests, where one machine runs everything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

SIMULATED_META = {
    "META_APP_ID": "1234567890",
    "META_APP_SECRETS": "simulated-app-secret",
    "META_CONFIG_ID": "9876543210",
    "META_VERIFY_TOKEN": "simulated-verify-token",
    "META_BUSINESS_ID": "506914307656634",
    "META_SYSTEM_USER_ID": "100089633322111",
    "META_SYSTEM_USER_TOKEN": "EAAsimulatedsystemuser",
    "META_CREDIT_LINE_ID": "1972385232742146",
}


def key(seed: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(seed.encode()).digest()).decode()


def database_urls(url_of: Callable[[str, str], str], database: str) -> dict[str, str]:
    """The three roles' addresses; `url_of(user, database)` makes one."""
    return {
        "DATABASE_URL": url_of("switchboard_app", database),
        "PLATFORM_DATABASE_URL": url_of("switchboard_platform", database),
        "MIGRATIONS_DATABASE_URL": url_of("switchboard_owner", database),
    }


def settings(
    databases: dict[str, str],
    redis_url: str,
    *,
    public_url: str,
    simulator_url: str,
    folder: str,
    seed: str,
    door_url: str = "",
    model_url: str = "",
) -> dict[str, str]:
    return (
        databases
        | SIMULATED_META
        | {
            "REDIS_URL": redis_url,
            "SECRET_KEY": key(f"{seed} sessions"),
            "ENCRYPTION_KEYS": key(f"{seed} encryption"),
            "PUBLIC_URL": public_url,
            "WEBHOOK_URL": door_url and f"{door_url}/webhooks/whatsapp",
            "META_GRAPH_URL": simulator_url,
            "WHATSAPP_LINK_URL": f"{simulator_url}/wa.me",
            "META_SDK_URL": f"{simulator_url}/en_US/sdk.js",
            "META_DIALOG_ORIGINS": simulator_url,
            "META_HOSTED_SIGNUP_URL": (
                f"{simulator_url}/messaging/whatsapp/onboard/?app_id={SIMULATED_META['META_APP_ID']}"
                f"&config_id={SIMULATED_META['META_CONFIG_ID']}"
            ),
            "MEDIA_URL": f"file://{folder}/media",
            "MAIL_URL": f"file://{folder}/mail",
            "MODEL_URLS": model_url,
            "OPERATOR_NAME": "Switchboard demo",
            "OPERATOR_CONTACT": "operator@example.com",
        }
    )


def simulator(simulator_url: str, app_url: str, folder: str, door_url: str = "") -> dict[str, str]:
    """The simulated Meta's settings, matching ours."""
    return {
        "SIMULATOR_DATA": folder,
        "SIMULATOR_PORT": simulator_url.rpartition(":")[2],
        "SIMULATOR_PUBLIC_URL": simulator_url,
        "SIMULATOR_CALLBACK_URL": f"{door_url or app_url}/webhooks/whatsapp",
        "SIMULATOR_ALLOWED_ORIGINS": app_url,
        "SIMULATOR_APP_ID": SIMULATED_META["META_APP_ID"],
        "SIMULATOR_APP_SECRET": SIMULATED_META["META_APP_SECRETS"],
        "SIMULATOR_CONFIG_ID": SIMULATED_META["META_CONFIG_ID"],
        "SIMULATOR_VERIFY_TOKEN": SIMULATED_META["META_VERIFY_TOKEN"],
        "SIMULATOR_BUSINESS_ID": SIMULATED_META["META_BUSINESS_ID"],
        "SIMULATOR_SYSTEM_USER_ID": SIMULATED_META["META_SYSTEM_USER_ID"],
        "SIMULATOR_SYSTEM_USER_TOKEN": SIMULATED_META["META_SYSTEM_USER_TOKEN"],
        "SIMULATOR_CREDIT_LINE_ID": SIMULATED_META["META_CREDIT_LINE_ID"],
    }
