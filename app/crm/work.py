"""What waits for one connection, one thing after the other: notes first, then customers to look up.

Each is leased in a transaction, done without one, and settled in the next.
"""

from __future__ import annotations

import time
import uuid

import structlog

from app.tenancy import commit
from app.tenancy.queue import stopping

from .calls import CrmFailure
from .lookups import CrmLookup, look_up
from .models import CrmConnection
from .notes import NO_CONTACT, CrmNote, write

log = structlog.get_logger()

# After so long a worker makes room for other businesses.
SECONDS = 20


class Work:
    def __init__(self, connection: CrmConnection) -> None:
        self.connection, self.adapter = connection, connection.adapter()

    @classmethod
    def run(cls, connection_id: uuid.UUID | str) -> bool:
        """Works until nothing is due, the CRM has to be left alone, or the time is over; whether more may be due."""
        connection, began = CrmConnection.find(connection_id), time.monotonic()
        while connection and connection.state == "connected" and not connection.is_resting:
            if time.monotonic() - began > SECONDS or stopping.is_set():
                return True
            try:
                if not cls(connection).do_next():
                    return False
                connection = CrmConnection.find(connection_id)
                if connection:
                    connection.refresh_locked().note_success()
            except CrmFailure as failure:
                log.info("crm call failed", connection_id=str(connection_id), kind=failure.kind)
                if (connection := CrmConnection.find(connection_id)) is not None:
                    connection.refresh_locked().note_failure(failure)
            commit()
        return False

    def do_next(self) -> bool:
        """Whether there was something to do. Raises `CrmFailure`."""
        if note := CrmNote.claim(self.connection):
            self.write(note)
        elif lookup := CrmLookup.claim(self.connection):
            self.look_up(lookup)
        else:
            return False
        return True

    def look_up(self, lookup: CrmLookup) -> None:
        numbers = lookup.numbers()
        commit()
        try:
            self.prepare()
            copied = look_up(self.adapter, numbers)
        except CrmFailure as failure:
            if CrmLookup.find(lookup.id):
                lookup.refresh_locked().fail(failure)
            raise
        if self.is_still_connected() and CrmLookup.find(lookup.id):
            lookup.refresh_locked().settle(self.connection, copied, self.adapter)
        commit()

    def prepare(self) -> None:
        """Reads the names of stages and owners, where they were read long ago."""
        if not self.connection.needs_directory:
            return
        directory = self.adapter.read_directory()
        if self.is_still_connected():
            self.connection.refresh_locked().take_directory(directory)
        self.adapter.directory = directory
        commit()

    def write(self, note: CrmNote) -> None:
        lookup = CrmLookup.of_contact(note.contact_id).get(self.connection.id)
        try:
            if lookup is None or not lookup.is_fresh:
                self.look_up(CrmLookup.begin(self.connection, note.contact_id))
            draft = note.refresh_locked().draft(self.connection) if CrmNote.find(note.id) else None
            commit()
            written = write(self.adapter, draft) if draft else ""
        except CrmFailure as failure:
            if CrmNote.find(note.id):
                note.refresh_locked().fail(failure)
            raise
        if CrmNote.find(note.id):
            note.refresh_locked()
            note.settle(written) if draft else note.finish(NO_CONTACT)
        commit()

    def is_still_connected(self) -> bool:
        """Not disconnected meanwhile, nor connected to another account."""
        present = CrmConnection.find(self.connection.id)
        return present is not None and present.account_id == self.adapter.account.id
