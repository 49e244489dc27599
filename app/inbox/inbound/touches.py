"""How customers came: references in what they wrote, and ads. All touches stay; the first says what it is about."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.entry_points.codes import codes_in
from app.entry_points.models import EntryPoint, EntryReference, EntryTouch
from app.entry_points.subjects import Subject
from app.inbox.conversations import Conversation
from app.languages import is_surely
from app.meta.events import InboundMessage
from app.meta.payload import bounded
from app.team.models import Team
from app.tenancy import Actor, db, happened_each, uuid7

from .placing import Placed

BY = Actor.system("entry_points")


@dataclass(frozen=True, slots=True)
class Source:
    """What a code leads to: a visit, or an entry point alone."""

    entry_point: EntryPoint
    reference: EntryReference | None = None

    @property
    def subject(self) -> Subject | None:
        """A visit long ago does not set what the conversation is about: prices change and villas are sold."""
        return Subject.read(self.reference.subject) if self.reference and not self.reference.has_expired else None


def record_touches(placed: Sequence[Placed]) -> None:
    """Records how the customers of these new messages came. Nearly all came by nothing, which costs no statement."""
    coming = [one for one in placed if one.incoming.is_answerable]
    codes = {one.id: candidates for one in coming if (candidates := codes_in(one.message.text or ""))}
    ads = {one.id: ad for one in coming if (ad := referral_of(one))}
    if not codes and not ads:
        return
    sources = sources_of({code for candidates in codes.values() for code in candidates})
    touches, languages = [], {}
    for one in coming:
        named = (sources.get((one.number_id, code)) for code in codes.get(one.id, ()))
        if source := next(filter(None, named), None):
            touches.append(touch_by_reference(one, source))
            languages[touches[-1].conversation_id] = language_of(one, source)
        if referral := ads.get(one.id):
            touches.append(touch_by_ad(one, referral))
    if touches:
        Record(touches, languages).save()


def language_of(one: Placed, source: Source) -> str:
    """Of the page that the customer came from, where their words are too few to be sure of one; "" where neither is."""
    if source.reference is None or is_surely(one.message.text or ""):
        return ""
    return source.reference.language


def referral_of(one: Placed) -> dict[str, Any] | None:
    return one.message.referral if isinstance(one.message, InboundMessage) else None


def sources_of(codes: set[str]) -> dict[tuple[str, str], Source]:
    """By number and code. References are locked, so that of two customers one is the first."""
    if not codes:
        return {}
    query = select(EntryReference).where(EntryReference.code.in_(codes)).order_by(EntryReference.id)
    references = db.session.scalars(query.with_for_update(key_share=True)).all()
    ids = {reference.entry_point_id for reference in references}
    mine = select(EntryPoint).where(EntryPoint.code.in_(codes) | EntryPoint.id.in_(ids))
    points = {point.id: point for point in db.session.scalars(mine)}
    sources = {(str(point.phone_number_id), point.code): Source(point) for point in points.values()}
    return sources | {
        (str(one.phone_number_id), one.code): Source(points[one.entry_point_id], one)
        for one in references
        if one.entry_point_id in points
    }


def touch_by_reference(one: Placed, source: Source) -> EntryTouch:
    reference, subject = source.reference, source.subject
    touch = begun(one, "reference", subject)
    touch.entry_point_id = source.entry_point.id
    if reference:
        touch.reference_id, touch.utm, touch.is_expired = reference.id, reference.utm, reference.has_expired
    return touch


def touch_by_ad(one: Placed, referral: dict[str, Any]) -> EntryTouch:
    touch = begun(one, "ad", Subject.of_ad(referral))
    touch.referral = bounded(referral)
    return touch


def begun(one: Placed, kind: str, subject: Subject | None) -> EntryTouch:
    touch = EntryTouch(id=uuid7(), kind=kind, subject=subject and subject.as_json())
    touch.conversation_id, touch.message_id = uuid.UUID(one.conversation_id), uuid.UUID(one.id)
    touch.at = dt.datetime.fromisoformat(one.at)
    touch.is_first = touch.is_shared = touch.is_expired = False
    touch.entry_point_id = touch.reference_id = None
    return touch


@dataclass
class Record:
    """Touches of one batch, in the order in which their messages came."""

    touches: list[EntryTouch]
    # By conversation.
    languages: Mapping[uuid.UUID, str] = field(default_factory=dict)

    def save(self) -> None:
        conversations = {one.id: one for one in Conversation.lock_all(touch.conversation_id for touch in self.touches)}
        touches = [touch for touch in self.touches if touch.conversation_id in conversations]
        for id, conversation in conversations.items():
            conversation.language = self.languages.get(id) or conversation.language
        touched = set(self.touched_before(conversations))
        senders = self.senders_of({touch.reference_id for touch in touches if touch.reference_id})
        points = self.entry_points()
        for touch in touches:
            conversation = conversations[touch.conversation_id]
            touch.is_first = touch.conversation_id not in touched
            touched.add(touch.conversation_id)
            if touch.reference_id:
                others = senders.setdefault(touch.reference_id, set())
                touch.is_shared = bool(others - {conversation.contact_id})
                others.add(conversation.contact_id)
            self.welcome(conversation, touch, points.get(touch.entry_point_id) if touch.entry_point_id else None)
        db.session.add_all(touches)
        db.session.flush()
        happened_each("entry_point.touched", [(touch.conversation_id, facts_of(touch)) for touch in touches])

    def welcome(self, conversation: Conversation, touch: EntryTouch, entry_point: EntryPoint | None) -> None:
        """What it is about, its team and the customer's tags."""
        if touch.is_first:
            about = touch.about or (entry_point.subject if entry_point else None)
            conversation.begin_about(about, touch.entry_point_id)
        if entry_point is None:
            return
        if entry_point.team_id and conversation.assignee_id is None and (team := Team.find(entry_point.team_id)):
            conversation.give_to_team(team, by=BY)
        for tag in entry_point.tags:
            tag.put_on(conversation.contact_id, by=BY)

    @staticmethod
    def touched_before(ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        query = select(EntryTouch.conversation_id).where(EntryTouch.conversation_id.in_([*ids])).distinct()
        return list(db.session.scalars(query))

    @staticmethod
    def senders_of(reference_ids: set[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
        """The customers who sent each reference before."""
        if not reference_ids:
            return {}
        query = select(EntryTouch.reference_id, Conversation.contact_id).join(
            Conversation, Conversation.id == EntryTouch.conversation_id
        )
        senders: dict[uuid.UUID, set[uuid.UUID]] = {}
        for reference_id, contact_id in db.session.execute(query.where(EntryTouch.reference_id.in_(reference_ids))):
            assert reference_id
            senders.setdefault(reference_id, set()).add(contact_id)
        return senders

    def entry_points(self) -> dict[uuid.UUID, EntryPoint]:
        ids = {touch.entry_point_id for touch in self.touches if touch.entry_point_id}
        query = select(EntryPoint).where(EntryPoint.id.in_(ids))
        return {one.id: one for one in db.session.scalars(query)} if ids else {}


def facts_of(touch: EntryTouch) -> dict[str, Any]:
    about = touch.about
    ids = {"entry_point_id": touch.entry_point_id, "reference_id": touch.reference_id}
    return {
        "conversation_id": str(touch.conversation_id),
        "message_id": str(touch.message_id),
        "type": about.type if about else "entry_point",
        "external_id": about.external_id if about else None,
        "is_first": touch.is_first,
        "is_shared": touch.is_shared,
    } | {name: str(id) for name, id in ids.items() if id}
