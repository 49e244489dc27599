"""Passwords: Argon2id as OWASP recommends it, and which ones are too easy to guess."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from typing import Any

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from flask_babel import gettext as _

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


def hashed(password: str) -> str:
    return Argon2id(salt=os.urandom(16), length=32, **COST).derive_phc_encoded(as_bytes(password))


def matches(password: str, password_hash: str) -> bool:
    """Takes as long for nobody's hash (`NONE`) as for somebody's, so that time does not tell who is known."""
    known = password_hash.startswith("$argon2id$")
    try:
        Argon2id.verify_phc_encoded(as_bytes(password), password_hash if known else hash_of_nobody())
    except InvalidKey:
        return False
    return known


@functools.cache
def hash_of_nobody() -> str:
    return hashed(os.urandom(16).hex())


def as_bytes(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode()


class TooEasy(ValueError):
    """A password that will not do; says why."""


def check(password: str, email: str) -> None:
    bare = password.strip().lower()
    if len(password) < SHORTEST:
        raise TooEasy(_("Use at least %(count)s characters.", count=SHORTEST))
    if len(password) > LONGEST:
        raise TooEasy(_("Use at most %(count)s characters.", count=LONGEST))
    if bare in (email, email.partition("@")[0]):
        raise TooEasy(_("Your e-mail address is the first thing somebody would try. Choose something else."))
    if bare in COMMONEST or len(set(bare)) < 3 or re.sub(r"[\W\d_]+", "", bare) in COMMON_WORDS:
        raise TooEasy(_("This is one of the first to be tried. Three unrelated words make a good password."))
