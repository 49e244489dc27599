"""Resumable uploads: samples of templates and profile photos."""

import base64
import secrets
from dataclasses import dataclass
from typing import ClassVar, Self

from simulator.context import Context
from simulator.record import Record

TYPES = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")
LARGEST = 100 * 1024 * 1024
HOUR = 3600
# What a file of the type begins with, and where.
SIGNATURES = {
    "application/pdf": (0, b"%PDF-"),
    "image/jpeg": (0, b"\xff\xd8\xff"),
    "image/jpg": (0, b"\xff\xd8\xff"),
    "image/png": (0, b"\x89PNG\r\n\x1a\n"),
    "video/mp4": (4, b"ftyp"),
}


@dataclass
class Upload(Record):
    """A file that is being uploaded, or that was."""

    table: ClassVar[str] = "uploads"

    file_type: str
    file_length: int
    handle: str | None
    created_at: float
    content: bytes | None
    file_name: str | None
    sig: str | None
    handle_until: float | None

    @classmethod
    def begin(cls, world: Context, file_type: str, file_length: int, file_name: str) -> Self:
        """Opens a session for a file of this type and length."""
        name = base64.urlsafe_b64encode(b"attachment:" + secrets.token_bytes(16)).decode()
        return cls.create(
            world,
            id=f"upload:{name}",
            sig=secrets.token_urlsafe(12),
            file_type=file_type,
            file_length=file_length,
            file_name=file_name,
            created_at=world.clock.now(),
            content=b"",
        )

    @classmethod
    def with_handle(cls, world: Context, handle: str) -> Self | None:
        """The finished upload with a handle that has not expired, or None."""
        matching = cls.where(world, "handle = ? and handle_until > ?", handle, world.clock.now())
        return next(iter(matching), None)

    @property
    def session(self) -> str:
        """The id of the session, which carries its signature."""
        return f"{self.id}?sig={self.sig}"

    @property
    def offset(self) -> int:
        """How many bytes have arrived."""
        return len(self.content or b"")

    @property
    def looks_right(self) -> bool:
        """True if the bytes begin like a file of the announced type."""
        at, signature = SIGNATURES.get(self.file_type, (0, b""))
        return (self.content or b"")[at : at + len(signature)] == signature

    def append(self, data: bytes) -> None:
        """Adds bytes; the last ones make the handle."""
        content = (self.content or b"") + data
        self.update(content=content)
        if len(content) == self.file_length:
            until = self.world.clock.now() + self.world.knobs["handle_lifetime"] * HOUR
            kind = base64.b64encode(self.file_type.encode()).decode().rstrip("=")
            app, user = self.world.settings.app_id, self.world.settings.system_user_id
            secret, seal = secrets.token_urlsafe(30), secrets.token_urlsafe(14)
            self.update(handle=f"4::{kind}:AR{secret}:e:{int(until)}:{app}:{user}:AR{seal}", handle_until=until)


class SampleFiles:
    """The handles that a template's samples may name."""

    def __init__(self, world: Context) -> None:
        self.world = world

    def type_of(self, handle: str) -> str | None:
        """The MIME type of an upload whose handle still works, or None."""
        upload = Upload.with_handle(self.world, handle)
        return upload.file_type if upload else None
