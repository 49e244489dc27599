import base64
import hashlib
import hmac
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from flask import has_request_context, request

from simulator import ids
from simulator.context import Context
from simulator.phone_numbers import PhoneNumber
from simulator.record import Record

DAY = 86400
# A business may use what it uploaded for 30 days, and fetch what a customer sent for 7.
LIFETIME = {"upload": 30 * DAY, "link": 30 * DAY, "webhook": 7 * DAY}
URL_LIFETIME = 300
KB, MB = 1024, 1024 * 1024
OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES = {
    "audio": {"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"},
    "document": {
        *("text/plain", "application/pdf", "application/vnd.ms-excel", "application/msword"),
        *("application/vnd.ms-powerpoint", f"{OFFICE}.spreadsheetml.sheet"),
        *(f"{OFFICE}.wordprocessingml.document", f"{OFFICE}.presentationml.presentation"),
    },
    "image": {"image/jpeg", "image/png"},
    "sticker": {"image/webp"},
    "video": {"video/3gp", "video/3gpp", "video/mp4"},
}
LARGEST = {"audio": 16 * MB, "document": 100 * MB, "image": 5 * MB, "sticker": 500 * KB, "video": 16 * MB}
LARGEST_INBOUND = 100 * MB
SENDABLE = set().union(*TYPES.values())
LOOPBACK = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


@dataclass
class Media(Record):
    """A file on Meta's side: uploaded by a business, fetched from its link, or sent by a customer."""

    table: ClassVar[str] = "media"

    phone_number_id: str
    origin: str
    mime_type: str
    sha256: str
    file_size: int
    filename: str | None
    created_at: float
    expires_at: float
    deleted_at: float | None

    @classmethod
    def save(
        cls, world: Context, number: PhoneNumber, origin: str, mime_type: str, data: bytes, filename: str = ""
    ) -> Self:
        """Stores the bytes and creates the record."""
        id, now = ids.object_id(), world.clock.now()
        file_of(world, id).parent.mkdir(parents=True, exist_ok=True)
        file_of(world, id).write_bytes(data)
        return cls.create(
            world,
            id=id,
            phone_number_id=number.id,
            origin=origin,
            mime_type=mime_type,
            sha256=hashlib.sha256(data).hexdigest(),
            file_size=len(data),
            filename=filename or None,
            created_at=now,
            expires_at=now + LIFETIME[origin],
        )

    @classmethod
    def usable(cls, world: Context, id: str | None, phone_number_id: str) -> Self | None:
        """The file if it exists, has not expired and belongs to the number."""
        media = cls.find(world, id)
        return media if media and media.alive and media.phone_number_id == phone_number_id else None

    @property
    def alive(self) -> bool:
        """True until the file expires or is deleted."""
        return self.deleted_at is None and self.world.clock.now() < self.expires_at

    @property
    def plain_type(self) -> str:
        """The MIME type without parameters."""
        return self.mime_type.partition(";")[0].strip()

    @property
    def path(self) -> Path:
        """Where the bytes are stored."""
        return file_of(self.world, self.id)

    @property
    def sha256_in_webhooks(self) -> str:
        """The hash in base64; the Graph API gives it in hexadecimal."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()

    def fits(self, kind: str) -> bool:
        """True if the file's type and size are allowed for this type of message."""
        return self.plain_type in TYPES[kind] and self.file_size <= LARGEST[kind]

    def temporary_url(self, source: str) -> str:
        """A signed download address that works for five minutes."""
        expiry = int(self.world.clock.now()) + URL_LIFETIME
        query = f"mid={self.id}&source={source}&ext={expiry}&hash={self.seal(expiry)}"
        return f"{download_host(self.world)}/whatsapp_business/attachments/?{query}"

    def is_opened_by(self, ext: str, seal: str) -> bool:
        """True if expiry and signature of a download address are valid."""
        in_time = ext.isdigit() and int(ext) > self.world.clock.now()
        return self.alive and in_time and hmac.compare_digest(self.seal(int(ext)), seal)

    def seal(self, expiry: int) -> str:
        """The signature of a download address."""
        secret = self.world.settings.app_secret[0].encode()
        return hmac.new(secret, f"{self.id}:{expiry}".encode(), hashlib.sha256).hexdigest()[:40]

    def delete(self) -> None:
        """Deletes the bytes; the record stays as deleted."""
        self.update(deleted_at=self.world.clock.now())
        self.path.unlink(missing_ok=True)

    def as_webhook(self) -> dict[str, Any]:
        """The media object of a webhook."""
        return {
            "mime_type": self.mime_type,
            "sha256": self.sha256_in_webhooks,
            "id": self.id,
            "url": self.temporary_url("webhook"),
        }


def file_of(world: Context, id: str) -> Path:
    """The path of a file's bytes."""
    return Path(world.settings.data) / "media" / id


def guess_type(filename: str) -> str:
    """The MIME type by the file name."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def download_host(world: Context) -> str:
    """The host for downloads, which is not the Graph API's; on one machine its other loopback name."""
    if world.settings.media_url:
        return world.settings.media_url
    url = world.settings.public_url
    if url.endswith(":0") and has_request_context():
        url = request.host_url.rstrip("/")
    scheme, _, address = url.partition("://")
    host, colon, port = address.partition(":")
    return f"{scheme}://{LOOPBACK.get(host, host)}{colon}{port}"
