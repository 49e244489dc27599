"""OpenAI's chat completions, which many others and local servers speak too."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from app.sniffing import EXTENSIONS

from .completion import Endpoint, Heard, Prompt, Raw, Recording, Usage
from .reading import at, number, text_at

BASE_URL = "https://api.openai.com/v1"
# Enough to tell passages of one business apart.
DIMENSIONS = 512
FINISHES = {"length": "length", "content_filter": "filter"}


def request(endpoint: Endpoint, prompt: Prompt, *, as_json: bool) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The address, headers and body of the call."""
    roles: list[dict[str, Any]] = [{"role": "system", "content": prompt.system}]
    roles += [{"role": role, "content": content(words, files)} for role, words, files in prompt.turns_with_files]
    body: dict[str, Any] = {"model": endpoint.model, "messages": roles, "max_completion_tokens": prompt.most_tokens}
    if as_json:
        body["response_format"] = {"type": "json_object"}
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    return f"{endpoint.base_url}/chat/completions", headers, body


def content(words: str, files: Sequence[Recording]) -> Any:
    """A text alone, or a text and pictures."""
    if not files:
        return words
    pictures = [f"data:{file.content_type};base64,{file.base64}" for file in files]
    return [{"type": "text", "text": words}, *({"type": "image_url", "image_url": {"url": url}} for url in pictures)]


def transcription(endpoint: Endpoint, model: str, recording: Recording) -> tuple[str, dict[str, str], bytes]:
    """The address, headers and body of a call of `audio/transcriptions`: a form with the file."""
    boundary = uuid.uuid4().hex
    extension = EXTENSIONS.get(recording.content_type, ".ogg").lstrip(".")
    head = ""
    for name, value in {"model": model, "response_format": "json"}.items():
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="voice.{extension}"\r\n'
    head += f"Content-Type: {recording.content_type}\r\n\r\n"
    body = head.encode() + recording.data + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    return f"{endpoint.base_url}/audio/transcriptions", headers, body


def read_transcription(answer: dict[str, Any]) -> Heard:
    used = answer.get("usage")
    seconds = at(used, "seconds")
    length = float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 100_000 else 0.0
    return Heard(
        text_at(answer, "text") or "", Usage(number(used, "input_tokens"), number(used, "output_tokens")), length
    )


def embedding(endpoint: Endpoint, texts: Sequence[str], *, is_question: bool) -> tuple[str, dict[str, str], Any]:
    """The address, headers and body of a call of `embeddings`. Questions and passages are treated alike."""
    del is_question
    body: dict[str, Any] = {"model": endpoint.model, "input": list(texts), "encoding_format": "float"}
    # Older models, and those of others, refuse a number of dimensions.
    if endpoint.model.startswith("text-embedding-3"):
        body["dimensions"] = DIMENSIONS
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    return f"{endpoint.base_url}/embeddings", headers, body


def read_embedding(answer: dict[str, Any]) -> tuple[list[Any], Usage]:
    data = answer.get("data")
    rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    ordered = sorted(rows, key=lambda row: number(row, "index"))
    return [row.get("embedding") for row in ordered], Usage(number(answer.get("usage"), "prompt_tokens"))


def read(answer: dict[str, Any]) -> Raw:
    used = answer.get("usage")
    usage = Usage(number(used, "prompt_tokens"), number(used, "completion_tokens"))
    finish = str(text_at(answer, "choices", 0, "finish_reason") or "")
    words = text_at(answer, "choices", 0, "message", "content")
    return Raw(words or "", usage, FINISHES.get(finish, "stop"))
