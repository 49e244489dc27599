"""HubSpot's CRM API v3 and v4, with the access token of a private app (developers.hubspot.com/docs/api-reference)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from app.config import Settings
from app.egress import Egress
from app.meta.payload import mapping

from .adapters import MOST_DEALS, MOST_RESULTS, Account, Adapter, Deal, Directory, Person, micros_in, national_digits
from .calls import Client, CrmFailure, objects, words

PERSON = ("firstname", "lastname", "email", "phone", "mobilephone", "hubspot_owner_id")
DEAL = ("dealname", "dealstage", "pipeline", "amount", "deal_currency_code", "hubspot_owner_id", "closedate")
# Which of HubSpot's own kinds of association a new note gets.
NOTE_TO_CONTACT, NOTE_TO_DEAL = 202, 214
CONTACTS, DEALS = "0-1", "0-3"
MOST_VALUES, MOST_OWNERS, MOST_NOTES = 60, 500, 100
NEWEST = [{"propertyName": "lastmodifieddate", "direction": "DESCENDING"}]


class HubSpot(Adapter):
    provider = "hubspot"

    @classmethod
    def client_for(cls, egress: Egress, settings: Settings, token: str) -> Client:
        return Client(egress, settings.hubspot_url, {"Authorization": f"Bearer {token}"})

    def read_account(self) -> Account:
        answer = self.client.get("/account-info/v3/details")
        id, domain = words(answer.get("portalId")), words(answer.get("uiDomain")) or "app.hubspot.com"
        if not id:
            raise CrmFailure("broken")
        return Account(id, id, f"https://{domain}/contacts/{id}/record/", words(answer.get("companyCurrency"), 3))

    def read_directory(self) -> Directory:
        pipelines = objects(self.client.get("/crm/v3/pipelines/deals").get("results"))
        stages = [stage for pipeline in sorted(pipelines, key=order_of) for stage in stages_in(pipeline)]
        return Directory(tuple(stages), self.read_owners())

    def read_owners(self) -> dict[str, str]:
        """None where the token may not read them: deals are shown without."""
        try:
            answer = self.client.get("/crm/v3/owners", limit=MOST_OWNERS)
        except CrmFailure as failure:
            if failure.kind != "permission":
                raise
            return {}
        return {words(one.get("id")): name_of(one, "firstName", "lastName") for one in objects(answer.get("results"))}

    def search(self, spellings: Sequence[str]) -> Iterator[list[Person]]:
        wa_ids = [one for one in spellings if one.isdecimal()]
        national = national_digits(one.lstrip("+") for one in spellings if one.startswith("+") and one[1:].isdecimal())
        digits = list(dict.fromkeys([*national, *wa_ids]))
        # HubSpot keeps numbers for search in a form of its own, without the country's code.
        calculated = ("hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number")
        groups = [*(one_of(name, digits) for name in calculated), *as_typed(spellings)]
        try:
            answer = self.search_contacts(groups)
        except CrmFailure as failure:
            if failure.kind != "invalid":
                raise
            answer = self.search_contacts(as_typed(spellings))
        yield [person_in(one) for one in objects(answer.get("results")) if words(one.get("id"))]

    def search_contacts(self, groups: list[dict[str, Any]]) -> dict[str, Any]:
        body = {"filterGroups": groups, "properties": PERSON, "sorts": NEWEST, "limit": MOST_RESULTS}
        return self.client.post("/crm/v3/objects/contacts/search", body)

    def deals_of(self, person: Person) -> list[Deal]:
        ids = self.associated(person.id, "deals")[:MOST_DEALS]
        return [self.deal_in(one) for one in self.read_batch("deals", ids, DEAL) if words(one.get("id"))]

    def associated(self, person_id: str, what: str) -> list[str]:
        """The ids of what a contact is associated with, the newest first."""
        path = f"/crm/v4/objects/contacts/{quote(person_id, safe='')}/associations/{what}"
        listed = objects(self.client.get(path, limit=500).get("results"))
        ids = {id for one in listed if (id := words(one.get("toObjectId"))).isdecimal()}
        return sorted(ids, key=int, reverse=True)

    def read_batch(self, what: str, ids: Sequence[str], properties: Sequence[str]) -> list[dict[str, Any]]:
        """What is gone meanwhile is left out (HubSpot answers 207)."""
        if not ids:
            return []
        body = {"properties": properties, "inputs": [{"id": id} for id in ids]}
        return objects(self.client.post(f"/crm/v3/objects/{what}/batch/read", body).get("results"))

    def deal_in(self, one: dict[str, Any]) -> Deal:
        values = mapping(one.get("properties"))
        stage, outcome = self.directory.stage(words(values.get("dealstage")))
        micros = micros_in(values.get("amount"))
        return Deal(
            id=words(one.get("id")),
            title=words(values.get("dealname")),
            stage=stage,
            is_open=outcome == "open",
            micros=micros,
            currency="" if micros is None else words(values.get("deal_currency_code"), 3) or self.account.currency,
            owner_name=self.directory.owners.get(words(values.get("hubspot_owner_id")), ""),
            expected_on=words(values.get("closedate"))[:10],
        )

    def write_note(self, person_id: str, deal_ids: Sequence[str], html: str, at: dt.datetime) -> str:
        associations = [association(person_id, NOTE_TO_CONTACT), *(association(id, NOTE_TO_DEAL) for id in deal_ids)]
        moment = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        properties = {"hs_timestamp": moment, "hs_note_body": html}
        answer = self.client.post("/crm/v3/objects/notes", {"properties": properties, "associations": associations})
        return words(answer.get("id"))

    def note_with(self, person_id: str, mark: str) -> str:
        """By the contact's notes: a search would not find what was written a moment ago."""
        ids = self.associated(person_id, "notes")[:MOST_NOTES]
        notes = self.read_batch("notes", ids, ("hs_note_body",))
        return next((words(one.get("id")) for one in notes if mark in body_of(one)), "")

    def link_to(self, kind: str, id: str) -> str:
        return f"{self.account.link_base}{DEALS if kind == 'deal' else CONTACTS}/{quote(id, safe='')}"


def one_of(name: str, values: Sequence[str]) -> dict[str, Any]:
    values = [value.lower() for value in values][:MOST_VALUES]
    return {"filters": [{"propertyName": name, "operator": "IN", "values": values}]}


def as_typed(spellings: Sequence[str]) -> list[dict[str, Any]]:
    return [one_of("phone", spellings), one_of("mobilephone", spellings)]


def person_in(one: dict[str, Any]) -> Person:
    values = mapping(one.get("properties"))
    phones = tuple(filter(None, (words(values.get("phone")), words(values.get("mobilephone")))))
    name, mail = name_of(values, "firstname", "lastname"), words(values.get("email"))
    return Person(words(one.get("id")), name or mail, phones, mail, words(values.get("hubspot_owner_id")))


def name_of(values: dict[str, Any], first: str, last: str) -> str:
    return " ".join(filter(None, (words(values.get(first)), words(values.get(last))))) or words(values.get("email"))


def stages_in(pipeline: dict[str, Any]) -> list[tuple[str, str, str]]:
    stages = sorted(objects(pipeline.get("stages")), key=order_of)
    return [
        (words(one.get("id")), words(one.get("label"), 100), outcome_of(mapping(one.get("metadata")))) for one in stages
    ]


def outcome_of(metadata: dict[str, Any]) -> str:
    if words(metadata.get("isClosed")).lower() not in ("true", "1"):
        return "open"
    return "won" if words(metadata.get("probability")) in ("1.0", "1", "1.00") else "lost"


def order_of(one: dict[str, Any]) -> int:
    return order if isinstance(order := one.get("displayOrder"), int) else 0


def association(id: str, kind: int) -> dict[str, Any]:
    return {"to": {"id": id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]}


def body_of(one: dict[str, Any]) -> str:
    return str(mapping(one.get("properties")).get("hs_note_body") or "")
