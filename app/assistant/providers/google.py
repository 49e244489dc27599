"""Google's generateContent."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .completion import Endpoint, Prompt, Raw, Usage
from .reading import at, number, text_at

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
ROLES = {"assistant": "model"}
FINISHES = {"MAX_TOKENS": "length", "SAFETY": "filter", "PROHIBITED_CONTENT": "filter", "RECITATION": "filter"}


def request(endpoint: Endpoint, prompt: Prompt, *, as_json: bool) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The address, headers and body of the call. The key is a header, so that no address holds it."""
    settings: dict[str, Any] = {"maxOutputTokens": prompt.most_tokens}
    if as_json:
        settings["responseMimeType"] = "application/json"
    turns = [{"role": ROLES.get(role, role), "parts": [{"text": words}]} for role, words in prompt.turns]
    body = {
        "systemInstruction": {"parts": [{"text": prompt.system}]},
        "contents": turns,
        "generationConfig": settings,
    }
    url = f"{endpoint.base_url}/models/{quote(endpoint.model, safe='')}:generateContent"
    return url, {"x-goog-api-key": endpoint.key}, body


def read(answer: dict[str, Any]) -> Raw:
    used = answer.get("usageMetadata")
    output = number(used, "candidatesTokenCount") + number(used, "thoughtsTokenCount")
    parts = at(answer, "candidates", 0, "content", "parts")
    words = "".join(text_at(part, "text") or "" for part in parts) if isinstance(parts, list) else ""
    blocked = at(answer, "promptFeedback", "blockReason")
    finish = FINISHES.get(str(at(answer, "candidates", 0, "finishReason")), "stop")
    return Raw(words, Usage(number(used, "promptTokenCount"), output), "filter" if blocked else finish)
