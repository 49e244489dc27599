"""The files that pages elsewhere load: the button's stylesheet and the widget, each with a digest for its page.

Built from assets/widget by `node assets/widget.mjs`. A released file stays as it is, so a page's digest stays right.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import pathlib
from dataclasses import dataclass

FOLDER = pathlib.Path(__file__).parent / "public"
TYPES = {".css": "text/css", ".js": "text/javascript"}
BUTTON, WIDGET = "button-1.css", "widget-1.js"


@dataclass(frozen=True, slots=True)
class PublicFile:
    name: str
    data: bytes

    @property
    def mimetype(self) -> str:
        return TYPES[pathlib.PurePath(self.name).suffix]

    @property
    def integrity(self) -> str:
        """For `integrity` of a page's element (Subresource Integrity)."""
        return f"sha384-{base64.b64encode(hashlib.sha384(self.data).digest()).decode()}"


@functools.cache
def public_files() -> dict[str, PublicFile]:
    return {path.name: PublicFile(path.name, path.read_bytes()) for path in FOLDER.iterdir() if path.suffix in TYPES}


def public_file(name: str) -> PublicFile | None:
    return public_files().get(name)
