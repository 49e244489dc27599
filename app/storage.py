"""File storage: `MEDIA_URL` is `file:///folder` or `s3://bucket/prefix?endpoint=…&region=…`.

A key is the tenant's id and a random name. It holds nothing that a sender chose, and keys cannot be listed.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

KEY = re.compile(r"[0-9a-f-]{36}/[0-9a-f]{32}")
CHUNK = 64 * 1024


class NotStored(Exception):
    """There is no file with this key."""


class StorageUnavailable(Exception):
    """The store is unreachable, full or read-only."""


class Storage(Protocol):
    # Called before whatever may take seconds, and may refuse by raising.
    before_call: Callable[[], object]

    def put(self, key: str, file: BinaryIO) -> None:
        """Saves `file` from its current position. Raises `StorageUnavailable`."""

    def stream(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` on. Raises `NotStored` before the first of them."""

    def delete(self, key: str) -> None:
        """Deletes the file, if it exists. Raises `StorageUnavailable`."""


def connect(url: str) -> Storage:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path not in ("", "/"):
        return Folder(pathlib.Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return Bucket(parts.netloc, parts.path.strip("/"), options.get("endpoint"), options.get("region"))
    raise ValueError("must be file:///folder or s3://bucket/prefix?endpoint=…&region=…")


def new_key(tenant_id: uuid.UUID) -> str:
    return f"{tenant_id}/{secrets.token_hex(16)}"


def valid_key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise NotStored(key)
    return key


class Folder:
    """A folder of this machine, or one that several mount."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.before_call: Callable[[], object] = lambda: None

    def put(self, key: str, file: BinaryIO) -> None:
        self.before_call()
        path = self.path(key)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("xb") as out:
                while chunk := file.read(CHUNK):
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise StorageUnavailable(error.strerror or type(error).__name__) from error

    def stream(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        self.before_call()
        try:
            file = self.path(key).open("rb")
        except FileNotFoundError:
            raise NotStored(key) from None
        except OSError as error:
            raise StorageUnavailable(error.strerror or type(error).__name__) from error
        file.seek(start)
        return Part(file, length)

    def delete(self, key: str) -> None:
        self.before_call()
        try:
            self.path(key).unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable(error.strerror or type(error).__name__) from error

    def path(self, key: str) -> pathlib.Path:
        tenant, _, name = valid_key(key).partition("/")
        return self.root / tenant / name[:2] / name


class Part(Iterator[bytes]):
    """The bytes of an open file from where it is. Closed at the end, by `close`, or with the object."""

    def __init__(self, file: BinaryIO, length: int | None) -> None:
        self.file, self.left = file, length

    def __next__(self) -> bytes:
        chunk = self.file.read(CHUNK if self.left is None else min(CHUNK, self.left))
        if not chunk:
            self.close()
            raise StopIteration
        self.left = None if self.left is None else self.left - len(chunk)
        return chunk

    def close(self) -> None:
        self.file.close()

    # Where whoever asked forgets it.
    __del__ = close


class Bucket:
    """Any S3-compatible store. Credentials come from where boto3 looks for them (AWS_ACCESS_KEY_ID, a role, …)."""

    def __init__(self, name: str, prefix: str, endpoint: str | None, region: str | None) -> None:
        self.name, self.prefix, self.endpoint, self.region = name, prefix, endpoint, region
        self.connection: Any = None
        self.before_call: Callable[[], object] = lambda: None

    @property
    def client(self) -> Any:
        """Made when first needed: boto3 is installed only where media are stored in S3."""
        if self.connection is None:
            import boto3  # noqa: PLC0415  (optional)
            from botocore.config import Config  # noqa: PLC0415  (optional)

            limits = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3, "mode": "standard"})
            self.connection = boto3.session.Session().client(
                "s3", endpoint_url=self.endpoint, region_name=self.region, config=limits
            )
        return self.connection

    def put(self, key: str, file: BinaryIO) -> None:
        self.before_call()
        with as_our_errors(key):
            self.client.upload_fileobj(file, self.name, self.place(key))

    def stream(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        self.before_call()
        end = "" if length is None else start + length - 1
        wanted = {"Range": f"bytes={start}-{end}"} if start or length is not None else {}
        with as_our_errors(key):
            body = self.client.get_object(Bucket=self.name, Key=self.place(key), **wanted)["Body"]
        return Part(body, length)

    def delete(self, key: str) -> None:
        self.before_call()
        # Some stores answer 404 where there is none, as after a worker was killed that had deleted it.
        with contextlib.suppress(NotStored), as_our_errors(key):
            self.client.delete_object(Bucket=self.name, Key=self.place(key))

    def place(self, key: str) -> str:
        return f"{self.prefix}/{valid_key(key)}" if self.prefix else valid_key(key)


@contextlib.contextmanager
def as_our_errors(key: str) -> Iterator[None]:
    """Raises boto3's errors as ours."""
    from boto3.exceptions import Boto3Error  # noqa: PLC0415  (optional)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (optional)

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        raise (NotStored(key) if code in ("NoSuchKey", "404") else StorageUnavailable(code)) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageUnavailable(type(error).__name__) from error
