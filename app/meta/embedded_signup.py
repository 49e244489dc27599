"""Embedded Signup on the server's side: the code for a token, and what the token may do."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .errors import GraphError, NoAnswer, NotConnected, ReportedError
from .graph import GraphClient
from .payload import identifier, mapping, sequence, text

_MANAGEMENT = "whatsapp_business_management"
_CODE_USED = 36009


@dataclass(frozen=True, slots=True)
class BusinessToken:
    """A client's token; `expires_in` is in seconds, None when Meta does not say."""

    value: str = field(repr=False)
    expires_in: int | None


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a token is good for. `waba_ids` starts with the WABA onboarded last, and is None when the token
    is not limited to single WABAs; Meta lists them under any of the WhatsApp scopes. `expires_at` is None when
    it never expires."""

    is_valid: bool
    app_id: str | None
    user_id: str | None
    scopes: frozenset[str]
    waba_ids: tuple[str, ...] | None
    expires_at: datetime | None
    error: ReportedError | None


class CodeLost(Exception):
    """Meta has taken the code, and its answer with the token never came."""


def exchange_code(graph: GraphClient, code: str) -> BusinessToken:
    """Trade the code of a finished sign-up for the client's token. It lives 30 s and works once, so a second try
    is safe: it succeeds if the first never arrived, and if Meta says that the code was used, that was us.
    Raises `CodeLost`, or MetaError; 100/36009 means the code was used before."""
    try:
        return _exchange(graph, code)
    except NotConnected:
        return _exchange(graph, code)
    except NoAnswer:
        pass
    try:
        return _exchange(graph, code)
    except GraphError as error:
        if error.subcode == _CODE_USED:
            raise CodeLost from None
        raise


def _exchange(graph: GraphClient, code: str) -> BusinessToken:
    params = {"client_id": graph.app_id, "client_secret": graph.app_secret, "code": code}
    answer = graph.get("oauth/access_token", token=None, params=params)
    value, expires_in = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(value, str) or not value:
        raise NoAnswer("Meta's answer holds no token", 200)
    return BusinessToken(value, expires_in if isinstance(expires_in, int) else None)


def debug_token(graph: GraphClient, token: str, app_token: str) -> TokenInfo:
    """Ask Meta about a token. A dead one is an answer (`is_valid` False), not an error. Raises MetaError."""
    answer = graph.get("debug_token", token=app_token, params={"input_token": token})
    data = answer.get("data")
    if not isinstance(data, dict):
        raise NoAnswer("Meta's answer says nothing about the token", 200)
    return TokenInfo(
        is_valid=data.get("is_valid") is True,
        app_id=identifier(data.get("app_id")),
        user_id=identifier(data.get("user_id")),
        scopes=_scopes(data),
        waba_ids=_waba_ids(data),
        expires_at=_moment(data.get("expires_at")),
        error=_error(data.get("error")),
    )


def _scopes(data: dict[str, Any]) -> frozenset[str]:
    granular = [mapping(one).get("scope") for one in sequence(data.get("granular_scopes"))]
    return frozenset(scope for scope in [*sequence(data.get("scopes")), *granular] if isinstance(scope, str))


def _waba_ids(data: dict[str, Any]) -> tuple[str, ...] | None:
    """Those under `…management`; where it lists none, those under any other WhatsApp scope."""
    scopes = [mapping(one) for one in sequence(data.get("granular_scopes"))]
    ours = [one for one in scopes if str(one.get("scope")).startswith("whatsapp_")]
    ours.sort(key=lambda one: one["scope"] != _MANAGEMENT)
    for scope in ours:
        if listed := [waba_id for waba_id in map(identifier, sequence(scope.get("target_ids"))) if waba_id]:
            return tuple(listed)
    return None if any("target_ids" not in scope for scope in ours) else ()


def _moment(seconds: Any) -> datetime | None:
    """The time of a Unix timestamp; 0 means never."""
    if isinstance(seconds, int) and 0 < seconds < 100_000_000_000:
        return datetime.fromtimestamp(seconds, UTC)
    return None


def _error(raw: Any) -> ReportedError | None:
    """Flat here, unlike everywhere else: code, message and subcode."""
    error = mapping(raw)
    if not error:
        return None
    code = error.get("code")
    return ReportedError(code if isinstance(code, int) else None, text(error.get("message"), 1_000), None)
