"""The security headers of every response, whoever makes it."""

from __future__ import annotations


def policy(form_action: str = "'self'") -> str:
    """What a page may load, and where its forms may lead, also by a redirect."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            f"form-action {form_action}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


POLICY = policy()
# A view may set these itself.
DEFAULTS = {"Content-Security-Policy": POLICY, "Cross-Origin-Opener-Policy": "same-origin"}
FIXED = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=(self)",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
# Of a response without a body, made before Flask.
BARE = [*DEFAULTS.items(), *FIXED.items(), ("Cache-Control", "no-store")]
