import hashlib
import hmac
from typing import Any

import pytest

from app.meta.signature import verify

BODY = b'{"object":"whatsapp_business_account","entry":[]}'
HEADER = "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"
SECRET = "test_app_secret"


def test_metas_own_signature_is_accepted() -> None:
    assert verify(BODY, HEADER, [SECRET])


def test_escapes_are_signed_as_they_were_sent() -> None:
    body = rb'{"text":"caf\u00e9 \ud83d\ude00"}'
    header = "sha256=0a2a5ed493fe5c4ecbb694f2d49af310908405d260f664eeb8a96cc4b05f93c8"
    assert verify(body, header, ["s3cr3t"])


def test_both_secrets_count_while_they_rotate() -> None:
    assert verify(BODY, HEADER, ["new_secret", SECRET])
    assert verify(BODY, HEADER, [SECRET, "new_secret"])


def test_another_apps_secret_is_refused() -> None:
    assert not verify(BODY, HEADER, ["somebody_elses"])


def test_another_body_is_refused() -> None:
    assert not verify(BODY + b" ", HEADER, [SECRET])


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_accepted(secrets: Any) -> None:
    signed_with_nothing = "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert not verify(BODY, signed_with_nothing, secrets)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        HEADER[:-1],
        HEADER.upper(),
        HEADER.removeprefix("sha256="),
        HEADER.replace("sha256", "sha1"),
        f"{HEADER},{HEADER}",
        f" {HEADER}",
        "sha256=\u00e9\udc80",
    ],
)
def test_a_header_in_any_other_form_is_refused(header: Any) -> None:
    assert not verify(BODY, header, [SECRET])
