import base64
import hashlib
import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def object_id() -> str:
    return str(10**14 + secrets.randbelow(9 * 10**15))


def wamid(digits: str, inbound: bool) -> str:
    tail = secrets.token_hex(9).upper().encode()
    direction = b"\x12" if inbound else b"\x11"
    head = b"\x1c\x18" + bytes([len(digits)]) + digits.encode() + b"\x15\x02\x00"
    return "wamid." + base64.b64encode(head + direction + b"\x18\x12" + tail + b"\x00").decode()


def conversation(number_id: str, customer_id: str, until: float | None) -> str:
    return hashlib.sha256(f"{number_id} {customer_id} {until}".encode()).hexdigest()[:32]


def token() -> str:
    return "EAA" + letters(180)


def code() -> str:
    return "AQ" + letters(160)


def user_id(country: str) -> str:
    return f"{country}.{10**19 + secrets.randbelow(9 * 10**19)}"


def trace() -> str:
    return "A" + secrets.token_urlsafe(17)


def letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))
