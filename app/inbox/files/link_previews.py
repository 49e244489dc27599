"""Link previews, fetched by our server so that no user's browser contacts the linked site."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import uuid
from collections.abc import Iterable
from typing import Self

from sqlalchemy import Index, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import outside
from app.storage import StorageUnavailable
from app.tenancy import TenantModel, commit, current_tenant_id, db, now, of_tenant, one_of, uuid7

from .attachments import stored
from .thumbnails import Thumbnail
from .web_pages import host_of, read_page, secured

STATES = ("asked", "shown", "empty")
# A page changes; what it was is forgotten after that.
RETENTION = dt.timedelta(days=30)
# An answer that has not come by then was lost.
PATIENCE = dt.timedelta(minutes=5)


class LinkPreview(TenantModel):
    """Of one link of a business, whoever sent it: asked for, then shown, or found empty."""

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "url_hash"),
        one_of("state", STATES),
        Index("ix_link_previews_asked", "asked_at"),
    )

    url_hash: Mapped[str]
    # Until it was fetched: then the hash is enough.
    url: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="asked")
    host: Mapped[str] = mapped_column(default="")
    title: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    image_key: Mapped[str | None]
    image_width: Mapped[int | None]
    image_height: Mapped[int | None]
    asked_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def by_url(cls, urls: Iterable[str]) -> dict[str, Self]:
        """The stored previews by URL. Links to one page share one preview."""
        by_hash: dict[str, Self] = {}
        links = {url: hash_of(url) for url in urls}
        if links:
            rows = db.session.scalars(select(cls).where(cls.url_hash.in_(set(links.values()))))
            by_hash = {row.url_hash: row for row in rows}
        return {url: by_hash[hash] for url, hash in links.items() if hash in by_hash}

    @property
    def is_lost(self) -> bool:
        return self.state == "asked" and self.asked_at < now() - PATIENCE

    @classmethod
    def ask(cls, url: str) -> uuid.UUID:
        """Stores the link to be fetched; of two who ask at once, both get the same row."""
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "url_hash": hash_of(url), "url": url}
        row |= {"state": "asked", "host": host_of(url), "title": "", "description": "", "asked_at": now()}
        asking = upsert(cls).values(row)
        again = asking.on_conflict_do_update(
            index_elements=["tenant_id", "url_hash"], set_={"url": url, "asked_at": row["asked_at"]}
        )
        return db.session.scalars(again.returning(cls.id)).one()

    def fetch(self) -> None:
        """Gets the page, with no transaction open meanwhile, and stores what it shows."""
        url = self.url
        commit()
        page = read_page(outside().egress, url)
        image_key = stored_picture(page.picture) if page and page.picture else None
        self.state, self.url = "shown" if page else "empty", ""
        if page:
            self.title, self.description = page.title, page.description
            if page.picture and image_key:
                self.image_key, self.image_width, self.image_height = image_key, page.picture.width, page.picture.height
        db.session.add(self)


def stored_picture(picture: Thumbnail) -> str | None:
    """Its key; None while the store is unavailable. A change of the row before it would begin a transaction."""
    try:
        return stored(io.BytesIO(picture.data))
    except StorageUnavailable:
        return None


def hash_of(url: str) -> str:
    return hashlib.sha256(secured(url).encode()).hexdigest()
