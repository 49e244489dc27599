import json
import secrets
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from simulator import sharing
from simulator.businesses import Business
from simulator.codes import Code
from simulator.context import Context
from simulator.phone_numbers import PhoneNumber
from simulator.record import Record
from simulator.wabas import Waba


@dataclass
class Signup(Record):
    """One open popup and its current step."""

    table: ClassVar[str] = "signups"

    persona: str | None
    step: str
    origin: str
    channel: str
    extras: str
    business_id: str | None
    waba_id: str | None
    phone_number_id: str | None
    verification_code: str | None
    code_id: str | None
    created_at: float
    hosted: int

    @classmethod
    def open(cls, world: Context, redirect_uri: str, extras: str) -> Self:
        opener = {name: values[0] for name, values in parse_qs(urlsplit(redirect_uri).fragment).items()}
        return cls.create(
            world,
            id=secrets.token_urlsafe(24),
            step="login",
            origin=opener.get("origin", ""),
            channel=opener.get("cb", ""),
            extras=extras,
            created_at=world.clock.now(),
        )

    @classmethod
    def open_hosted(cls, world: Context, extras: str) -> Self:
        """Starts a signup on Meta's own page; only the partner's webhook reports its result."""
        now = world.clock.now()
        opened = {"step": "login", "origin": "", "channel": "", "extras": extras, "created_at": now}
        return cls.create(world, id=secrets.token_urlsafe(24), hosted=1, **opened)

    @property
    def origin_allowed(self) -> bool:
        return self.origin in self.world.settings.allowed_origins

    @property
    def setup(self) -> dict[str, Any]:
        """The values that the page filled in for the client."""
        try:
            return json.loads(self.extras).get("setup") or {}
        except (ValueError, AttributeError):
            return {}

    @property
    def together_with_app(self) -> bool:
        """True if the page requested coexistence with the WhatsApp Business app."""
        try:
            is_coexistence = json.loads(self.extras).get("featureType") == "whatsapp_business_app_onboarding"
            return bool(is_coexistence and not self.hosted)
        except (ValueError, AttributeError):
            return False

    @property
    def business(self) -> Business | None:
        return Business.find(self.world, self.business_id)

    @property
    def wabas(self) -> list[Waba]:
        return Waba.of_business(self.business) if self.business else []

    @property
    def waba(self) -> Waba | None:
        return Waba.find(self.world, self.waba_id)

    @property
    def number(self) -> PhoneNumber | None:
        return PhoneNumber.find(self.world, self.phone_number_id)

    @property
    def code(self) -> Code | None:
        return Code.find(self.world, self.code_id)

    def complete(self) -> None:
        """Shares the account, which happens before any button on the last screen."""
        assert self.waba
        assert self.business
        sharing.share_with_partner(self.waba)
        if self.number:
            self.number.sign_up()
        self.update(step="success", code_id=None if self.hosted else Code.issue(self.world, self.business).id)

    def session_info(self) -> dict[str, Any]:
        data = {"waba_id": self.waba_id, "business_id": self.business_id}
        if self.together_with_app and self.number and self.number.coexistence:
            event = "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING"
            return {"type": "WA_EMBEDDED_SIGNUP", "event": event, "data": {"waba_id": self.waba_id}}
        event = "FINISH_ONLY_WABA"
        if self.phone_number_id:
            event, data = "FINISH", {"phone_number_id": self.phone_number_id, **data}
        return {"type": "WA_EMBEDDED_SIGNUP", "event": event, "version": 3, "data": data}
