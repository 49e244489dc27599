"""Web Push as the RFCs have it, and the places that are never called."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpcore
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from app.egress import LOOKUPS, Egress, Refused, Unreachable, checked, is_outside
from app.push import web_push as push
from app.push.web_push import CURVE, Target, packed, unpacked

# RFC 8291, section 5 and appendix A.
BROWSER = Target(
    "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
)
OUR_KEY = ec.derive_private_key(int.from_bytes(unpacked("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), CURVE)
SALT = unpacked("DGv6ra1nlYgDCS1FRnbzlw")
ENCRYPTED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
    "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_rfc_comes_out_byte_for_byte() -> None:
    assert (
        packed(push.encrypt(b"When I grow up, I want to be a watermelon", BROWSER, key=OUR_KEY, salt=SALT)) == ENCRYPTED
    )


def test_the_signature_says_for_whom_until_when_and_can_be_checked() -> None:
    header = push.vapid(push.own_key("a secret"), "https://push.example.net", "https://switchboard.example")
    token, _, key = header.removeprefix("vapid t=").partition(", k=")
    head, claims, signature = token.split(".")
    raw = unpacked(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, unpacked(key))
    public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    incoming: dict[str, Any] = json.loads(unpacked(claims))
    assert incoming["aud"] == "https://push.example.net" and incoming["sub"] == "https://switchboard.example"
    assert key == push.public_key("a secret")


def test_the_key_survives_a_restart_and_is_another_one_for_another_secret() -> None:
    push.own_key.cache_clear()
    before = push.public_key("a secret")
    push.own_key.cache_clear()
    assert push.public_key("a secret") == before != push.public_key("another secret")
    assert hashlib.sha256(b"a secret").hexdigest() not in before


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://push.example/x",
            "ftp://push.example/x",
            "gopher://push.example",
            "file:///etc/passwd",
            "unix:/tmp/x",
        ),
        *("https://push.example:6379/", "https://push.example:22/x", "https://user:word@push.example/", "https:///x"),
        *(
            "https://a@127.0.0.1/",
            "//push.example/",
            "push.example",
            "",
            "https://",
            "https://[::1%25lo]/",
            "javascript:1",
        ),
    ],
)
def test_an_address_of_another_kind_is_refused_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(Refused):
        checked(url)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.1.2.3",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
        ),
        *("100.64.0.1", "192.0.0.8", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *(
            "::1",
            "::",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "fe80::1",
            "fc00::1",
        ),
        *(
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
        ),
        *("2001:0:7f00:1::", "2001:db8::1", "not an address", "", "2130706433"),
    ],
)
def test_an_address_inside_is_never_dialled(address: str) -> None:
    assert not is_outside(address)
    with pytest.raises(Refused):
        Egress(resolve=lambda host, port: [address]).post("https://push.example/x", b"", {})


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "①②⑦.⓪.⓪.①"]
)
def test_other_spellings_of_this_machine_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        Egress().post(f"https://{name}/", b"", {})


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_the_open_internet_may_be_called(address: str) -> None:
    assert is_outside(address)


def test_one_address_inside_among_several_is_enough_to_refuse() -> None:
    egress = Egress(resolve=lambda host, port: ["93.184.215.14", "10.0.0.7"])
    with pytest.raises(Refused):
        egress.post("https://push.example/x", b"", {})


class Dribble(httpcore.SyncBackend, httpcore.NetworkStream):
    """A server that answers a letter at a time, without end."""

    def connect_tcp(self, *address: Any, **options: Any) -> httpcore.NetworkStream:
        return self

    def start_tls(self, *names: Any, **options: Any) -> httpcore.NetworkStream:
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        time.sleep(0.01)
        return b"H"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pass

    def close(self) -> None:
        pass

    def get_extra_info(self, info: str) -> Any:
        return None


def test_names_that_are_never_found_leave_threads_to_other_work() -> None:
    began, ends = threading.Semaphore(0), threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        began.release()
        ends.wait(20)
        return []

    egress = Egress(resolve=resolve)
    with ThreadPoolExecutor(LOOKUPS) as pool:
        hanging = [pool.submit(egress.get, f"https://{n}.example/", {}, 1) for n in range(LOOKUPS)]
        assert all(began.acquire(timeout=10) for _ in hanging)
        with pytest.raises(Unreachable) as late:
            egress.exchange("GET", "https://late.example/", {}, most_bytes=1, seconds=0.1)
        ends.set()
    assert late.value.is_timeout and not began.acquire(blocking=False)
    assert {type(one.exception()) for one in hanging} == {Refused}


def test_a_server_that_never_ends_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.egress.TOTAL_SECONDS", 0.1)
    with pytest.raises(Unreachable, match="ReadTimeout"):
        Egress(resolve=lambda host, port: ["93.184.215.14"], wire=Dribble()).post("https://push.example/x", b"", {})
