"""Anthropic's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .completion import Endpoint, Prompt, Raw, Recording, Usage
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
        "messages": [
            {"role": role, "content": content(words, files)} for role, words, files in prompt.turns_with_files
        ],
    }
    return f"{endpoint.base_url}/messages", {"x-api-key": endpoint.key, "anthropic-version": VERSION}, body


def content(words: str, files: Sequence[Recording]) -> Any:
    """A text alone, or pictures and a text."""
    if not files:
        return words
    sources = [{"type": "base64", "media_type": file.content_type, "data": file.base64} for file in files]
    return [*({"type": "image", "source": source} for source in sources), {"type": "text", "text": words}]


def read(answer: dict[str, Any]) -> Raw:
    used = answer.get("usage")
    usage = Usage(number(used, "input_tokens"), number(used, "output_tokens"))
    parts = answer.get("content") if isinstance(answer.get("content"), list) else []
    words = "".join(text_at(part, "text") or "" for part in parts or [] if text_at(part, "type") == "text")
    return Raw(words, usage, FINISHES.get(str(answer.get("stop_reason")), "stop"))
