"""The pictures and videos that a template is sent with: its cards' own, unless others are chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO, cast

from app.message_templates.models import MessageTemplate
from app.message_templates.samples import TemplateSample
from app.meta.outgoing import Refused
from app.tenancy import as_uuid, db
from app.words import N_

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

MISSING = N_("This template starts with a file. Choose one.")
MISSING_ON_CARD = N_("Card {card} has no picture or video. Choose one.")


class TemplateFiles:
    """For each place of a file: one chosen now, or before (`typed` names it), else the one its reviewers have seen."""

    def __init__(self, template: MessageTemplate, typed: Mapping[str, str]) -> None:
        self.places = template.definition.files
        chosen = [as_uuid(typed.get(f"card-{place.card}-sample")) for place in self.places]
        self.ids = [str(id or own) for id, own in zip(chosen, template.files, strict=True)]

    def take(self, uploads: Mapping[str, FileStorage]) -> None:
        """Stores the files that were chosen for cards. Raises `Refused` where WhatsApp would not take one."""
        for number, place in enumerate(self.places):
            upload = uploads.get(f"card-{place.card}-file")
            if upload and upload.filename:
                sample = TemplateSample.store(place.kind.upper(), cast("BinaryIO", upload.stream), upload.filename)
                db.session.flush()
                self.ids[number] = str(sample.id)

    def check(self) -> None:
        """Raises `Refused` where one is missing."""
        for id, place in zip(self.ids, self.places, strict=True):
            if not id:
                raise Refused(MISSING) if place.card is None else Refused(MISSING_ON_CARD, card=place.card + 1)

    @property
    def by_card(self) -> dict[int | None, str]:
        return {place.card: id for place, id in zip(self.places, self.ids, strict=True)}
