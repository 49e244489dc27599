"""The two places where files are kept behave the same: a folder, and any S3-compatible store."""

from __future__ import annotations

import io
import pathlib
import uuid
from collections.abc import Iterator
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from app.config import BadSettings, Settings
from app.storage import Bucket, Folder, NotStored, Storage, StorageUnavailable, connect, new_key

KEY = new_key(uuid.UUID(int=7))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a store that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    if request.param == "file":
        return connect(f"file://{tmp_path}/with%20space")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    endpoint = request.getfixturevalue("s3")
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="media")
    return connect(f"s3://media/some/prefix?endpoint={endpoint}&region=us-east-1")


def read(store: Storage, *wanted: int) -> bytes:
    return b"".join(store.stream(KEY, *wanted))


def test_what_was_put_comes_back_whole_and_in_part(store: Storage) -> None:
    store.put(KEY, io.BytesIO(b"0123456789" * 20_000))
    assert read(store) == b"0123456789" * 20_000
    assert read(store, 199_995) == b"56789"
    assert read(store, 3, 4) == b"3456"


def test_an_empty_file_is_a_file(store: Storage) -> None:
    store.put(KEY, io.BytesIO(b""))
    assert read(store) == b""


def test_a_file_is_put_again_over_itself(store: Storage) -> None:
    store.put(KEY, io.BytesIO(b"old"))
    store.put(KEY, io.BytesIO(b"new"))
    assert read(store) == b"new"


def test_what_was_deleted_is_gone_and_may_be_deleted_again(store: Storage) -> None:
    store.put(KEY, io.BytesIO(b"x"))
    store.delete(KEY)
    store.delete(KEY)
    with pytest.raises(NotStored):
        store.stream(KEY)


def test_a_store_that_answers_404_to_what_is_gone_has_deleted_it() -> None:
    store = Bucket("media", "", None, "us-east-1")
    error = ClientError({"Error": {"Code": "NoSuchKey"}}, "DeleteObject")
    store.connection = Mock(delete_object=Mock(side_effect=error))
    store.delete(KEY)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "/etc/passwd", f"{uuid.UUID(int=7)}/../x", "a/b"])
def test_a_key_is_nothing_else_than_a_key(store: Storage, key: str) -> None:
    with pytest.raises(NotStored):
        store.stream(key)
    with pytest.raises(NotStored):
        store.put(key, io.BytesIO(b"x"))


def test_keys_say_whose_a_file_is_and_nothing_more() -> None:
    tenant = uuid.uuid4()
    first, second = new_key(tenant), new_key(tenant)
    assert first != second and first.startswith(f"{tenant}/") and len(first) == 36 + 1 + 32


def test_a_folder_that_cannot_be_written_says_so(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageUnavailable):
        Folder(tmp_path / "file").put(KEY, io.BytesIO(b"x"))


def test_a_full_folder_has_no_half_files(tmp_path: pathlib.Path) -> None:
    class Full(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageUnavailable, match="No space"):
        Folder(tmp_path).put(KEY, Full())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_store_that_is_away_says_so() -> None:
    bucket = Bucket("media", "", "http://127.0.0.1:9", "us-east-1")
    with pytest.raises(StorageUnavailable):
        bucket.put(KEY, io.BytesIO(b"x"))


@pytest.mark.parametrize("url", ["", "media", "file://", "file:///", "s3://", "https://bucket", "ftp://x/y"])
def test_an_address_that_is_none_stops_the_start(environ: dict[str, str], url: str) -> None:
    with pytest.raises(BadSettings, match="MEDIA_URL"):
        Settings.from_environment(environ | {"MEDIA_URL": url})
