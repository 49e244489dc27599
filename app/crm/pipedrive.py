"""Pipedrive's API: v2 where it has the object, v1 for users and notes (developers.pipedrive.com/docs/api)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from app.config import Settings
from app.egress import Egress
from app.meta.payload import mapping, sequence
from app.words import N_

from .adapters import MOST_DEALS, MOST_RESULTS, Account, Adapter, Deal, Directory, Person, micros_in
from .calls import Client, CrmFailure, objects, words

# Closed deals keep the stage that they were closed in, so these come in its place.
WON, LOST = N_("Won"), N_("Lost")
MOST_STAGES, MOST_NOTES = 500, 100
# A person is searched for in so many ways at most: each costs tokens of the day's budget.
MOST_SEARCHES = 4


class Pipedrive(Adapter):
    provider = "pipedrive"

    @classmethod
    def client_for(cls, egress: Egress, settings: Settings, token: str) -> Client:
        return Client(egress, settings.pipedrive_url, {"x-api-token": token})

    def read_account(self) -> Account:
        user = mapping(self.client.get("/v1/users/me").get("data"))
        id, domain = words(user.get("company_id")), words(user.get("company_domain"), 100)
        if not id:
            raise CrmFailure("broken")
        base = f"https://{quote(domain, safe='')}.pipedrive.com/" if domain else "https://app.pipedrive.com/"
        return Account(id, words(user.get("company_name")) or id, base, words(user.get("default_currency"), 3))

    def read_directory(self) -> Directory:
        listed = objects(self.client.get("/api/v2/stages", limit=MOST_STAGES).get("data"))
        listed.sort(key=lambda one: (number_in(one.get("pipeline_id")), number_in(one.get("order_nr"))))
        stages = [(words(one.get("id")), words(one.get("name"), 100), "open") for one in listed]
        users = objects(self.client.get("/v1/users").get("data"))
        ends = [("won", WON, "won"), ("lost", LOST, "lost")]
        return Directory((*stages, *ends), {words(one.get("id")): words(one.get("name")) for one in users})

    def search(self, spellings: Sequence[str]) -> Iterator[list[Person]]:
        """One request for each way of writing, until somebody has the number."""
        for term in terms_of(spellings):
            answer = self.client.get(
                "/api/v2/persons/search", term=term, fields="phone", exact_match="false", limit=MOST_RESULTS
            )
            items = [mapping(one.get("item")) for one in objects(mapping(answer.get("data")).get("items"))]
            yield [person_in(one) for one in items if words(one.get("id"))]

    def deals_of(self, person: Person) -> list[Deal]:
        newest = {"sort_by": "update_time", "sort_direction": "desc", "limit": MOST_DEALS}
        listed = objects(self.client.get("/api/v2/deals", person_id=person.id, **newest).get("data"))
        return [self.deal_in(one) for one in listed if words(one.get("id")) and not one.get("is_deleted")]

    def deal_in(self, one: dict[str, Any]) -> Deal:
        status, micros = words(one.get("status")), micros_in(one.get("value"))
        stage, _outcome = self.directory.stage(words(one.get("stage_id")))
        return Deal(
            id=words(one.get("id")),
            title=words(one.get("title")),
            stage={"won": WON, "lost": LOST}.get(status, stage),
            is_open=status == "open",
            micros=micros,
            currency="" if micros is None else words(one.get("currency"), 3) or self.account.currency,
            owner_name=self.directory.owners.get(words(one.get("owner_id")), ""),
            expected_on=words(one.get("expected_close_date"))[:10],
        )

    def write_note(self, person_id: str, deal_ids: Sequence[str], html: str, at: dt.datetime) -> str:
        """A note has one deal at most: the newest."""
        moment = at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        body: dict[str, Any] = {"content": html, "person_id": whole(person_id), "add_time": moment}
        if deal_ids:
            body["deal_id"] = whole(deal_ids[0])
        return words(mapping(self.client.post("/v1/notes", body).get("data")).get("id"))

    def note_with(self, person_id: str, mark: str) -> str:
        answer = self.client.get("/v1/notes", person_id=person_id, limit=MOST_NOTES, sort="add_time DESC")
        notes = objects(answer.get("data"))
        return next((words(one.get("id")) for one in notes if mark in str(one.get("content") or "")), "")

    def link_to(self, kind: str, id: str) -> str:
        return f"{self.account.link_base}{'deal' if kind == 'deal' else 'person'}/{quote(id, safe='')}"


def terms_of(spellings: Sequence[str]) -> list[str]:
    """From the shortest digits, which longer ways of writing contain, to the ways with spaces in between."""
    plain = sorted((one for one in spellings if one.isdecimal()), key=len)
    spaced = [one for one in spellings if not one.lstrip("+").isdecimal()]
    return list(dict.fromkeys([*plain[:1], *spaced, *plain[1:]]))[:MOST_SEARCHES]


def person_in(one: dict[str, Any]) -> Person:
    phones = tuple(words(phone) for phone in sequence(one.get("phones")))
    emails = [words(mail) for mail in sequence(one.get("emails"))]
    owner = words(mapping(one.get("owner")).get("id"))
    return Person(words(one.get("id")), words(one.get("name")), phones, emails[0] if emails else "", owner)


def number_in(value: Any) -> int:
    return value if isinstance(value, int) else 0


def whole(id: str) -> int:
    """Their ids are numbers. Raises `CrmFailure` for one that is none."""
    if not id.isascii() or not id.isdecimal():
        raise CrmFailure("invalid")
    return int(id)
