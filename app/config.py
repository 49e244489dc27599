"""Settings, read once from the environment. A wrong or missing one stops the start with one clear line."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError


class BadSettings(SystemExit):
    pass


def split_list(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def check_key(value: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(value)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise ValueError("each key must be 32 bytes in URL-safe base64")
    return value


def check_url(value: str) -> str:
    if not urlsplit(value).scheme or not urlsplit(value).netloc:
        raise ValueError("must be an address such as https://example.com")
    return value.rstrip("/")


def check_optional_url(value: str) -> str:
    return check_url(value) if value else ""


def check_media_url(value: str) -> str:
    parts = urlsplit(value)
    if not (parts.scheme == "s3" and parts.netloc) and not (parts.scheme == "file" and parts.path.strip("/")):
        raise ValueError("must be file:///folder or s3://bucket/prefix?endpoint=…&region=…")
    return value


List = Annotated[tuple[str, ...], BeforeValidator(split_list)]
Key = Annotated[str, BeforeValidator(check_key)]
Keys = Annotated[tuple[Key, ...], BeforeValidator(split_list), Field(min_length=1)]
Url = Annotated[str, BeforeValidator(check_url)]
Digits = Annotated[str, Field(pattern=r"^\d+$")]


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str
    platform_database_url: str
    migrations_database_url: str
    database_pooled: bool = False
    redis_url: str
    secret_key: Annotated[str, Field(min_length=32)]
    encryption_keys: Keys
    public_url: Url
    webhook_url: Annotated[str, AfterValidator(check_optional_url)] = ""
    meta_app_id: Digits
    meta_app_secrets: Annotated[List, Field(min_length=1)]
    meta_config_id: str
    meta_verify_token: Annotated[str, Field(min_length=8)]
    meta_graph_url: Url = "https://graph.facebook.com"
    meta_graph_version: Annotated[str, Field(pattern=r"^v\d+\.\d+$")] = "v25.0"
    meta_sdk_url: Url = "https://connect.facebook.net/en_US/sdk.js"
    meta_dialog_origins: List = ("https://www.facebook.com", "https://web.facebook.com")
    meta_hosted_signup_url: Annotated[str, AfterValidator(check_optional_url)] = ""
    whatsapp_link_url: Url = "https://wa.me"
    meta_business_id: Digits
    meta_system_user_id: Digits
    meta_system_user_token: Annotated[str, Field(min_length=1)]
    meta_credit_line_id: Digits
    media_url: Annotated[str, AfterValidator(check_media_url)]
    mail_url: str
    model_urls: Annotated[tuple[Url, ...], BeforeValidator(split_list)] = ()
    hubspot_url: Url = "https://api.hubapi.com"
    pipedrive_url: Url = "https://api.pipedrive.com"
    operator_name: str = ""
    operator_contact: str = ""
    operator_address: str = ""
    operator_vat_id: str = ""
    operator_vat_rate: Annotated[int, Field(ge=0, le=5_000)] = 0
    operator_bank_details: str = ""
    stripe_secret_key: Annotated[str, Field(pattern=r"^((sk|rk)_\w+)?$")] = ""
    stripe_webhook_secrets: List = ()
    proxies: Annotated[int | None, Field(ge=0, le=10)] = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        values = {name: environment[name.upper()] for name in cls.model_fields if name.upper() in environment}
        misspelt = [name for name in environment if name.startswith("META_") and name.lower() not in cls.model_fields]
        if misspelt:
            raise BadSettings(f"Unknown setting {misspelt[0]}. Is it misspelt?")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = str(first["loc"][0]).upper()
            raise BadSettings(f"Setting {name}: {first['msg']}. See docs/settings.md.") from None

    @property
    def callback_url(self) -> str:
        """Where Meta posts webhooks to."""
        return self.webhook_url or f"{self.public_url}/webhooks/whatsapp"

    @property
    def proxy_count(self) -> int:
        """The number of trusted proxies. We terminate no TLS, so an https address means one."""
        return int(self.is_https) if self.proxies is None else self.proxies

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")
