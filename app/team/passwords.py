"""Passwords: Argon2id as OWASP recommends it, and a check against those that are easy to guess."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from typing import Any

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from flask_babel import gettext as _

from app.shortening import too_long

from .hashing import outside_the_loop

SHORTEST, LONGEST = 8, 200
COST: dict[str, Any] = {"iterations": 2, "lanes": 1, "memory_cost": 19 * 1024}
NONE = "!"

COMMONEST = """
11111111 12121212 12341234 12344321 12345678 87654321 99999999 00000000 123123123 123456789 987654321
0123456789 0987654321 1234567890 1q2w3e4r 1qaz2wsx 1q2w3e4r5t q1w2e3r4 zaq12wsx asdfghjk aa123456 abcd1234
abc12345 a1b2c3d4 trustno1 1234qwer qazwsxedc asdfghjkl zxcvbnm1
""".split()  # noqa: SIM905
COMMON_WORDS = """
admin administrator baseball changeme computer dragon football hello iloveyou letmein login master michael
monkey passw password passwort princess qwerty qwertyui qwertyuiop secret shadow starwars sunshine superman
switchboard welcome whatsapp
""".split()  # noqa: SIM905


def hash_password(password: str) -> str:
    """Its hash. Raises `TooBusy`, and `TransactionOpen` inside a transaction."""
    return outside_the_loop(derive, password)


def derive(password: str) -> str:
    return Argon2id(salt=os.urandom(16), length=32, **COST).derive_phc_encoded(as_bytes(password))


def matches(password: str, password_hash: str) -> bool:
    """Whether they match. Takes as long without an account (`NONE`), so that time does not reveal who has one.

    Raises `TooBusy`, and `TransactionOpen` inside a transaction.
    """
    return outside_the_loop(verify, password, password_hash)


def verify(password: str, password_hash: str) -> bool:
    is_set = password_hash.startswith("$argon2id$")
    try:
        Argon2id.verify_phc_encoded(as_bytes(password), password_hash if is_set else dummy_hash())
    except InvalidKey:
        return False
    return is_set


@functools.cache
def dummy_hash() -> str:
    return derive(os.urandom(16).hex())


def as_bytes(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode()


class TooEasy(ValueError):
    """The password is too easy to guess. The text says why."""


def check(password: str, email: str) -> None:
    """Raises `TooEasy` for a password that is short or easy to guess."""
    bare = password.strip().lower()
    if len(password) < SHORTEST:
        raise TooEasy(_("Use at least %(count)s characters.", count=SHORTEST))
    if len(password) > LONGEST:
        raise TooEasy(too_long(LONGEST))
    if bare in (email, email.partition("@")[0]):
        raise TooEasy(_("Don't use your email address as your password."))
    if bare in COMMONEST or len(set(bare)) < 3 or re.sub(r"[\W\d_]+", "", bare) in COMMON_WORDS:
        raise TooEasy(_("This password is too common. Three unrelated words make a good one."))
