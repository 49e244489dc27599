"""One call of the API, written as a program would: curl, Python and JavaScript."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

MULTIPART = "multipart/form-data"
INDENT = "    "


@dataclass(frozen=True)
class Request:
    """`body` is None where nothing is sent; `takes` is the media type of a file instead of a body."""

    method: str
    address: str
    query: dict[str, Any]
    body: Any = None
    takes: str = ""
    is_repeatable: bool = False

    @property
    def url(self) -> str:
        return self.address + (f"?{urlencode(self.query, doseq=True)}" if self.query else "")

    @property
    def curl(self) -> str:
        url = shlex.quote(self.url) if self.query else self.url
        lines = [f"curl {url}" if self.method == "GET" else f"curl -X {self.method} {url}"]
        lines.append('-H "Authorization: Bearer $SWITCHBOARD_KEY"')
        if self.is_repeatable:
            lines.append('-H "Idempotency-Key: $(uuidgen)"')
        if self.takes == MULTIPART:
            lines.append("-F file=@photo.jpg")
        elif self.takes:
            lines += [f'-H "Content-Type: {self.takes}"', "--data-binary @photo.jpg"]
        elif self.body is not None:
            lines += ['-H "Content-Type: application/json"', f"-d {quoted(as_json(self.body))}"]
        return " \\\n  ".join(lines)

    @property
    def python(self) -> str:
        modules = ["import os", *(["import uuid"] if self.is_repeatable else []), "", "import requests"]
        headers = {"Authorization": Code("f\"Bearer {os.environ['SWITCHBOARD_KEY']}\"")}
        if self.is_repeatable:
            headers["Idempotency-Key"] = Code("str(uuid.uuid4())")
        arguments = [f'"{self.address}"', f"headers={literal(headers, 1)}"]
        if self.query:
            arguments.append(f"params={literal(self.query, 1)}")
        if self.takes == MULTIPART:
            arguments.append('files={"file": open("photo.jpg", "rb")}')
        elif self.takes:
            headers["Content-Type"] = Code(f'"{self.takes}"')
            arguments[1] = f"headers={literal(headers, 1)}"
            arguments.append('data=open("photo.jpg", "rb")')
        elif self.body is not None:
            arguments.append(f"json={literal(self.body, 1)}")
        listed = "".join(f"{INDENT}{argument},\n" for argument in arguments)
        shown = "print(response.status_code, response.text)"
        return "\n".join([*modules, "", f"response = requests.{self.method.lower()}(\n{listed})", shown])

    @property
    def javascript(self) -> str:
        headers = ["Authorization: `Bearer ${process.env.SWITCHBOARD_KEY}`"]
        if self.is_repeatable:
            headers.append('"Idempotency-Key": crypto.randomUUID()')
        body = ""
        if self.takes == MULTIPART:
            body = "body: form"
        elif self.takes:
            headers.append(f'"Content-Type": "{self.takes}"')
            body = 'body: await readFile("photo.jpg")'
        elif self.body is not None:
            headers.append('"Content-Type": "application/json"')
            body = f"body: JSON.stringify({indented(as_json(self.body))})"
        options = [f'method: "{self.method}"', "headers: {\n    " + ",\n    ".join(headers) + ",\n  }", body]
        listed = "".join(f"  {option},\n" for option in options if option)
        before = []
        if self.takes:
            before = ['import { readFile } from "node:fs/promises"', ""]
        if self.takes == MULTIPART:
            before += ["const form = new FormData()", 'form.append("file", new Blob([await readFile("photo.jpg")]))']
        shown = "console.log(response.status, await response.text())"
        return "\n".join([*before, f'const response = await fetch("{self.url}", {{\n{listed}}})', shown])

    @property
    def languages(self) -> list[tuple[str, str]]:
        return [("curl", self.curl), ("Python", self.python), ("JavaScript", self.javascript)]


class Code(str):
    """Source text that goes into a literal unchanged."""

    __slots__ = ()


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def quoted(text: str) -> str:
    """For a shell, in single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def literal(value: Any, level: int) -> str:
    """A Python literal over several lines."""
    inner, outer = INDENT * (level + 1), INDENT * level
    match value:
        case Code():
            return str(value)
        case dict() if value:
            items = (f"{inner}{string(name)}: {literal(each, level + 1)},\n" for name, each in value.items())
            return "{\n" + "".join(items) + outer + "}"
        case list() if value:
            return "[\n" + "".join(f"{inner}{literal(each, level + 1)},\n" for each in value) + outer + "]"
        case str():
            return string(value)
    return repr(value)


def string(value: str) -> str:
    """In double quotes, which JSON and Python write alike."""
    return json.dumps(value, ensure_ascii=False)
