import json
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from simulator import ids
from simulator.businesses import Business
from simulator.context import Context
from simulator.record import Record
from simulator.wabas import Waba

SCOPES = ["whatsapp_business_management", "whatsapp_business_messaging"]
DAY = 86400


@dataclass
class Token(Record):
    """An access token: `business` for one client, `system` for the partner, `app` for the app itself."""

    table: ClassVar[str] = "tokens"

    kind: str
    user_id: str
    business_id: str | None
    waba_ids: str
    issued_at: float
    expires_at: float | None
    revoked_at: float | None

    @classmethod
    def issue(cls, world: Context, business: Business, days: int) -> Self:
        """Issues a token for the accounts that the business shares; 0 days means forever."""
        now = world.clock.now()
        return cls.create(
            world,
            id=ids.token(),
            kind="business",
            user_id=business.system_user_id,
            business_id=business.id,
            waba_ids=json.dumps([waba.id for waba in Waba.shared_by(business)]),
            issued_at=now,
            expires_at=now + days * DAY if days else None,
        )

    @classmethod
    def recognise(cls, world: Context, text: str) -> Self | None:
        """The token with that text, or None."""
        return cls.find(world, text) or cls._from_settings(world, text)

    @classmethod
    def _from_settings(cls, world: Context, text: str) -> Self | None:
        settings = world.settings
        owners = {settings.system_user_token: ("system", settings.system_user_id)}
        owners |= {f"{settings.app_id}|{secret}": ("app", settings.app_id) for secret in settings.app_secret}
        if text not in owners:
            return None
        kind, user_id = owners[text]
        # Two first calls at once: the one that comes second finds what the other has written.
        with world.store.transaction():
            return cls.find(world, text) or cls.create(
                world, id=text, kind=kind, user_id=user_id, issued_at=world.clock.now()
            )

    @property
    def wabas(self) -> list[str]:
        """The ids of the accounts the token can access."""
        return list(json.loads(self.waba_ids))

    @property
    def expired(self) -> bool:
        """True after its expiry."""
        return self.expires_at is not None and self.expires_at <= self.world.clock.now()

    @property
    def alive(self) -> bool:
        """True if neither expired nor revoked."""
        return not self.expired and self.revoked_at is None

    @property
    def granular_scopes(self) -> list[dict[str, Any]]:
        """The scopes with the ids they apply to, as debug_token lists them."""
        if self.kind == "business":
            if scopes := self._id_scopes():
                return [{"scope": scope} for scope in SCOPES if scope not in scopes] + [
                    {"scope": scope, "target_ids": self.wabas} for scope in scopes
                ]
            return [{"scope": scope, "target_ids": self.wabas} for scope in SCOPES]
        return [{"scope": scope} for scope in ["business_management", *SCOPES]]

    def _id_scopes(self) -> list[str]:
        """The scopes that hold the accounts' ids, where Meta puts them under others than usual."""
        business = Business.find(self.world, self.business_id)
        return list(json.loads(business.id_scopes)) if business and business.id_scopes else []

    def revoke(self) -> None:
        """Revokes the token."""
        self.update(revoked_at=self.world.clock.now())
