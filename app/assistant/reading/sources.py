"""Reads the text of a source in a worker: a file in a process of its own, a page through the guarded egress."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Callable

from sqlalchemy import select

from app.assistant.cutting import Piece, cut
from app.assistant.knowledge import LONGEST_BODY, KnowledgeSource
from app.extensions import outside
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.files import sandbox
from app.storage import NotStored, StorageUnavailable
from app.tenancy import commit, db
from app.variables import filled

from .pages import Unreadable, read_page

PROGRAM = pathlib.Path(__file__).parent / "documents.py"
MEMORY, SECONDS = 512 * 1024 * 1024, 60
LARGEST_FILE = 10_000_000
MOST_LETTERS = 2_000_000
NO_VALUES: dict[str, str] = {}


def read_source(source_id: str) -> None:
    """One reading of one source: claimed, read without a transaction, stored unless another reader was faster."""
    source = KnowledgeSource.get_or_404(source_id)
    if not source.claim():
        return
    attempt, kind, title = source.attempts, source.kind, source.title
    if kind == "canned":
        source.store(canned_pieces())
        return
    read: Callable[[], str] = reader_of(source)
    commit()
    problem, is_final, pieces = "", False, []
    try:
        pieces = cut(read()[:MOST_LETTERS], title)
        if not pieces:
            problem, is_final = "no_text", True
    except Unreadable as error:
        problem, is_final = error.problem, error.is_final
    source = KnowledgeSource.get_or_404(source_id).refresh_locked()
    if source.state != "reading" or source.attempts != attempt:
        return
    if problem:
        source.fail(problem, is_final=is_final)
    else:
        source.body = "\n\n".join(piece.body for piece in pieces)[:LONGEST_BODY]
        source.store(pieces)


def reader_of(source: KnowledgeSource) -> Callable[[], str]:
    """A function that reads it without a transaction. It raises `Unreadable`."""
    if source.kind == "page":
        url = source.url
        return lambda: read_page(outside().egress, url)
    key = source.storage_key or ""
    return lambda: read_file(key)


def read_file(key: str) -> str:
    """The text of a stored file."""
    with tempfile.TemporaryFile() as file:
        try:
            for chunk in outside().storage.stream(key):
                file.write(chunk)
        except NotStored:
            raise Unreadable("file_gone", is_final=True) from None
        except StorageUnavailable:
            raise Unreadable("storage_away", is_final=False) from None
        file.flush()
        output = sandbox.run(PROGRAM, file, memory=MEMORY, seconds=SECONDS)
    if output is None:
        raise Unreadable("unreadable", is_final=True)
    return output.decode("utf-8", "replace").replace("\x00", "")


def canned_pieces() -> list[Piece]:
    """Everyone's canned replies, each a passage, without their variables."""
    everyones = select(CannedReply).where(CannedReply.owner_id.is_(None), CannedReply.team_id.is_(None))
    replies = db.session.scalars(everyones.order_by(CannedReply.shortcut, CannedReply.id))
    return [Piece(reply.shortcut, filled(reply.body, NO_VALUES.get)) for reply in replies]
