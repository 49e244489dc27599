"""Checks from outside: whether Meta and the world reach this installation."""

from __future__ import annotations

import ssl
import uuid
from urllib.parse import urlsplit

import httpx

from app.extensions import outside
from app.words import N_

from .checks import SECONDS, CheckFailed, check


@check(N_("The public address answers"))
def public_url() -> str:
    address = outside().settings.public_url
    try:
        with httpx.Client(timeout=SECONDS, trust_env=False, follow_redirects=False) as http:
            answer = http.get(f"{address}/healthz")
    except httpx.HTTPError:
        raise CheckFailed(
            address, N_("PUBLIC_URL must lead here, also from this machine. Check DNS and the proxy.")
        ) from None
    if answer.status_code != 200 or answer.text.strip() != "ok":
        raise CheckFailed(
            f"{address}: {answer.status_code}", N_("Something else answers at PUBLIC_URL, or the proxy redirects.")
        )
    return address


@check(N_("TLS"))
def tls() -> str:
    parts = urlsplit(outside().settings.public_url)
    if parts.scheme != "https":
        if parts.hostname in ("localhost", "127.0.0.1"):
            return "http, on this machine only"
        raise CheckFailed(
            "http",
            N_("Meta requires https. Put a proxy with a certificate in front and set PUBLIC_URL to its address."),
        )
    with httpx.Client(timeout=SECONDS, trust_env=False, verify=ssl.create_default_context()) as http:
        try:
            http.get(f"https://{parts.netloc}/healthz")
        except httpx.HTTPError as error:
            raise CheckFailed(type(error).__name__, N_("The certificate is not trusted. Renew it.")) from None
    return "https"


@check(N_("Proxy headers"))
def proxy() -> str:
    """Checks that the app sees https behind the proxy; otherwise the session cookie isn't secure."""
    settings = outside().settings
    with httpx.Client(timeout=SECONDS, trust_env=False, follow_redirects=False) as http:
        cookies = http.get(f"{settings.public_url}/sign-in").headers.get_list("set-cookie")
    if settings.is_https and not any("secure" in cookie.lower() for cookie in cookies):
        raise CheckFailed(
            "X-Forwarded-Proto", N_("The proxy must send X-Forwarded-For and X-Forwarded-Proto, over exactly one hop.")
        )
    return "X-Forwarded-For, X-Forwarded-Proto"


@check(N_("Webhook challenge"))
def challenge() -> str:
    settings, word = outside().settings, uuid.uuid4().hex
    parameters = {"hub.mode": "subscribe", "hub.verify_token": settings.meta_verify_token, "hub.challenge": word}
    with httpx.Client(timeout=SECONDS, trust_env=False) as http:
        answer = http.get(settings.callback_url, params=parameters)
    if answer.text != word:
        raise CheckFailed(
            f"{answer.status_code}", N_("The proxy must pass /webhooks/ through unchanged, with the query.")
        )
    return settings.callback_url
