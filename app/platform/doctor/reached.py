"""Whether the world, and Meta, can reach us."""

from __future__ import annotations

import ssl
import uuid
from urllib.parse import urlsplit

import httpx

from app.extensions import outside
from app.words import N_

from .checks import SECONDS, WEBHOOKS, Ill, check


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


@check(N_("Meta reaches us: webhooks answer the challenge"))
def challenge() -> str:
    settings, word = outside().settings, uuid.uuid4().hex
    asked = {"hub.mode": "subscribe", "hub.verify_token": settings.meta_verify_token, "hub.challenge": word}
    with httpx.Client(timeout=SECONDS, trust_env=False) as http:
        answer = http.get(f"{settings.public_url}{WEBHOOKS}", params=asked)
    if answer.text != word:
        raise Ill(f"{answer.status_code}", N_("The proxy has to pass /webhooks/ on unchanged, with its query."))
    return WEBHOOKS
