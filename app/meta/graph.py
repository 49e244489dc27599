"""Calling the Graph API. Every call ends in a dict or in one of three errors (see errors.py)."""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import Any, BinaryIO

import httpx

from . import payload
from .connections import Connections
from .errors import (
    FILE_TOO_LARGE,
    FOREIGN_ADDRESS,
    TOO_MANY_REQUESTS,
    UNLISTED,
    UNLISTED_FAILURE,
    UNLISTED_TRANSIENT,
    UNUSABLE_TOKEN,
    Explanation,
    FileGone,
    GraphError,
    MetaError,
    NoAnswer,
    NotConnected,
    explain,
)
from .pretend import Pretending

__all__ = ["GraphClient", "GraphError", "MetaError", "NoAnswer", "NotConnected"]

TIMEOUT = httpx.Timeout(connect=5.0, read=15.0, write=10.0, pool=5.0)
# Each of these is for one piece; Meta looks at a large file before it answers.
UPLOAD_TIMEOUT = httpx.Timeout(connect=5.0, read=60.0, write=20.0, pool=5.0)
AT_ONCE = 256
# What an answer may be, unpacked: a page of a hundred templates is well below a megabyte.
MOST_BYTES, MOST_SECONDS = 32 * 1024 * 1024, 60.0

# Where Meta keeps files; an address elsewhere is never given a token.
_FILE_HOSTS = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
_CHUNK = 64 * 1024
_OF_THE_WIRE = ("content-encoding", "content-length", "transfer-encoding")

_GRAPH_ROOT, _API_ROOT = "https://graph.facebook.com", "https://api.facebook.com"
_PATH = re.compile(r"[\w:=-]+(/[\w:=-]+)*", re.ASCII)
_SESSION = re.compile(r"upload:[\w=:-]+(\?sig=[\w-]+)?", re.ASCII)
_SECRET_PARAMS = ("client_secret", "code", "input_token")

# httpx logs every URL at INFO, and some of Meta's URLs carry secrets.
logging.getLogger("httpx").setLevel(logging.WARNING)

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


class GraphClient:
    """One pool of connections to Meta, safe to share between threads and greenlets."""

    def __init__(
        self,
        base_url: str,
        version: str,
        app_id: str,
        app_secret: str,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.app_id = app_id
        self.app_secret = app_secret
        self.before_call: Callable[[], object] = lambda: None  # may refuse the call by raising
        self._root = f"{base_url.rstrip('/')}/{version}"
        self._api_root = _API_ROOT if base_url.rstrip("/") == _GRAPH_ROOT else self._root
        self._http = httpx.Client(
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            transport=Pretending(transport or Connections(AT_ONCE)),
        )

    @property
    def app_token(self) -> str:
        """The token of the app itself, for `debug_token`."""
        return f"{self.app_id}|{self.app_secret}"

    def get(self, path: str, *, token: str | None, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._call("GET", path, token, params)

    def post(
        self,
        path: str,
        *,
        token: str | None,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return self._call("POST", path, token, params, json=json)

    def post_to_api(self, path: str, *, token: str, json: Mapping[str, Any]) -> dict[str, Any]:
        """For the few edges that Meta has only on api.facebook.com, without a version."""
        return self._call("POST", path, token, None, root=self._api_root, json=json)

    def upload(
        self, path: str, *, token: str, fields: Mapping[str, str], file: BinaryIO, name: str, mime: str
    ) -> dict[str, Any]:
        """Posts a file, read piece by piece, with the fields of a form around it."""
        parts = {"file": (name, file, mime)}
        return self._call("POST", path, token, None, data=fields, files=parts, timeout=UPLOAD_TIMEOUT)

    def delete(
        self,
        path: str,
        *,
        token: str | None,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return self._call("DELETE", path, token, params, json=json)

    def resume(self, session: str, content: bytes, *, token: str, offset: int = 0) -> dict[str, Any]:
        """The second half of a resumable upload: what follows `offset`, into the session that the first half gave."""
        headers = {"file_offset": str(offset)}
        return self._of_session("POST", session, token, headers, content=content[offset:], timeout=UPLOAD_TIMEOUT)

    def upload_offset(self, session: str, *, token: str) -> int:
        """How many bytes of a resumable upload have arrived."""
        offset = payload.text(self._of_session("GET", session, token, {}).get("file_offset"), 20) or "0"
        return int(offset) if offset.isdecimal() else 0

    def _of_session(
        self, method: str, session: str, token: str, headers: dict[str, str], **request: Any
    ) -> dict[str, Any]:
        self.before_call()
        if not _SESSION.fullmatch(session):
            raise NoAnswer("the name of the upload is none")
        headers = {"Authorization": f"OAuth {_usable(token)}", **headers}
        response = self._exchange(method, f"{self._root}/{session}", headers=headers, **request)
        return _read(response, [self.app_secret, token])

    def pages(self, path: str, *, token: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every object of a collection, page after page, by cursor (the `next` link carries the token)."""
        after: str | None = None
        while True:
            page = self.get(path, token=token, params={**params, "after": after})
            yield from filter(None, map(payload.mapping, payload.sequence(page.get("data"))))
            paging = payload.mapping(page.get("paging"))
            following = payload.text(payload.mapping(paging.get("cursors")).get("after"))
            if "next" not in paging or following in (None, after):
                return
            after = following

    def download(self, url: str, into: BinaryIO, *, token: str | None, limit: int, seconds: float) -> None:
        """Copies a file that Meta keeps. Redirects are not followed: they would take the token along."""
        self.before_call()
        if not self._is_metas(url):
            raise MetaError(FOREIGN_ADDRESS)
        headers = {"Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {_usable(token)}"
        failure: MetaError
        try:
            with self._http.stream("GET", url, headers=headers) as response:
                return _copy(response, into, limit, monotonic() + seconds)
        except _NOTHING_SENT as error:
            failure = NotConnected(type(error).__name__)
        except httpx.HTTPError as error:
            failure = NoAnswer(type(error).__name__)
        raise failure

    def _is_metas(self, url: str) -> bool:
        """Whether the address is on a host of Meta's; with another base URL than Meta's, where that one is."""
        try:
            wanted_url, base = httpx.URL(url), httpx.URL(self._root)
        except httpx.InvalidURL:
            return False
        is_one_machine = wanted_url.host == base.host or {wanted_url.host, base.host} <= _THIS_MACHINE
        if is_one_machine and (wanted_url.scheme, wanted_url.port) == (base.scheme, base.port):
            return True
        ours = f".{base.host}".endswith(".facebook.com")
        theirs = any(f".{wanted_url.host}".endswith(f".{host}") for host in _FILE_HOSTS)
        return ours and theirs and wanted_url.scheme == "https" and wanted_url.port is None

    def close(self) -> None:
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        token: str | None,
        params: Mapping[str, Any] | None,
        root: str | None = None,
        **request: Any,
    ) -> dict[str, Any]:
        self.before_call()
        if not _PATH.fullmatch(path):
            raise ValueError("not a path of the Graph API")
        sent = {name: _flat(value) for name, value in (params or {}).items() if value is not None}
        secrets = [self.app_secret, token, *(sent.get(name) for name in _SECRET_PARAMS)]
        headers = {}
        if token is not None:
            headers["Authorization"] = f"Bearer {_usable(token)}"
            sent["appsecret_proof"] = self._proof(token)
        response = self._exchange(method, f"{root or self._root}/{path}", params=sent, headers=headers, **request)
        return _read(response, [secret for secret in secrets if secret])

    def _exchange(self, method: str, url: str, **request: Any) -> httpx.Response:
        failure: MetaError
        try:
            with self._http.stream(method, url, **request) as response:
                return _whole(response)
        except _NOTHING_SENT as error:
            failure = NotConnected(type(error).__name__)
        except httpx.HTTPError as error:
            failure = NoAnswer(type(error).__name__)
        # Raised out here, so that httpx's error, which holds the headers, is not chained to it.
        raise failure

    def _proof(self, token: str) -> str:
        return hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _whole(response: httpx.Response) -> httpx.Response:
    """The answer, read to its end and unpacked. Raises httpx's error where it is endless or comes too slowly."""
    end, body = monotonic() + MOST_SECONDS, bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise httpx.RemoteProtocolError("the answer is too long", request=response.request)
        if monotonic() > end:
            raise httpx.ReadTimeout("the answer came too slowly", request=response.request)
    headers = {name: value for name, value in response.headers.items() if name not in _OF_THE_WIRE}
    return httpx.Response(response.status_code, headers=headers, content=bytes(body))


def _copy(response: httpx.Response, into: BinaryIO, limit: int, end: float) -> None:
    if response.status_code in (404, 410):
        raise FileGone(f"answered with {response.status_code}")
    if response.status_code != 200:
        raise NoAnswer("the answer was not a file", response.status_code)
    size = 0
    for chunk in response.iter_raw(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise MetaError(FILE_TOO_LARGE)
        if monotonic() > end:
            raise NoAnswer("the file came too slowly")
        into.write(chunk)


def _usable(token: str) -> str:
    if token.isascii() and token.isprintable():
        return token
    raise NotConnected("the access token contains characters no token has", UNUSABLE_TOKEN)


def _flat(value: Any) -> str:
    """Lists and objects travel in a query as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _read(response: httpx.Response, secrets: list[str]) -> dict[str, Any]:
    try:
        answer = payload.loads(response.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _not_json(response.status_code)
    error = payload.mapping(answer.get("error"))
    if isinstance(error.get("code"), int):
        raise _refusal(error, response, secrets)
    if not response.is_success:
        raise NoAnswer("the answer was not in the form of Meta's errors", response.status_code)
    return answer


def _not_json(status: int) -> MetaError:
    """Whoever answered was not the Graph API, but 429 says plainly that nothing was done."""
    if status == 429:
        return GraphError(TOO_MANY_REQUESTS, http_status=status)
    return NoAnswer("the answer was not the Graph API's", status)


def _refusal(error: dict[str, Any], response: httpx.Response, secrets: list[str]) -> GraphError:
    code, subcode = error["code"], error.get("error_subcode")
    subcode = subcode if isinstance(subcode, int) else None
    return GraphError(
        _explanation(code, subcode, response.status_code, error.get("is_transient") is True),
        code=code,
        subcode=subcode,
        fbtrace_id=payload.text(error.get("fbtrace_id"), 100),
        details=_redacted(_words(error), secrets),
        http_status=response.status_code,
        wait=_regain_access(response.headers.get("x-business-use-case-usage")),
    )


def _explanation(code: int, subcode: int | None, status: int, transient: bool) -> Explanation:
    explanation = explain(code, subcode)
    if explanation is not UNLISTED:
        return explanation
    if status == 429:
        return TOO_MANY_REQUESTS
    if transient:
        return UNLISTED_TRANSIENT
    return UNLISTED_FAILURE if status >= 500 else UNLISTED


def _words(error: dict[str, Any]) -> str | None:
    """Meta's best words: those meant for the user, then the details, then the message."""
    data = error.get("error_data")
    candidates = (
        ": ".join(filter(None, (payload.text(error.get(f"error_user_{part}")) for part in ("title", "msg")))),
        payload.text(payload.mapping(data).get("details")),
        payload.text(data),
        payload.text(error.get("message")),
    )
    return next(filter(None, candidates), None)


def _redacted(words: str | None, secrets: list[str]) -> str | None:
    """Meta quotes a malformed token back in its message."""
    for secret in secrets:
        words = words and words.replace(secret, "…")
    return words and words[:2_000]


def _regain_access(usage: str | None) -> int | None:
    """Seconds until Meta takes calls again, from the minutes in `X-Business-Use-Case-Usage`."""
    try:
        uses = payload.loads((usage or "").encode())
    except ValueError:
        return None
    minutes = [
        payload.mapping(use).get("estimated_time_to_regain_access")
        for of_object in payload.mapping(uses).values()
        for use in payload.sequence(of_object)
    ]
    return max((minute for minute in minutes if isinstance(minute, int)), default=0) * 60 or None
