"""Samples: the file that a template shows to Meta's reviewers, uploaded once and saved in our store."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Self

from sqlalchemy import Index, UniqueConstraint, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import outside
from app.meta.outgoing.kinds import Refused
from app.meta.payload import mapping, sequence
from app.sniffing import HEAD, readable_name, sniff
from app.storage import new_key
from app.tenancy import TenantModel, as_uuid, commit, current_tenant_id, db, now, of_tenant, uuid7
from app.words import N_

MB = 1024 * 1024
# What Meta takes as a sample (resumable upload), by the format of the header.
TYPES = {"IMAGE": ("image/jpeg", "image/png"), "VIDEO": ("video/mp4",), "DOCUMENT": ("application/pdf",)}
LARGEST = {"IMAGE": 5 * MB, "VIDEO": 16 * MB, "DOCUMENT": 100 * MB}
# Meta doesn't say how long a handle works. One that has expired earlier is renewed when Meta refuses it.
HANDLE_LASTS = dt.timedelta(hours=12)
EMPTY = N_("“{name}” is empty. Choose another file.")
TOO_LARGE = N_("“{name}” is too large. Choose a file of at most {most} MB.")
WRONG = {
    "IMAGE": N_("“{name}” isn't a JPEG or PNG picture. Choose another file."),
    "VIDEO": N_("“{name}” isn't an MP4 video. Choose another file."),
    "DOCUMENT": N_("“{name}” isn't a PDF. Choose another file."),
}


class TemplateSample(TenantModel):
    """One file. The same content is stored once. `handle` is Meta's name for it, which expires."""

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "sha256", "format"),
        Index("ix_template_samples_erasure_at", "erasure_at", postgresql_where=text("erasure_at is not null")),
    )

    format: Mapped[str]
    name: Mapped[str]
    mime: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str]
    handle: Mapped[str | None]
    handle_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    # When somebody was erased who got it: then it goes too, unless something else shows it (`app/people/jobs.py`).
    erasure_at: Mapped[dt.datetime | None]

    @classmethod
    def store(cls, format: str, file: BinaryIO, name: str) -> Self:
        """Raises `Refused` where Meta would not take it as a sample of this format, `StorageUnavailable`."""
        name = readable_name(name) or "file"
        file.seek(0)
        mime = sniff(file.read(HEAD), "")
        file.seek(0)
        size, digest = 0, hashlib.sha256()
        while chunk := file.read(64 * 1024):
            size += len(chunk)
            digest.update(chunk)
        file.seek(0)
        if not size:
            raise Refused(EMPTY, name=name)
        if mime not in TYPES[format]:
            raise Refused(WRONG[format], name=name)
        if size > LARGEST[format]:
            raise Refused(TOO_LARGE, name=name, most=LARGEST[format] // MB)
        same = select(cls).where(cls.sha256 == digest.hexdigest(), cls.format == format)
        if stored := db.session.scalar(same.with_for_update(key_share=True)):
            stored.erasure_at = None
            return stored
        key = new_key(current_tenant_id())
        # Storing takes a while: no transaction stays open meanwhile.
        commit()
        outside().storage.put(key, file)
        sample = cls(id=uuid7(), format=format, name=name, mime=mime, size=size, storage_key=key)
        sample.sha256 = digest.hexdigest()
        try:
            with db.session.begin_nested():
                db.session.add(sample)
        except IntegrityError:
            # Somebody else has stored the same file at this moment.
            commit()
            outside().storage.delete(key)
            return db.session.scalars(same).one()
        return sample

    @classmethod
    def has_all(cls, named: Iterable[tuple[str, str]]) -> bool:
        """Whether all these are files of ours, each (kind, id) of its kind."""
        wanted = set(named)
        ids = [ids_found for _kind, id in wanted if (ids_found := as_uuid(id))]
        stored = db.session.execute(select(cls.format, cls.id).where(cls.id.in_(ids)))
        return wanted == {(format.lower(), str(id)) for format, id in stored}

    @property
    def needs_handle(self) -> bool:
        return self.handle is None or self.handle_at is None or self.handle_at < now() - HANDLE_LASTS

    def stream(self) -> Iterator[bytes]:
        return outside().storage.stream(self.storage_key)


def headers_in(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The header of a template, and those of its cards."""
    for part in map(mapping, components):
        if str(part.get("type")).upper() == "HEADER":
            yield part
        for card in map(mapping, sequence(part.get("cards"))):
            yield from headers_in(map(mapping, sequence(card.get("components"))))


def sample_ids_in(components: Iterable[dict[str, Any]]) -> set[uuid.UUID]:
    """The samples that components name."""
    named = (mapping(header.get("example")).get("sample") for header in headers_in(components))
    return {ids_found for id in named if isinstance(id, str) and (ids_found := as_uuid(id))}


def default_files(components: Iterable[dict[str, Any]]) -> list[str]:
    """For each place of a file the sample in it; "" where there is none."""
    ids_found = []
    for header in headers_in(components):
        if str(header.get("format")).upper() in TYPES:
            id = as_uuid(str(mapping(header.get("example")).get("sample")))
            ids_found.append(str(id or ""))
    return ids_found


def with_handles(components: list[dict[str, Any]], handles: dict[str, str]) -> list[dict[str, Any]]:
    """The same components as Meta takes them: with the handle of each sample in its place."""
    return [_with_handles(part, handles) for part in map(mapping, components)]


def _with_handles(part: dict[str, Any], handles: dict[str, str]) -> dict[str, Any]:
    if id := mapping(part.get("example")).get("sample"):
        handle, others = handles.get(str(id)), {name: value for name, value in part.items() if name != "example"}
        return {**others, "example": {"header_handle": [handle]}} if handle else others
    if cards := sequence(part.get("cards")):
        return {
            **part,
            "cards": [
                {**card, "components": with_handles(sequence(card.get("components")), handles)}
                for card in map(mapping, cards)
            ],
        }
    return part


def without_samples(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same components without the examples of their files, which Meta returns as links that expire."""
    return [_without_samples(part) for part in map(mapping, components)]


def _without_samples(part: dict[str, Any]) -> dict[str, Any]:
    if str(part.get("type")).upper() == "HEADER" and str(part.get("format")).upper() in TYPES:
        return {name: value for name, value in part.items() if name != "example"}
    if cards := sequence(part.get("cards")):
        return {
            **part,
            "cards": [
                {**card, "components": without_samples(sequence(card.get("components")))}
                for card in map(mapping, cards)
            ],
        }
    return part
