"""The business's own key to a model: which provider, where, which model, and what a token costs there."""

from __future__ import annotations

import datetime as dt
from typing import Self

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from app.billing.balances import Balance
from app.tenancy import TenantModel, db, now, of_tenant, one_of
from app.tenancy.sealed import Sealed

from .prices import Price, price_of
from .providers.completion import Endpoint

PROVIDERS = ("openai", "anthropic", "google")
# Listens to voice messages at OpenAI where no other model was entered.
HEARING_MODEL = "gpt-4o-mini-transcribe"
# Turn texts into vectors where no other model was entered. Anthropic has none.
EMBEDDING_MODELS = {"openai": "text-embedding-3-small", "google": "gemini-embedding-001"}


class ModelAccess(TenantModel):
    """One per tenant. The key is sealed, and no page shows it again."""

    __tablename__ = "model_accesses"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"), one_of("provider", PROVIDERS))

    provider: Mapped[str]
    # Where its API is; a local server has an address of its own.
    base_url: Mapped[str]
    model: Mapped[str]
    # The model that listens to voice messages, where it is another one than `model`; empty: the usual one.
    hearing_model: Mapped[str] = mapped_column(default="", server_default="")
    key = Sealed()
    key_ciphertext: Mapped[bytes | None]
    # What a million tokens cost, in micro-dollars, where the business entered it; else our table counts.
    input_price: Mapped[int | None]
    output_price: Mapped[int | None]
    # When it last answered, and what went wrong since then (a key of `words.PROBLEMS`).
    worked_at: Mapped[dt.datetime | None]
    problem: Mapped[str] = mapped_column(default="", server_default="")
    updated_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)

    @classmethod
    def current(cls) -> Self | None:
        return db.session.scalar(select(cls))

    @classmethod
    def usable(cls) -> Self | None:
        """What a model may be asked with: nothing for a closed business, whose messages still come for a while."""
        return None if Balance.of_closed() else cls.current()

    @property
    def hears(self) -> str:
        """The model that listens to voice messages; "" where the provider has none."""
        if self.provider == "anthropic":
            return ""
        return self.model if self.provider == "google" else self.hearing_model or HEARING_MODEL

    @property
    def embeds(self) -> str:
        """The model that turns texts into vectors; "" where the provider has none."""
        return EMBEDDING_MODELS.get(self.provider, "")

    @property
    def price(self) -> Price | None:
        if self.input_price is not None and self.output_price is not None:
            return Price(self.input_price, self.output_price)
        return price_of(self.model)

    def endpoint(self, model: str = "") -> Endpoint:
        """All that a call needs, so that it runs without a transaction."""
        return Endpoint(self.provider, self.base_url, self.key or "", model or self.model)

    def note(self, problem: str) -> None:
        """Records how the last call went."""
        if problem:
            self.problem = problem
        else:
            self.worked_at, self.problem = now(), ""
