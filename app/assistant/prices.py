"""What providers charge: list prices as of DATE, in micro-dollars for a million tokens, by the beginning of a model's
name. A business may enter its own, which wins."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .providers.completion import NOTHING, Usage

DATE = "2025-10-01"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    input: int
    output: int

    def of(self, input_tokens: int, output_tokens: int) -> int:
        """In micro-dollars, rounded up."""
        return -(-(input_tokens * self.input + output_tokens * self.output) // MILLION)


PRICES = {
    "gpt-5-nano": Price(50_000, 400_000),
    "gpt-5-mini": Price(250_000, 2_000_000),
    "gpt-5": Price(1_250_000, 10_000_000),
    "gpt-4.1-nano": Price(100_000, 400_000),
    "gpt-4.1-mini": Price(400_000, 1_600_000),
    "gpt-4.1": Price(2_000_000, 8_000_000),
    "gpt-4o-mini": Price(150_000, 600_000),
    "gpt-4o": Price(2_500_000, 10_000_000),
    # Of audio that is read.
    "gpt-4o-mini-transcribe": Price(3_000_000, 5_000_000),
    "gpt-4o-transcribe": Price(6_000_000, 10_000_000),
    "claude-haiku-4-5": Price(1_000_000, 5_000_000),
    "claude-sonnet-4-5": Price(3_000_000, 15_000_000),
    "claude-sonnet-4": Price(3_000_000, 15_000_000),
    "text-embedding-3-small": Price(20_000, 0),
    "text-embedding-3-large": Price(130_000, 0),
    "gemini-embedding-001": Price(150_000, 0),
    "gemini-2.5-flash-lite": Price(100_000, 400_000),
    "gemini-2.5-flash": Price(300_000, 2_500_000),
    "gemini-2.5-pro": Price(1_250_000, 10_000_000),
}

# Micro-dollars for a second of audio.
SECONDS = {"whisper-1": 100}


def price_of(model: str) -> Price | None:
    """The price of the longest name that the model's begins with; None where the table has none."""
    matches = [name for name in PRICES if model == name or model.startswith(f"{name}-2")]
    return PRICES[max(matches, key=len)] if matches else None


def cost_of_hearing(model: str, usage: Usage, seconds: float) -> int | None:
    """What a transcript cost, in micro-dollars; None where the table has no price or nothing was counted."""
    if model in SECONDS and seconds:
        return math.ceil(seconds * SECONDS[model])
    price = price_of(model)
    return price.of(usage.input, usage.output) if price and usage != NOTHING else None
