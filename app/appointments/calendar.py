"""Appointments as calendar files (RFC 5545), at addresses that need no sign-in and name no one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator

from app import tokens
from app.extensions import settings

from .models import Appointment

PURPOSE, FEED = "appointment calendar", "appointment feed"
# A line has 75 octets at most; the ones that continue it begin with a space.
LONGEST_LINE = 75
STATUS = {"booked": "TENTATIVE", "reschedule_requested": "TENTATIVE", "cancelled": "CANCELLED"}


def link_end_to(appointment: Appointment) -> str:
    """The part of the address that differs, as the button of a template takes it."""
    return tokens.sign(PURPOSE, f"{appointment.tenant_id.hex}{appointment.id.hex}")


def link_to(appointment: Appointment) -> str:
    return tokens.link("calendar.appointment", token=link_end_to(appointment))


def feed_of(tenant_id: uuid.UUID, user_id: uuid.UUID) -> str:
    """The address with which a member's calendar follows their appointments."""
    return tokens.link("calendar.feed", token=tokens.sign(FEED, f"{tenant_id.hex}{user_id.hex}"))


def read(purpose: str, token: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The tenant, and the appointment or the member, that an address of ours names; None for every other."""
    named = tokens.read(purpose, token)
    return (uuid.UUID(named[:32]), uuid.UUID(named[32:])) if named else None


def file_of(appointments: Iterable[Appointment], business: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Switchboard//Appointments//EN", "CALSCALE:GREGORIAN"]
    lines += ["METHOD:PUBLISH", f"X-WR-CALNAME:{escaped(business)}"]
    for one in appointments:
        lines += event_of(one, business)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in folded(line)).encode()


def event_of(one: Appointment, business: str) -> Iterator[str]:
    """Times are in UTC, so that no zone has to be described and every calendar shows its reader's own."""
    yield "BEGIN:VEVENT"
    yield f"UID:{one.id}@{settings.public_url.partition('://')[2].partition('/')[0]}"
    yield f"SEQUENCE:{one.version}"
    yield f"DTSTAMP:{in_utc(one.changed_at)}"
    yield f"LAST-MODIFIED:{in_utc(one.changed_at)}"
    yield f"DTSTART:{in_utc(one.starts_at)}"
    yield f"DTEND:{in_utc(one.ends_at)}"
    yield f"SUMMARY:{escaped(one.title or business)}"
    if one.place:
        yield f"LOCATION:{escaped(one.place)}"
    yield f"STATUS:{STATUS.get(one.state, 'CONFIRMED')}"
    yield "END:VEVENT"


def in_utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def escaped(words: str) -> str:
    """A text value: on one line, its separators escaped, without other control characters."""
    words = words.replace("\r\n", "\n").replace("\r", "\n").replace("\\", "\\\\")
    words = words.replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return "".join(letter for letter in words if letter.isprintable())


def folded(line: str) -> Iterator[str]:
    """Cuts it into lines of 75 octets, never within a letter."""
    part, room = "", LONGEST_LINE
    for letter in line:
        size = len(letter.encode())
        if size > room:
            yield part
            part, room = " ", LONGEST_LINE - 1
        part, room = part + letter, room - size
    yield part
