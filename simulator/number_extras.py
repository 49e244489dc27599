"""A number's profile, username, settings and verification code."""

import json
import secrets
from typing import Any

from simulator.phone_numbers import PhoneNumber

MOST_CODES, CODES_WINDOW = 5, 3600


class Extras:
    def __init__(self, number: PhoneNumber) -> None:
        self.number, self.store = number, number.world.store
        self.store.write("insert or ignore into number_extras (phone_number_id) values (?)", number.id)

    def __getitem__(self, name: str) -> str | None:
        row = self.store.row("select * from number_extras where phone_number_id = ?", self.number.id)
        assert row is not None
        value: str | None = row[name]
        return value

    def __setitem__(self, name: str, value: str | None) -> None:
        assert name.isidentifier()
        sql = f"update number_extras set {name} = ? where phone_number_id = ?"  # noqa: S608 - names are this program's
        self.store.write(sql, value, self.number.id)

    def object(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self[name] or "{}")
        return value

    def send_code(self) -> bool:
        """Sends a verification code; false after five in an hour."""
        now = self.number.world.clock.now()
        recent = [moment for moment in json.loads(self["code_requests"] or "[]") if moment > now - CODES_WINDOW]
        if len(recent) >= MOST_CODES:
            return False
        self["code_requests"] = json.dumps([*recent, now])
        self["verification_code"] = f"{secrets.randbelow(10**6):06d}"
        return True
