"""Files for programs: upload one to send it, and get those of messages."""

from __future__ import annotations

import uuid
from typing import IO, Annotated, Self

from flask import Response
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.exceptions import NotFound

from app.api import Page, PageQuery, Place, Problem, Shape, current_key, endpoint, problem
from app.api.declaring import Time
from app.api.pages import after, page_of
from app.inbox.files.attachments import LARGEST, Attachment
from app.inbox.files.media import Media
from app.inbox.files.serving import serve
from app.inbox.files.uploaded_files import MOST_BYTES, MOST_FILES, NoRoom, UploadedFile
from app.meta.outgoing import Refused
from app.sniffing import UNKNOWN
from app.storage import StorageUnavailable
from app.tenancy import db
from app.words import N_

from . import reach
from .messages import READ, WRITE

TAG = "Media"
# Its first bytes decide what a file is, so many types are taken.
TYPES = ("image/*", "video/*", "audio/*", "text/*", "application/*")
NO_ROOM = problem(
    "no_room_for_files",
    409,
    "Too many files are waiting to be sent",
    N_("All uploaded files together may be {count:,} and have {size} MB. Delete those that you have sent."),
)


class UploadedFileShape(Shape):
    """A file to send in messages, as often as you like, until it expires."""

    id: uuid.UUID
    kind: str = Field(description="The type of message it can be sent with: image, video, audio, document or sticker.")
    mime: str
    filename: str
    size: int
    created_at: Time
    expires_at: Time

    @classmethod
    def of(cls, file: UploadedFile) -> Self:
        return cls(
            id=file.id,
            kind=file.kind,
            mime=file.mime,
            filename=file.filename,
            size=file.size,
            created_at=file.created_at,
            expires_at=file.expires_at,
        )


class UploadQuery(Shape):
    filename: Annotated[str, Field(max_length=255)] = Field(
        "", description="The name that customers see of a document. Its ending tells Word, Excel and text files apart."
    )


@endpoint(
    "POST",
    "/media",
    scope=WRITE,
    query=UploadQuery,
    takes=TYPES,
    most_bytes=LARGEST,
    gives=UploadedFileShape,
    status=201,
    tag=TAG,
    problems=("unacceptable", "storage_away", NO_ROOM),
)
def upload_media(query: UploadQuery, body: IO[bytes]) -> UploadedFileShape:
    """Upload a file.

    The body is the file itself. What it is follows from its bytes; the answer says with which type of message it can be
    sent. It is stored for 30 days, and messages that were sent with it are not affected when it expires.
    """
    try:
        attachment = Attachment.of(body, query.filename)
        file = UploadedFile.store(attachment, team_id=current_key().team_id)
    except Refused as error:
        raise Problem("unacceptable", error.explain(_)) from None
    except NoRoom:
        raise Problem(NO_ROOM, count=MOST_FILES, size=MOST_BYTES // (1024 * 1024)) from None
    except StorageUnavailable:
        raise Problem("storage_away", headers={"Retry-After": "5"}) from None
    return UploadedFileShape.of(file)


@endpoint("GET", "/media", scope=WRITE, query=PageQuery, gives=Page[UploadedFileShape], tag=TAG)
def list_media(query: PageQuery) -> Page[UploadedFileShape]:
    """List uploaded files.

    Those that have not expired, newest first. Files of messages are in the messages.
    """
    rows = after(reach.files(), query.after, UploadedFile.id).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, UploadedFileShape.of, lambda file: Place(file.id))


@endpoint("GET", "/media/<uuid:media_id>", scope=READ, files=("*/*",), tag=TAG, problems=("unavailable",))
def download_media(media_id: uuid.UUID) -> Response:
    """Download a file.

    Of a message, by the `file.id` of the message, or one that you uploaded. Parts of it can be asked for with a Range
    header.
    """
    if file := reach.find_file(media_id):
        return serve(file, file.storage_key, file.content_type, file.size, saves=True)
    media = media_within_reach(media_id)
    return serve(media, media.storage_key, media.content_type or UNKNOWN, media.size, saves=True)


def media_within_reach(id: uuid.UUID) -> Media:
    """The stored file of a message that the key reaches, and that its sender has not deleted."""
    media = Media.find(id)
    if media is None or not media.is_stored or reach.find_message(media.message_id).is_deleted:
        raise NotFound
    return media


@endpoint("DELETE", "/media/<uuid:media_id>", scope=WRITE, tag=TAG)
def delete_media(media_id: uuid.UUID) -> None:
    """Delete an uploaded file.

    Messages that were sent with it have copies of their own.
    """
    if (file := reach.find_file(media_id)) is None:
        raise NotFound
    file.end()
