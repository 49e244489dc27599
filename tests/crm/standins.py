"""HubSpot and Pipedrive as their documentation describes them, and the ways in which they fail.

Both are one server of this machine. What it answers is data: people, deals, stages. `fail` has the next answers be
something else; `got` is every request.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = Any
TOKEN = "pat-eu1-0123456789"


@dataclass(frozen=True)
class Got:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json


@dataclass
class Failure:
    """Instead of the answer: a status with a body and headers; or nothing at all, before or after it is applied."""

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    at: str = ""
    works: bool = False
    is_silent: bool = False


@dataclass
class StandIn:
    """What both have. People are (id, name, written numbers), deals dictionaries of the API's own fields."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    # An account has no such property: searching for it is refused.
    unknown_properties: set[str] = field(default_factory=set)
    lacks: set[str] = field(default_factory=set)

    def reset(self) -> None:
        fresh = type(self)()
        for name in vars(fresh):
            setattr(self, name, getattr(fresh, name))

    def fail(self, status: int = 0, body: Json = None, *, at: str = "", times: int = 1, **more: Any) -> None:
        raw = (
            body if isinstance(body, bytes) else json.dumps(body if body is not None else {"status": "error"}).encode()
        )
        self.failures += [Failure(status, raw, at=at, **more) for _ in range(times)]

    def calls(self, path: str) -> list[Got]:
        return [one for one in self.got if path in one.path]

    def person(self, id: str, name: str, *phones: str) -> None:
        self.people[id] = {"id": id, "name": name, "phones": list(phones)}

    def deal(self, id: str, person: str, *stage: Any, **fields: Any) -> None:
        """A deal of a person; the rest is in the words of the API."""
        raise NotImplementedError

    def answer(self, got: Got) -> tuple[int, Json]:
        raise NotImplementedError

    @property
    def texts(self) -> list[str]:
        """The notes, in their order."""
        raise NotImplementedError


@dataclass
class HubSpotServer(StandIn):
    STAGES = (
        ("appointmentscheduled", "Viewing arranged", "false", "0.2"),
        ("contractsent", "Offer made", "false", "0.9"),
        ("closedwon", "Closed won", "true", "1.0"),
        ("closedlost", "Closed lost", "true", "0.0"),
    )

    def deal(self, id: str, person: str, *stage: Any, **properties: Any) -> None:
        values = {
            "dealname": f"Deal {id}",
            "dealstage": "".join(stage) or "appointmentscheduled",
            "pipeline": "default",
            "amount": "500000",
        }
        values |= {"deal_currency_code": "XOF", "hubspot_owner_id": "41"}
        self.deals[id] = {"person": person, "properties": values | properties}

    def answer(self, got: Got) -> tuple[int, Json]:
        if got.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {"status": "error", "category": "INVALID_AUTHENTICATION", "message": "Authentication invalid"}
        if any(scope in got.path for scope in self.lacks):
            return 403, {"status": "error", "category": "MISSING_SCOPES", "message": "This app lacks scopes"}
        match got.method, got.path:
            case "GET", "/account-info/v3/details":
                account = {"portalId": 1234567, "accountType": "STANDARD", "uiDomain": "app-eu1.hubspot.com"}
                return 200, account | {"companyCurrency": "XOF", "timeZone": "Africa/Dakar"}
            case "GET", "/crm/v3/pipelines/deals":
                return 200, {"results": [self.pipeline()]}
            case "GET", "/crm/v3/owners":
                owner = {"id": "41", "email": "awa@agency.example", "firstName": "Awa", "lastName": "Diop"}
                return 200, {"results": [owner | {"userId": 7, "archived": False}]}
            case "POST", "/crm/v3/objects/contacts/search":
                return self.search(got.body)
            case "POST", "/crm/v3/objects/notes":
                return self.add_note(got.body)
            case "POST", path if path.endswith("/batch/read"):
                return self.read_batch(path.split("/")[-3], got.body)
            case "GET", path if outcome := re.fullmatch(r"/crm/v4/objects/contacts/(\d+)/associations/(\w+)", path):
                return 200, {"results": self.associated(*outcome.groups())}
        return 404, {"status": "error", "message": "No such route"}

    def pipeline(self) -> Json:
        stages = [
            {"id": id, "label": label, "displayOrder": place, "metadata": {"isClosed": closed, "probability": chance}}
            for place, (id, label, closed, chance) in enumerate(self.STAGES)
        ]
        # In no order of their own.
        return {"id": "default", "label": "Sales", "displayOrder": 0, "stages": stages[::-1]}

    def search(self, body: Json) -> tuple[int, Json]:
        groups = body["filterGroups"]
        requested = {one["propertyName"] for group in groups for one in group["filters"]}
        if len(groups) > 5 or requested & self.unknown_properties:
            return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": "Property does not exist"}
        hits = [one for one in self.people.values() if any(self.matches(one, group) for group in groups)]
        results = [self.contact(one) for one in hits[: body["limit"]]]
        return 200, {"total": len(hits), "results": results}

    def matches(self, person: dict[str, Any], group: Json) -> bool:
        """Numbers for search are kept without their country's code, so the digits may be another country's."""
        for one in group["filters"]:
            values, name = set(one["values"]), one["propertyName"]
            for phone in person["phones"]:
                digits = re.sub(r"\D", "", phone)
                calculated = {digits, digits.removeprefix("00").removeprefix("221"), digits.removeprefix("0")}
                if (calculated if name.startswith("hs_searchable") else {phone.lower()}) & values:
                    return True
        return False

    def contact(self, person: dict[str, Any]) -> Json:
        first, _, last = person["name"].partition(" ")
        phones = [*person["phones"], None, None]
        properties = {"firstname": first, "lastname": last, "phone": phones[0], "mobilephone": phones[1]}
        return {"id": person["id"], "properties": properties | {"email": None, "hubspot_owner_id": "41"}}

    def associated(self, person: str, what: str) -> list[Json]:
        rows = self.deals if what == "deals" else self.notes
        types = [{"category": "HUBSPOT_DEFINED", "typeId": 4, "label": None}]
        return [
            {"toObjectId": int(id), "associationTypes": types} for id, one in rows.items() if one["person"] == person
        ]

    def read_batch(self, what: str, body: Json) -> tuple[int, Json]:
        rows = self.deals if what == "deals" else self.notes
        ids = [one["id"] for one in body["inputs"]]
        results = [{"id": id, "properties": rows[id]["properties"], "archived": False} for id in ids if id in rows]
        if len(results) == len(ids):
            return 200, {"status": "COMPLETE", "results": results}
        return 207, {"status": "COMPLETE", "results": results, "numErrors": 1, "errors": [{"status": "error"}]}

    def add_note(self, body: Json) -> tuple[int, Json]:
        id = str(9_000 + len(self.notes))
        person = next(one["to"]["id"] for one in body["associations"] if one["types"][0]["associationTypeId"] == 202)
        self.notes[id] = {"person": person, "properties": body["properties"], "associations": body["associations"]}
        return 201, {"id": id, "properties": body["properties"], "archived": False}

    @property
    def texts(self) -> list[str]:
        return [one["properties"]["hs_note_body"] for one in self.notes.values()]


@dataclass
class PipedriveServer(StandIn):
    def deal(self, id: str, person: str, *stage: Any, **fields: Any) -> None:
        values = {"id": int(id), "title": f"Deal {id}", "value": 500000, "currency": "XOF", "status": "open"}
        values |= {"stage_id": stage[0] if stage else 1, "owner_id": 41, "person_id": int(person), "is_deleted": False}
        self.deals[id] = values | {"pipeline_id": 1, "expected_close_date": "2027-01-31"} | fields

    def answer(self, got: Got) -> tuple[int, Json]:
        if got.headers.get("x-api-token") not in self.tokens:
            return 401, {"success": False, "error": "unauthorized access", "errorCode": 401}
        if any(scope in got.path for scope in self.lacks):
            return 403, {"success": False, "error": "Scope and URL mismatch", "errorCode": 403}
        match got.method, got.path:
            case "GET", "/v1/users/me":
                user = {"id": 41, "name": "Awa Diop", "company_id": 77, "company_name": "Agency Dakar"}
                return done(user | {"company_domain": "agencydakar", "default_currency": "XOF"})
            case "GET", "/v1/users":
                return done([{"id": 41, "name": "Awa Diop", "active_flag": True}])
            case "GET", "/api/v2/stages":
                names = ((2, "Offer made", 1), (1, "Viewing arranged", 0))
                return done(
                    [{"id": id, "name": name, "order_nr": order, "pipeline_id": 1} for id, name, order in names]
                )
            case "GET", "/api/v2/persons/search":
                return done({"items": self.search(got.query)})
            case "GET", "/api/v2/deals":
                mine = [one for one in self.deals.values() if str(one["person_id"]) == got.query["person_id"]]
                return 200, {"success": True, "data": mine, "additional_data": {"next_cursor": None}}
            case "POST", "/v1/notes":
                id = str(9_000 + len(self.notes))
                self.notes[id] = got.body
                return 201, {"success": True, "data": {"id": int(id), **got.body}}
            case "GET", "/v1/notes":
                mine = [
                    {"id": int(id), **one}
                    for id, one in self.notes.items()
                    if str(one["person_id"]) == got.query["person_id"]
                ]
                return done(mine or None)
        return 404, {"success": False, "error": "Unknown method"}

    def search(self, query: dict[str, str]) -> list[Json]:
        assert len(query["term"]) > 1 and query["fields"] == "phone"
        hits = [one for one in self.people.values() if any(query["term"] in phone for phone in one["phones"])]
        return [
            {
                "result_score": 0.5,
                "item": {**one, "id": int(one["id"]), "type": "person", "owner": {"id": 41}, "emails": []},
            }
            for one in hits[: int(query["limit"])]
        ]

    @property
    def texts(self) -> list[str]:
        return [one["content"] for one in self.notes.values()]


def done(data: Json) -> tuple[int, Json]:
    return 200, {"success": True, "data": data}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin: StandIn

    def log_message(self, *arguments: Any) -> None:
        """Nothing is printed."""

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.respond()

    def respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw, parts = self.rfile.read(length), urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        got = Got(self.command, parts.path, query, headers, json.loads(raw) if raw else None)
        self.standin.got.append(got)
        failure = next((one for one in self.standin.failures if one.at in f"{got.method} {got.path}"), None)
        if failure:
            self.standin.failures.remove(failure)
            if failure.works:
                self.standin.answer(got)
            if failure.is_silent:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send(failure.status, failure.body, failure.headers)
            return
        status, body = self.standin.answer(got)
        self.send(status, json.dumps(body).encode(), {})

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serving(standin: StandIn) -> Iterator[str]:
    """The address of a server that answers as this one would."""
    kind: Callable[..., BaseHTTPRequestHandler] = type("Serving", (Handler,), {"standin": standin})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
