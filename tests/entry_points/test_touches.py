"""Customers who come by a link or an ad: the first touch is what the conversation is about, all touches stay."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from sqlalchemy import event

from app.contacts.models import Contact
from app.contacts.tags import Tag
from app.entry_points.models import EntryPoint, EntryReference
from app.entry_points.subjects import Subject
from app.inbox.conversations import Conversation
from app.people.erasure import erase
from app.people.merges import ContactMerge
from app.team.models import Team
from app.tenancy import Actor, db, now, tenant_scope
from tests import world as people
from tests.arrivals import arrive
from tests.happenings import happenings
from tests.posts import message
from tests.world import World

from .conftest import VILLA, Site

AD = {"source_url": "https://fb.me/1", "source_id": "120", "source_type": "ad", "headline": "Villas by the sea"}
AD |= {"ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4"}


def facts(site: Site) -> list[dict[str, Any]]:
    return [one.facts for one in happenings(site.tenant.id, "entry_point.touched")]


def test_a_reference_says_what_the_conversation_is_about(villas: Site) -> None:
    talk = villas.write(villas.words(VILLA))
    assert talk.subject_type == "property" and talk.subject_external_id == "V-12"
    assert talk.entry_point_id == villas.entry_point.id and talk.about.title == "Villa in Dakar"
    (one,) = facts(villas)
    assert one["type"] == "property" and one["external_id"] == "V-12" and one["is_first"] and not one["is_shared"]


def test_a_text_that_was_edited_and_translated_is_recognised(villas: Site) -> None:
    code = villas.code(VILLA).replace("-", " ").lower().replace("2", "٢")
    assert villas.write(f"السلام عليكم، هل الفيلا متاحة؟ المرجع {code} شكرا").about.title == "Villa in Dakar"


def test_a_made_up_reference_is_nothing(villas: Site) -> None:
    assert villas.write("Hello (ref 7KQ-M2F)").subject is None and villas.touches == [] and facts(villas) == []


def test_a_reference_of_another_number_is_nothing(villas: Site, world: World) -> None:
    words = villas.words(VILLA)
    people.number(world.bakery, "302290129340398", "306540352242922", "+1 555 078 3899")
    talk = villas.write(words, number="306540352242922")
    assert talk.subject is None and villas.touches == []


def test_a_reference_of_another_business_is_nothing(villas: Site, world: World) -> None:
    words = villas.words(VILLA)
    arrive(message(words, number=people.SHOES_NUMBER))
    assert villas.touches == [] and happenings(world.shoes.id, "entry_point.touched") == []


def test_a_title_cannot_bring_a_reference_of_its_own(villas: Site) -> None:
    other = villas.code(VILLA | {"title": "Other"})
    assert villas.write(villas.words(VILLA | {"title": f"Villa {other}"})).about.title == f"Villa {other}"


def test_the_first_touch_is_never_overwritten_and_all_stay(villas: Site) -> None:
    villas.write(villas.words(VILLA))
    talk = villas.write(villas.words(VILLA | {"id": "V-13", "title": "Flat in Thiès"}))
    assert talk.about.title == "Villa in Dakar"
    assert [(touch.about.title, touch.is_first) for touch in villas.touches] == [
        ("Villa in Dakar", True),
        ("Flat in Thiès", False),
    ]


def test_a_subject_that_a_person_set_is_not_overwritten_by_a_first_touch(villas: Site, world: World) -> None:
    talk = villas.write("Hello")
    with tenant_scope(villas.tenant.id):
        order = Subject("order", "17", "Order 17")
        assert Conversation.get_or_404(talk.id).set_about(order, by=Actor.agent(world.ann))
    talk = villas.write(villas.words(VILLA))
    assert talk.about.title == "Order 17" and talk.entry_point_id == villas.entry_point.id


def test_a_reference_that_was_passed_on_is_marked(villas: Site) -> None:
    words = villas.words(VILLA)
    villas.write(words)
    villas.write(words)
    talk = villas.write(words, wa_id="447911123456")
    assert [touch.is_shared for touch in villas.touches] == [False, False, True]
    assert talk.about.title == "Villa in Dakar" and facts(villas)[-1]["is_shared"]


def test_two_customers_in_one_batch_share_a_reference_once(villas: Site) -> None:
    words = villas.words(VILLA)
    arrive(message(words, wa_id="447911123456", name="A"), message(words, wa_id="33612345678", name="B"))
    assert sorted(touch.is_shared for touch in villas.touches) == [False, True]


def test_an_expired_reference_tells_the_entry_point_alone(villas: Site) -> None:
    words = villas.words(VILLA)
    with tenant_scope(villas.tenant.id):
        db.session.execute(db.update(EntryReference).values(expires_at=now() - dt.timedelta(seconds=1)))
    talk = villas.write(words)
    (touch,) = villas.touches
    assert touch.is_expired and touch.about is None and talk.entry_point_id == villas.entry_point.id
    assert talk.about.title == "Villas" and talk.subject_type == "entry_point"


def test_an_entry_points_own_code_tells_it(villas: Site) -> None:
    talk = villas.write(f"I saw your sign ({villas.entry_point.reference})")
    assert talk.about.title == "Villas" and villas.touches[0].reference_id is None


def test_the_same_message_twice_is_one_touch(villas: Site) -> None:
    words = villas.words(VILLA)
    for _ in range(2):
        villas.write(words, wamid="wamid.same")
    assert len(villas.touches) == 1


def test_an_ad_is_a_touch(villas: Site) -> None:
    talk = villas.write("", type="text", text={"body": "Is it free?"}, referral=AD)
    (touch,) = villas.touches
    assert touch.kind == "ad" and touch.referral["ctwa_clid"].startswith("Aff-") and touch.is_first
    assert talk.subject_type == "ad" and talk.about.title == "Villas by the sea" and talk.about.url == "https://fb.me/1"
    assert facts(villas)[0]["external_id"] == "120"


def test_a_campaign_is_what_it_is_about_where_nothing_else_is_known(villas: Site) -> None:
    talk = villas.write(villas.words({"utm_campaign": "spring", "utm_source": "newsletter"}))
    assert (talk.subject_type, talk.about.title) == ("campaign", "spring")
    assert villas.touches[0].utm == {"campaign": "spring", "source": "newsletter"}


def test_team_and_tags_are_those_of_the_entry_point(villas: Site) -> None:
    with tenant_scope(villas.tenant.id):
        team, tag = Team(name="Sales"), Tag.get_or_make("Villa")
        db.session.add(team)
        db.session.flush()
        one = EntryPoint.get_or_404(villas.entry_point.id)
        one.team_id, one.tag_ids = team.id, [str(tag.id)]
    talk = villas.write(villas.words(VILLA))
    with tenant_scope(villas.tenant.id):
        contact = Contact.get_or_404(talk.contact_id)
        assert talk.team_id == team.id and [each.name for each in contact.tags] == ["Villa"]


def test_a_conversation_that_somebody_has_stays_with_them(villas: Site, world: World) -> None:
    talk = villas.write("Hello")
    with tenant_scope(villas.tenant.id):
        team = Team(name="Sales")
        db.session.add(team)
        db.session.flush()
        EntryPoint.get_or_404(villas.entry_point.id).team_id = team.id
        Conversation.get_or_404(talk.id).give(world.ben, by=Actor.agent(world.ann), expected=None)
    assert villas.write(villas.words(VILLA)).team_id is None


def test_a_merge_takes_touches_and_subject_along_and_undoing_returns_them(villas: Site, world: World) -> None:
    plain = villas.write("Hello")
    talk = villas.write(villas.words(VILLA), wa_id="447911123456")
    by = Actor.agent(world.ann)
    with tenant_scope(villas.tenant.id):
        contacts = [Contact.get_or_404(one.contact_id) for one in (plain, talk)]
        merge = ContactMerge.merge(*contacts, by=by)
    home = max(villas.rows(Conversation), key=lambda one: one.merged_into_id is None)
    assert home.about.title == "Villa in Dakar" and villas.touches[0].conversation_id == home.id
    with tenant_scope(villas.tenant.id):
        ContactMerge.get_or_404(merge.id).undo(by=by)
        assert Conversation.get_or_404(plain.id).subject is None
    assert villas.touches[0].conversation_id == talk.id


def test_an_erased_contact_leaves_the_count_alone(villas: Site, world: World) -> None:
    villas.write(villas.words(VILLA))
    talk = villas.write("", type="text", text={"body": "Hi"}, referral=AD)
    with tenant_scope(villas.tenant.id):
        erase(Contact.get_or_404(talk.contact_id), by=Actor.agent(world.ann))
    for touch in villas.touches:
        assert touch.subject is touch.referral is touch.utm is touch.reference_id is None
    (talk,) = villas.rows(Conversation)
    assert talk.subject is None and talk.subject_type is None and talk.entry_point_id == villas.entry_point.id


def test_an_entry_point_that_is_deleted_leaves_its_conversations(villas: Site) -> None:
    talk = villas.write(villas.words(VILLA))
    with tenant_scope(villas.tenant.id):
        EntryPoint.get_or_404(villas.entry_point.id).remove()
    (talk,) = villas.rows(Conversation)
    assert talk.entry_point_id is None and talk.about.title == "Villa in Dakar" and len(villas.touches) == 1
    assert villas.open().status_code == 404


def test_a_text_without_a_reference_costs_no_statement(villas: Site) -> None:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    villas.write("Good morning, is the villa still free?")
    event.remove(db.engine, "before_cursor_execute", note)
    assert seen and not any(re.search(r"from entry_", statement, re.IGNORECASE) for statement in seen)
