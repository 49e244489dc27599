"""Google's generateContent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from .completion import Endpoint, Prompt, Raw, Recording, Usage
from .reading import at, number, text_at

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
DIMENSIONS = 768
ROLES = {"assistant": "model"}
FINISHES = {"MAX_TOKENS": "length", "SAFETY": "filter", "PROHIBITED_CONTENT": "filter", "RECITATION": "filter"}


def request(endpoint: Endpoint, prompt: Prompt, *, as_json: bool) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The address, headers and body of the call. The key is a header, so that no address holds it."""
    settings: dict[str, Any] = {"maxOutputTokens": prompt.most_tokens}
    if as_json:
        settings["responseMimeType"] = "application/json"
    turns = [
        {"role": ROLES.get(role, role), "parts": parts(words, files)} for role, words, files in prompt.turns_with_files
    ]
    body = {
        "systemInstruction": {"parts": [{"text": prompt.system}]},
        "contents": turns,
        "generationConfig": settings,
    }
    url = f"{endpoint.base_url}/models/{quote(endpoint.model, safe='')}:generateContent"
    return url, {"x-goog-api-key": endpoint.key}, body


def embedding(endpoint: Endpoint, texts: Sequence[str], *, is_question: bool) -> tuple[str, dict[str, str], Any]:
    """The address, headers and body of a call of `batchEmbedContents`."""
    task = "RETRIEVAL_QUERY" if is_question else "RETRIEVAL_DOCUMENT"
    shared = {"model": f"models/{endpoint.model}", "taskType": task, "outputDimensionality": DIMENSIONS}
    body = {"requests": [shared | {"content": {"parts": [{"text": text}]}} for text in texts]}
    url = f"{endpoint.base_url}/models/{quote(endpoint.model, safe='')}:batchEmbedContents"
    return url, {"x-goog-api-key": endpoint.key}, body


def read_embedding(answer: dict[str, Any]) -> tuple[list[Any], Usage]:
    """It counts no tokens."""
    data = answer.get("embeddings")
    return [at(each, "values") for each in data] if isinstance(data, list) else [], Usage()


def parts(words: str, files: Sequence[Recording]) -> list[dict[str, Any]]:
    """Pictures and recordings, and the text about them."""
    data = [{"mimeType": file.content_type, "data": file.base64} for file in files]
    return [*({"inlineData": one} for one in data), {"text": words}]


def read(answer: dict[str, Any]) -> Raw:
    used = answer.get("usageMetadata")
    output = number(used, "candidatesTokenCount") + number(used, "thoughtsTokenCount")
    content_parts = at(answer, "candidates", 0, "content", "parts")
    words = "".join(text_at(part, "text") or "" for part in content_parts) if isinstance(content_parts, list) else ""
    blocked = at(answer, "promptFeedback", "blockReason")
    finish = FINISHES.get(str(at(answer, "candidates", 0, "finishReason")), "stop")
    return Raw(words, Usage(number(used, "promptTokenCount"), output), "filter" if blocked else finish)
