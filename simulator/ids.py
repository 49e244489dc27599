import base64
import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def object_id() -> str:
    """A random id of an object."""
    return str(10**14 + secrets.randbelow(9 * 10**15))


def wamid(digits: str, inbound: bool) -> str:
    """A message id, which contains the digits of the chat."""
    tail = secrets.token_hex(9).upper().encode()
    direction = b"\x12" if inbound else b"\x11"
    head = b"\x1c\x18" + bytes([len(digits)]) + digits.encode() + b"\x15\x02\x00"
    return "wamid." + base64.b64encode(head + direction + b"\x18\x12" + tail + b"\x00").decode()


def token() -> str:
    """A random access token."""
    return "EAA" + letters(180)


def code() -> str:
    """A random authorization code."""
    return "AQ" + letters(160)


def user_id(country: str) -> str:
    """A random business-scoped user id."""
    return f"{country}.{10**19 + secrets.randbelow(9 * 10**19)}"


def trace() -> str:
    """A random trace id."""
    return "A" + secrets.token_urlsafe(17)


def letters(count: int) -> str:
    """So many random letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(count))
