"""Rows that a browser takes piece by piece, for as long as who asked for them may have them."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from flask import Flask, current_app, g
from flask_login import current_user
from sqlalchemy import select

from .database import db
from .models import Membership
from .transactions import tenant_scope


class DownloadEnded(Exception):
    """Who downloads left the business, or may not any more. The browser sees that the file is not whole."""


@dataclass(frozen=True, slots=True)
class Download:
    """One download: a slow browser may take hours, so each piece is read in a scope of its own."""

    app: Flask
    tenant_id: uuid.UUID
    user_id: uuid.UUID
    permission: str

    @classmethod
    def begin(cls, permission: str) -> Self:
        """Of the member who asks."""
        return cls(current_app._get_current_object(), g.tenant.id, current_user.id, permission)  # type: ignore[attr-defined]

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Where a piece is read. Raises `DownloadEnded`."""
        with self.app.app_context(), tenant_scope(self.tenant_id):
            member = db.session.scalar(select(Membership).where(Membership.user_id == self.user_id))
            if member is None or not member.may(self.permission):
                raise DownloadEnded
            yield
