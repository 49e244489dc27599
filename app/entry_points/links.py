"""Short links: what their addresses say, and visits to them.

A visit of a person gets a reference of its own, within limits: per visitor, so that one page opened again and again
uses up no one else's, and per entry point, so that rows stay bounded. Beyond them the link works as well, with the
entry point's own code and without a row. No address of a visitor is stored: Redis has a keyed hash of it for a minute.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from urllib.parse import urlencode

import redis as redis_client
import structlog
from flask import Request
from itsdangerous import Signer
from werkzeug.datastructures import Headers, LanguageAccept

from app.extensions import redis, settings
from app.languages import main_language

from .models import FIRST_WORDS, EntryPoint, EntryReference
from .subjects import Subject, utm_of

log = structlog.get_logger()

PER_VISITOR, PER_MINUTE, PER_DAY = 20, 240, 5_000
MINUTE, DAY = 60, 86_400
MOST_ROUTES = 10_000
# What is counted for Postgres: “tenant entry-point quarter-hour” and how often.
UNCOUNTED = "entry-clicks"
QUARTER = 900
SIGNED = ("type", "id", "title", "price", "currency", "url")
LONGEST_VALUE, LONGEST_LANGUAGE = 1_500, 12
# Programs that follow links by themselves: search engines, previews in chats, monitors, scripts.
ROBOT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|whatsapp/|telegram|slack|discord|skype"
    r"|embed|curl|wget|python|java/|okhttp|go-http|node-fetch|axios|monitor|uptime|lighthouse",
    re.IGNORECASE,
)
PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def signer() -> Signer:
    return Signer(settings.secret_key, salt="switchboard entry links", digest_method=hashlib.sha256)


def signed_text(entry_point: EntryPoint, given: Mapping[str, str]) -> str:
    return json.dumps([str(entry_point.id), *(given.get(name, "") for name in SIGNED)])


def link_to(entry_point: EntryPoint, subject: Mapping[str, str], more: Mapping[str, str]) -> str:
    """A short link about a subject, signed: no one can put another title or price into it."""
    values = {name: value for name in SIGNED if (value := subject.get(name))}
    signature = signer().get_signature(signed_text(entry_point, values)).decode()
    return f"{entry_point.address}?{urlencode({**values, **more, 'sig': signature})}"


@dataclass(frozen=True, slots=True)
class Route:
    """Whose a short link is. Each process remembers those that were followed: they hardly ever change."""

    tenant_id: uuid.UUID
    entry_point_id: uuid.UUID

    @classmethod
    def remembered(cls, slug: str) -> Route | None:
        return ROUTES.get(slug)

    def remember(self, slug: str) -> None:
        if len(ROUTES) >= MOST_ROUTES:
            ROUTES.clear()
        ROUTES[slug] = self

    @classmethod
    def forget(cls, slug: str) -> None:
        ROUTES.pop(slug, None)


ROUTES: dict[str, Route] = {}


@dataclass
class Visit:
    """One request for a short link."""

    entry_point: EntryPoint
    given: Mapping[str, str]
    method: str
    headers: Headers
    address: str
    accepts: LanguageAccept

    @classmethod
    def of(cls, entry_point: EntryPoint, request: Request) -> Self:
        given = {name: value[:LONGEST_VALUE] for name, value in request.args.items()}
        return cls(
            entry_point, given, request.method, request.headers, request.remote_addr or "", request.accept_languages
        )

    @cached_property
    def subject(self) -> Subject | None:
        claimed = Subject.claimed(self.given)
        if claimed is None or not self.is_signed:
            return claimed
        return claimed.signed()

    @property
    def is_signed(self) -> bool:
        signature = self.given.get("sig", "")
        return bool(signature) and signer().verify_signature(signed_text(self.entry_point, self.given), signature)

    @cached_property
    def language(self) -> str:
        """The one that the address names, or the browser's best among those with first words; "" for the usual one."""
        languages = self.entry_point.languages or FIRST_WORDS
        for wanted in (self.given.get("lang", "")[:LONGEST_LANGUAGE], *self.accepts.values()):
            for name in (wanted.lower(), wanted.lower().partition("-")[0]):
                if name in languages:
                    return name
        return ""

    @property
    def language_of_page(self) -> str:
        """What the visitor reads, also where there are no first words in it."""
        wanted = main_language(self.given.get("lang", "")[:LONGEST_LANGUAGE])
        return wanted if wanted.isalpha() and wanted.isascii() else self.language

    @property
    def is_of_person(self) -> bool:
        """Whether somebody opened it: no HEAD, no prefetch, no robot, nothing embedded into a page."""
        if self.method != "GET" or self.headers.get("Sec-Fetch-Dest", "document") != "document":
            return False
        if any(self.headers.get(name) for name in PURPOSES):
            return False
        agent = self.headers.get("User-Agent", "")
        return bool(agent) and not ROBOT.search(agent)

    @property
    def chat_address(self) -> str:
        """Where it leads: WhatsApp, with the first words and a reference."""
        return self.entry_point.chat_address(self.code, self.subject, self.language)

    @cached_property
    def code(self) -> str:
        """A reference of its own within the limits, else the entry point's."""
        if not (self.is_of_person and self.is_within_limits()):
            return self.entry_point.code
        utm = utm_of(self.given)
        subject = self.subject or (Subject.of_campaign(utm["campaign"]) if utm and "campaign" in utm else None)
        return EntryReference.issue(self.entry_point, subject, utm, self.language_of_page) or self.entry_point.code

    def is_within_limits(self) -> bool:
        """Counts the visit; one beyond the limits is counted for its quarter of an hour. Without Redis: not within."""
        at = int(time.time())
        mine = f"entry-point:{self.entry_point.tenant_id}:{self.entry_point.id}"
        limits = {
            f"{mine}:{self.visitor(at)}:{at // MINUTE}": (PER_VISITOR, MINUTE),
            f"{mine}:{at // MINUTE}": (PER_MINUTE, MINUTE),
            f"{mine}:day:{at // DAY}": (PER_DAY, DAY),
        }
        try:
            if all(used <= most for used, most in self.used(limits)):
                return True
            quarter = at // QUARTER * QUARTER
            redis.hincrby(UNCOUNTED, f"{self.entry_point.tenant_id} {self.entry_point.id} {quarter}", 1)
        except redis_client.RedisError:
            log.warning("visit of a short link not counted", entry_point_id=str(self.entry_point.id))
        return False

    def used(self, limits: Mapping[str, tuple[int, int]]) -> list[tuple[int, int]]:
        """Each count after this visit, with its limit. What one visitor has too many of uses up no one else's."""
        given = [number for limit in limits.values() for number in limit]
        counts = redis.eval(COUNT, len(limits), *limits, *given)
        return [(int(count), most) for count, (most, _) in zip(counts, limits.values(), strict=False)]

    def visitor(self, at: int) -> str:
        """A hash that changes daily, and that no one without our secret can make."""
        day = dt.datetime.fromtimestamp(at, dt.UTC).date()
        return hmac.digest(settings.secret_key.encode(), f"visit {day} {self.address}".encode(), "sha256").hex()[:16]


# Counts one more for each key until one is above its limit, in one round trip. Arguments: limit and seconds of each.
COUNT = """
local counts = {}
for place, key in ipairs(KEYS) do
    redis.call('set', key, 0, 'ex', ARGV[2 * place], 'nx')
    counts[place] = redis.call('incr', key)
    if counts[place] > tonumber(ARGV[2 * place - 1]) then break end
end
return counts
"""
