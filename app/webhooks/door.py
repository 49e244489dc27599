"""The door for Meta's posts: verifies, stores and acknowledges them; `drain` processes them later.

It runs before Flask, because Meta asks for responses within 250 ms at three times the rate we send at, and most of
what a Flask request does (routing, sessions, hooks) is of no use here. Measured with `make bench`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from werkzeug.exceptions import ClientDisconnected

from app import headers
from app.bodies import Budget, Slow, Spent, declared_length, read
from app.meta import signature

from .intake import DatabaseUnavailable, GroupCommit

PATH = "/webhooks/whatsapp"
LARGEST = 3 * 1024 * 1024  # Meta's largest body (Webhooks: overview)
# Bytes of bodies that one process holds until they are stored.
BODIES = 64 * 1024 * 1024


class Door:
    def __init__(self, wsgi_app: Any, intake: GroupCommit, secrets: Sequence[str]) -> None:
        self.wsgi_app, self.intake, self.secrets = wsgi_app, intake, secrets
        self.budget = Budget(BODIES)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != PATH:
            return self.wsgi_app(environ, start_response)  # type: ignore[no-any-return]
        status, *more = self.receive(environ)
        start_response(status, [("Content-Length", "0"), *headers.BARE, *more])
        return [b""]

    def receive(self, environ: dict[str, Any]) -> tuple[Any, ...]:
        claimed = environ.get("HTTP_X_HUB_SIGNATURE_256")
        # No body is read without a signature, or if it is too large.
        if not signature.is_complete(claimed):
            return ("401 Unauthorized",)
        length = declared_length(environ.get("CONTENT_LENGTH"))
        is_chunked = "CONTENT_LENGTH" not in environ and environ.get("wsgi.input_terminated")
        if length > LARGEST:
            return ("413 Content Too Large",)
        try:
            with self.budget.hold() as held:
                body = read(environ, held, LARGEST + 1 if is_chunked else length)
                if len(body) > LARGEST:
                    return ("413 Content Too Large",)
                if len(body) < length:
                    return ("400 Bad Request",)
                if not signature.verify(body, claimed, self.secrets):
                    return ("401 Unauthorized",)
                self.intake.add(body)
        except Slow:
            return ("408 Request Timeout",)
        except ClientDisconnected:
            return ("400 Bad Request",)
        except (DatabaseUnavailable, Spent):
            # Meta retries what is not acknowledged for a week.
            return "503 Service Unavailable", ("Retry-After", "5")
        return ("200 OK",)
