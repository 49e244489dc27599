"""Anthropic's messages."""

from __future__ import annotations

from typing import Any

from .completion import Endpoint, Prompt, Raw, Usage
from .reading import number, text_at

BASE_URL = "https://api.anthropic.com/v1"
VERSION = "2023-06-01"
FINISHES = {"max_tokens": "length", "model_context_window_exceeded": "length", "refusal": "filter"}


def request(endpoint: Endpoint, prompt: Prompt, *, as_json: bool) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The address, headers and body of the call. There is no switch for JSON: the instructions ask for it."""
    del as_json
    body = {
        "model": endpoint.model,
        "max_tokens": prompt.most_tokens,
        "system": prompt.system,
        "messages": [{"role": role, "content": words} for role, words in prompt.turns],
    }
    return f"{endpoint.base_url}/messages", {"x-api-key": endpoint.key, "anthropic-version": VERSION}, body


def read(answer: dict[str, Any]) -> Raw:
    used = answer.get("usage")
    usage = Usage(number(used, "input_tokens"), number(used, "output_tokens"))
    parts = answer.get("content") if isinstance(answer.get("content"), list) else []
    words = "".join(text_at(part, "text") or "" for part in parts or [] if text_at(part, "type") == "text")
    return Raw(words, usage, FINISHES.get(str(answer.get("stop_reason")), "stop"))
