"""OpenAI's chat completions, which many others and local servers speak too."""

from __future__ import annotations

from typing import Any

from .completion import Endpoint, Prompt, Raw, Usage
from .reading import number, text_at

BASE_URL = "https://api.openai.com/v1"
FINISHES = {"length": "length", "content_filter": "filter"}


def request(endpoint: Endpoint, prompt: Prompt, *, as_json: bool) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The address, headers and body of the call."""
    roles = [{"role": "system", "content": prompt.system}]
    roles += [{"role": role, "content": words} for role, words in prompt.turns]
    body: dict[str, Any] = {"model": endpoint.model, "messages": roles, "max_completion_tokens": prompt.most_tokens}
    if as_json:
        body["response_format"] = {"type": "json_object"}
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    return f"{endpoint.base_url}/chat/completions", headers, body


def read(answer: dict[str, Any]) -> Raw:
    used = answer.get("usage")
    usage = Usage(number(used, "prompt_tokens"), number(used, "completion_tokens"))
    finish = str(text_at(answer, "choices", 0, "finish_reason") or "")
    words = text_at(answer, "choices", 0, "message", "content")
    return Raw(words or "", usage, FINISHES.get(finish, "stop"))
