"""What a CRM has about a customer is found by number, and copied."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.crm.adapters import has_number
from app.records.models import Record, RecordLink
from app.tenancy import Actor, db, tenant_scope
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.happenings import happenings

from .conftest import PHONE, Crm
from .standins import HubSpotServer, PipedriveServer


def test_a_new_customer_is_found_by_number_with_the_open_deals(crm: Crm) -> None:
    crm.appear()
    (person,), (deal,) = crm.records("contact"), crm.records()
    assert person.title == "Fatou Ndiaye" and person.owner_name == "Awa Diop"
    assert (deal.title, deal.stage, deal.amount_micros) == ("Deal 501", "Viewing arranged", 500_000 * 10**6)
    assert (deal.currency, deal.owner_name, deal.is_mirrored, deal.source) == ("XOF", "Awa Diop", True, crm.provider)


def test_links_lead_to_the_pages_of_the_crm(hub: Crm) -> None:
    hub.appear()
    assert hub.records()[0].url == "https://app-eu1.hubspot.com/contacts/1234567/record/0-3/501"
    assert hub.records("contact")[0].url == "https://app-eu1.hubspot.com/contacts/1234567/record/0-1/101"


def test_links_lead_to_the_companys_pipedrive(pipe: Crm) -> None:
    pipe.appear()
    assert pipe.records()[0].url == "https://agencydakar.pipedrive.com/deal/501"
    assert pipe.records("contact")[0].url == "https://agencydakar.pipedrive.com/person/101"


WRITTEN = ["00221771234567", "77 123 45 67", "+221-77-123-45-67"]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_number_is_found_however_it_is_written_there(crm: Crm, written: str) -> None:
    crm.server.people.clear()
    crm.server.person("101", "Fatou Ndiaye", written)
    crm.appear()
    # Pipedrive searches in what was typed, so only what contains one of our ways of writing is found.
    expected = [] if (crm.provider, written) == ("pipedrive", "+221-77-123-45-67") else ["Deal 501"]
    assert crm.titles == expected


def test_numbers_are_compared_with_their_country() -> None:
    assert has_number(["٧٧ ١٢٣ ٤٥ ٦٧"], [PHONE]) and has_number(["(0221) 1", "77.123.45.67"], [PHONE])
    assert not has_number(["+33 7 71 23 45 67", "+1 771 234 5670", "", "call me", "7" * 500], [PHONE])
    # Brazil writes its mobiles in two ways.
    assert has_number(["+55 11 8765-4321"], ["5511987654321"])
    assert has_number(["491761234567.0", "+47 1"], ["491761234567"]) and has_number(
        ["+49 (0)176 1234567"], ["491761234567"]
    )
    assert has_number(["Tel. +47 91234567; mobile +49 176 1234567"], ["491761234567"])
    assert not has_number(["491761234567.0", "4.91761E+11"], ["4917612345670"])


def test_the_same_digits_in_another_country_are_somebody_else(crm: Crm) -> None:
    crm.server.people.clear()
    crm.server.person("101", "Somebody else", "+33771234567", "+49 771234567")
    crm.appear()
    assert crm.records("contact") == [] and crm.lookup.people == 0


def test_thousands_who_share_the_digits_do_no_harm(crm: Crm) -> None:
    for id in range(2_000):
        crm.server.person(str(1_000 + id), f"Person {id}", "+221771234567")
    crm.appear()
    assert len(crm.records("contact")) == 5 and crm.lookup.people > 5


def test_a_customer_whom_the_crm_does_not_know_has_no_records(crm: Crm) -> None:
    crm.server.people.clear()
    crm.appear()
    assert crm.records("contact") == [] and crm.lookup.fetched_at and crm.connection.problem == ""


def test_a_stage_that_changes_there_changes_here(crm: Crm) -> None:
    crm.appear()
    crm.server.deal("501", "101", *([2] if crm.provider == "pipedrive" else ["contractsent"]))
    crm.look_again()
    assert crm.records()[0].stage == "Offer made"
    (event,) = [one for one in happenings(crm.id, "record.changed") if one.facts["stage_before"]]
    assert event.facts["stage_before"] == "Viewing arranged"


def test_closed_deals_are_copied_only_where_they_are_here_already(crm: Crm) -> None:
    won = {"status": "won"} if crm.provider == "pipedrive" else {"dealstage": "closedwon"}
    crm.server.deal("502", "101", **won)
    crm.appear()
    assert crm.titles == ["Deal 501"]
    crm.server.deal("501", "101", **won)
    crm.look_again()
    with tenant_scope(crm.id):
        assert crm.records()[0].outcome == "won"


def test_a_deal_that_is_deleted_there_is_marked(crm: Crm) -> None:
    crm.appear()
    crm.server.deals.clear()
    crm.look_again()
    assert crm.records()[0].gone_at
    crm.server.deal("501", "101")
    crm.look_again()
    assert crm.records()[0].gone_at is None


def test_what_an_agent_unlinked_is_not_linked_again(crm: Crm) -> None:
    crm.appear()
    with tenant_scope(crm.id):
        link = db.session.scalars(select(RecordLink).join(RecordLink.record).where(Record.type == "deal")).one()
        record = Record.get_or_404(link.record_id)
        record.unlink(link, by=Actor.agent(crm.world.ann))
    crm.look_again()
    assert crm.records() == [] and len(crm.records("contact")) == 1


def test_stages_of_the_crm_become_those_of_the_pipeline(crm: Crm, ann: Browser) -> None:
    crm.appear()
    page = ann.get("~/records/").text
    assert page.index("Viewing arranged") < page.index("Offer made") and "Not in your stages" not in page
    assert "changed there" in ann.get(f"~/records/{crm.records()[0].id}").text


def test_opening_the_details_looks_again_only_when_it_is_old(crm: Crm, ann: Browser, enqueued: Enqueued) -> None:
    crm.appear()
    calls = len(crm.server.got)
    enqueued.clear()
    assert "found" in ann.get(f"~/inbox/{crm.talk.id}/details").text and "crm.work" not in enqueued.names
    with tenant_scope(crm.id):
        db.session.execute(db.text("update crm_lookups set fetched_at = fetched_at - interval '16 minutes'"))
    assert "Looking in" in ann.get(f"~/inbox/{crm.talk.id}/details").text and "crm.work" in enqueued.names
    assert len(crm.server.got) == calls


def test_an_account_without_the_calculated_properties_is_searched_by_what_was_typed(
    hub: Crm, hubspot: HubSpotServer
) -> None:
    hubspot.unknown_properties = {"hs_searchable_calculated_phone_number"}
    hub.appear()
    assert hub.titles == ["Deal 501"]


def test_a_token_that_may_not_read_owners_copies_deals_without(hub: Crm, hubspot: HubSpotServer) -> None:
    hubspot.lacks = {"/crm/v3/owners"}
    hub.appear()
    assert hub.titles == ["Deal 501"] and hub.records()[0].owner_name == ""


def test_deals_that_vanish_between_two_requests_are_left_out(hub: Crm, hubspot: HubSpotServer) -> None:
    hub.appear()
    hubspot.deals["777"] = {"person": "101", "properties": {}}
    hubspot.fail(207, {"status": "COMPLETE", "results": [], "numErrors": 1}, at="/deals/batch/read")
    hub.look_again()
    assert hub.connection.problem == "" and hub.records()[0].gone_at


def test_amounts_that_are_none_are_left_out(crm: Crm) -> None:
    name = "value" if crm.provider == "pipedrive" else "amount"
    for place, amount in enumerate(["", None, "lots", "1e400", "NaN", {"a": 1}, True, "9" * 60]):
        crm.server.deal(str(501 + place), "101", **{name: amount})
    crm.appear()
    assert len(crm.records()) == 8 and {record.amount_micros for record in crm.records()} == {None}


def test_a_pipedrive_token_travels_in_its_header_and_in_no_address(pipe: Crm, pipedrive: PipedriveServer) -> None:
    pipe.appear()
    assert pipedrive.got and all(one.headers["x-api-token"] for one in pipedrive.got)
    assert not any("token" in name for one in pipedrive.got for name in one.query)
