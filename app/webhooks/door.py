"""The door for Meta's posts: checked, stored, acknowledged; what they mean is found out later.

It stands before Flask, because Meta asks for answers within 250 ms at three times the rate we send at, and most of
what a Flask request does (routing, sessions, hooks) is of no use here. Measured with `make bench`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.meta import signature

from .intake import Away, GroupCommit

PATH = "/webhooks/whatsapp"
LARGEST = 3 * 1024 * 1024  # Meta's largest body (Webhooks: overview)


class Door:
    def __init__(self, wsgi_app: Any, intake: GroupCommit, secrets: Sequence[str]) -> None:
        self.wsgi_app, self.intake, self.secrets = wsgi_app, intake, secrets

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != PATH:
            return self.wsgi_app(environ, start_response)  # type: ignore[no-any-return]
        status, *headers = self.receive(environ)
        start_response(status, [("Content-Length", "0"), *headers])
        return [b""]

    def receive(self, environ: dict[str, Any]) -> tuple[Any, ...]:
        body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or LARGEST + 1), LARGEST + 1))
        if len(body) > LARGEST:
            return ("413 Content Too Large",)
        if not signature.verify(body, environ.get("HTTP_X_HUB_SIGNATURE_256"), self.secrets):
            return ("401 Unauthorized",)
        try:
            self.intake.add(body)
        except Away:
            # Meta keeps what is not acknowledged, and tries again for a week.
            return "503 Service Unavailable", ("Retry-After", "5")
        return ("200 OK",)
