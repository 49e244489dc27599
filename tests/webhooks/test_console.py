"""The console's pages about posts and held changes."""

from __future__ import annotations

import re
import sys
import uuid
from typing import Any, get_args

import pytest
from sqlalchemy import func, select, text

from app.inbox.conversations import Conversation, Message, MessageEvent
from app.meta import events
from app.meta.outgoing import Outgoing
from app.platform.posts.outcome import APPLIED_FIELDS, NAMES
from app.team.models import Look
from app.tenancy import Actor, db, platform_scope, tenant_scope
from app.webhook_events import search
from app.webhook_events.models import HeldChange, WebhookEvent
from app.webhook_events.replays import Criteria, Replay
from app.webhooks import handlers
from app.webhooks.drain import drain_batch
from app.webhooks.handlers import HANDLERS
from app.webhooks.jobs import look_after_replays, replay
from tests.arrivals import arrive
from tests.client import FRAGMENT, Browser
from tests.posts import change, message, post, status
from tests.world import BAKERY_NUMBER, SHOES_NUMBER, World, conversation, number

HOSTILE = '<script>alert("x")</script>\u202egnp.exe'


def page(browser: Browser, path: str, **options: Any) -> str:
    answer = browser.get(path, **options)
    assert answer.status_code == 200, (path, answer.status_code)
    return " ".join(answer.get_data(as_text=True).split())


def newest_post() -> int:
    with platform_scope("tests"):
        return db.session.scalars(select(WebhookEvent.id).order_by(WebhookEvent.id.desc()).limit(1)).one()


def held() -> list[HeldChange]:
    with platform_scope("tests"):
        return list(db.session.scalars(select(HeldChange).order_by(HeldChange.id)))


def run(made: Replay) -> None:
    replay(str(made.id))
    while drain_batch():
        pass


def replay_all(**criteria: Any) -> Replay:
    with platform_scope("tests"):
        made = Replay.of_changes(Criteria(**criteria), by="Pat")
    run(made)
    return made


def replay_post(post_id: int) -> None:
    with platform_scope("tests"):
        made = Replay.of_post(db.session.get_one(WebhookEvent, post_id), by="Pat")
    run(made)


def state_of_bakery(world: World) -> list[Any]:
    with tenant_scope(world.bakery.id):
        rows = db.session.execute(
            text("""
            select m.wamid, m.state, m.body, c.unread_count, c.last_message_preview,
                (select count(*) from message_events e where e.message_id = m.id) as events
            from messages m join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id
            order by m.id""")
        )
        return [tuple(row) for row in rows]


def look(pat: Browser, post_id: int) -> None:
    assert pat.post(f"/platform/posts/{post_id}/looks", {"reason": "ticket 12"}).status_code == 303


@pytest.fixture(autouse=True)
def numbers(world: World) -> None:
    world.connect_numbers()


def test_posts_are_listed_newest_first_with_their_state(pat: Browser) -> None:
    arrive(message("done"))
    with platform_scope("tests"):
        db.session.add(WebhookEvent(body=post(message("not yet"))))
    shown = page(pat, "/platform/posts")
    first, second = re.findall(r"Webhook \d+.*?</a>", shown)
    assert "Queued" in first and "processed in" in second


@pytest.mark.parametrize(("state", "count"), [("", 3), ("waiting", 1), ("drained", 2), ("held", 1)])
def test_posts_are_filtered_by_state(pat: Browser, state: str, count: int) -> None:
    arrive(message("fine"))
    arrive(change(BAKERY_NUMBER, messages=["nonsense"]))
    with platform_scope("tests"):
        db.session.add(WebhookEvent(body=b"{}"))
    assert page(pat, f"/platform/posts?state={state}").count(">Webhook ") == count


def test_posts_are_found_by_wamid_number_and_account(pat: Browser) -> None:
    arrive(message("one", wamid="wamid.a/b="))
    arrive(message("two", number=SHOES_NUMBER))
    for words, count in (("wamid.a/b=", 1), (SHOES_NUMBER, 1), ("102290129340398", 2), ("wamid.none", 0)):
        assert page(pat, f"/platform/posts?q={words}").count(">Webhook ") == count, words


def test_a_slash_that_meta_escapes_is_found_as_well(pat: Browser) -> None:
    with platform_scope("tests"):
        db.session.add(WebhookEvent(body=post(message(wamid="wamid.a/b")).replace(b"a/b", b"a\\/b")))
    assert page(pat, "/platform/posts?q=wamid.a/b").count(">Webhook ") == 1


def test_posts_are_found_by_time(pat: Browser) -> None:
    for _ in range(5):
        arrive(message())
    with platform_scope("tests"):
        old = text("update webhook_events set received_at = received_at - interval '3 days' where id <= :id")
        db.session.execute(old, {"id": newest_post() - 2})
        middle = db.session.scalar(
            text("select to_char(now() at time zone 'UTC' - interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI')")
        )
    assert page(pat, f"/platform/posts?since={middle}").count(">Webhook ") == 2
    assert page(pat, f"/platform/posts?until={middle}").count(">Webhook ") == 3


def test_older_posts_are_on_the_next_page(pat: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    for _ in range(3):
        arrive(message())
    assert f"before={newest_post() - 1}" in page(pat, "/platform/posts")
    assert page(pat, f"/platform/posts?before={newest_post() - 1}").count(">Webhook ") == 1


def test_a_search_says_how_far_back_it_looked(pat: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LOOKED_THROUGH", 2)
    arrive(message(wamid="wamid.far"))
    for _ in range(3):
        arrive(message())
    first = page(pat, "/platform/posts?q=wamid.far")
    assert "Searched back to" in first and ">Webhook " not in first
    assert ">Webhook " in page(pat, f"/platform/posts?q=wamid.far&before={newest_post() - 1}")


def test_a_post_says_what_each_change_became(pat: Browser, world: World) -> None:
    ours = outbound(world, "wamid.ours", "accepted")
    nonsense, strange = change(BAKERY_NUMBER, messages=["nonsense"]), change(BAKERY_NUMBER, news="x")
    strange["field"] = "weather"
    arrive(message("hi"), status("wamid.ours", "sent"), status("wamid.else", "sent"), nonsense, strange)
    shown = page(pat, f"/platform/posts/{newest_post()}")
    for words in (
        "Saved as a message",
        "Saved with its message",
        "Waiting for its message",
        "Held back",
        "Stored in this post only",
    ):
        assert words in shown, words
    assert str(ours.id) in shown


def test_every_kind_of_change_has_a_name_in_the_console() -> None:
    assert set(NAMES) == set(get_args(events.Event))


def test_what_a_handler_applies_is_not_called_unused() -> None:
    fields = {
        field
        for kind, handler in HANDLERS
        if kind is events.OtherChange
        for field in sys.modules[handler.__module__].FIELDS
    }
    assert fields == APPLIED_FIELDS


def test_a_thread_that_another_app_has_is_shown_as_applied(pat: Browser, world: World) -> None:
    passed = {"type": "control_passed", "timestamp": "1790000000", "sender": {"phone_number": "16505551234"}}
    handed = change(BAKERY_NUMBER, recipient={"phone_number_id": BAKERY_NUMBER}, **passed, control_passed={})
    arrive(handed | {"field": "messaging_handovers"})
    shown = page(pat, f"/platform/posts/{newest_post()}")
    assert "Which app answers" in shown and "Applied" in shown


def test_an_unknown_post_is_not_found(pat: Browser) -> None:
    for path in ("posts/99999", f"posts/{2**70}", "held-changes/99999", f"replays/{uuid.uuid4()}"):
        assert pat.get(f"/platform/{path}").status_code == 404


def test_a_body_is_hidden_until_a_reason_is_given(pat: Browser, world: World) -> None:
    arrive(message("my secret wish"))
    path = f"/platform/posts/{newest_post()}"
    assert "my secret wish" not in page(pat, path)
    assert pat.get(f"{path}/body").status_code == 303
    assert pat.post(f"{path}/looks", {"reason": " "}).status_code == 422
    look(pat, newest_post())
    assert "my secret wish" in page(pat, path)


def test_a_look_is_recorded_for_each_company_in_the_post(pat: Browser, world: World) -> None:
    arrive(message("a"), message("b", number=SHOES_NUMBER))
    look(pat, newest_post())
    for tenant in (world.bakery, world.shoes):
        with tenant_scope(tenant.id):
            (seen,) = db.session.scalars(Look.newest_first())
            assert (seen.name, seen.kind, seen.subject, seen.reason) == ("Pat", "post", str(newest_post()), "ticket 12")


def test_a_look_at_one_post_opens_no_other(pat: Browser) -> None:
    arrive(message("first secret"))
    arrive(message("second secret"))
    look(pat, newest_post())
    assert "first secret" not in page(pat, f"/platform/posts/{newest_post() - 1}")


def test_a_look_ends(pat: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.platform.looks.SECONDS", -1)
    arrive(message("my secret wish"))
    look(pat, newest_post())
    assert "my secret wish" not in page(pat, f"/platform/posts/{newest_post()}")


def test_a_hostile_body_is_only_text(pat: Browser) -> None:
    arrive(message(HOSTILE, name=HOSTILE))
    look(pat, newest_post())
    shown = page(pat, f"/platform/posts/{newest_post()}")
    assert "<script>alert" not in shown and "&lt;script&gt;" in shown
    assert "\u202e" not in shown and "\\u202e" in shown


@pytest.mark.parametrize("body", [b"not json \xff\x00 <b>", b"[" * 5000, b'{"a": "\\ud800"}', b""])
def test_any_body_can_be_shown_and_downloaded(pat: Browser, body: bytes) -> None:
    with platform_scope("tests"):
        db.session.add(WebhookEvent(body=body))
    drain_batch()
    look(pat, newest_post())
    page(pat, f"/platform/posts/{newest_post()}")
    answer = pat.get(f"/platform/posts/{newest_post()}/body")
    assert answer.data == body
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_huge_body_shows_its_first_part(pat: Browser) -> None:
    arrive(*(message("word " * 500) for _ in range(300)))
    look(pat, newest_post())
    shown = page(pat, f"/platform/posts/{newest_post()}")
    assert "Only the first part is shown" in shown and "And 100 more" in shown
    assert len(shown) < 200_000


def test_held_changes_are_counted_by_reason_with_what_to_do(pat: Browser) -> None:
    arrive(change(BAKERY_NUMBER, messages=["nonsense", "more"]), message(number="999"))
    shown = page(pat, "/platform/held-changes")
    assert "No tenant has connected this number" in shown and "in a format that Switchboard doesn" in shown
    assert re.search(r'tabular-nums">2</span>', shown)


def test_held_changes_are_filtered_by_number(pat: Browser) -> None:
    arrive(message(number="999"), message(number="998"))
    shown = page(pat, "/platform/held-changes?number=999")
    assert "number 999" in shown and "number 998" not in shown


def test_a_held_change_has_a_page_and_its_words_open_with_its_post(pat: Browser) -> None:
    arrive(message("my secret wish", number="999"))
    (row,) = held()
    path = f"/platform/held-changes/{row.id}"
    assert "my secret wish" not in page(pat, path)
    look(pat, row.webhook_event_id)
    assert "my secret wish" in page(pat, path)


def test_a_held_change_is_understood_after_its_number_is_connected(pat: Browser, world: World) -> None:
    arrive(message("early bird", number="999"))
    (row,) = held()
    number(world.shoes, "888", "999", "+1 555 000 0000")
    replay_all(ids=(row.id,))
    with tenant_scope(world.shoes.id):
        assert db.session.scalars(select(Message.body)).all() == ["early bird"]
    assert "This change has been processed" in page(pat, f"/platform/held-changes/{row.id}")
    assert "Nothing is held" in page(pat, "/platform/held-changes")


def test_a_replay_says_what_came_of_it(pat: Browser, world: World) -> None:
    arrive(message("one", number="999"), message("two", number="999"))
    arrive(message("three", number="998"))
    number(world.shoes, "888", "999", "+1 555 000 0000")
    made = replay_all(kind="unrouted")
    look_after_replays()
    assert "3 replayed: 2 processed, 1 still held" in page(pat, f"/platform/replays/{made.id}")
    assert [row.tries for row in held()] == [1, 1, 2]


def test_a_replay_under_way_shows_progress_and_asks_again(pat: Browser) -> None:
    arrive(message(number="999"))
    with platform_scope("tests"):
        made = Replay.of_changes(Criteria(), by="Pat")
    replay(str(made.id))
    shown = page(pat, f"/platform/replays/{made.id}", headers=FRAGMENT)
    assert "Running" in shown and 'hx-trigger="every 1s"' in shown
    drain_batch()
    assert "hx-get" not in page(pat, f"/platform/replays/{made.id}", headers=FRAGMENT)


def test_a_replay_of_many_is_collected_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.webhook_events.replays.BATCH", 2)
    arrive(*(message(number="999") for _ in range(5)))
    made = replay_all()
    with platform_scope("tests"):
        outcome = db.session.get_one(Replay, made.id).count()
    assert (outcome.held, outcome.understood, outcome.waiting) == (5, 0, 0)


def test_what_is_held_later_is_no_part_of_a_replay(pat: Browser) -> None:
    arrive(message(number="999"))
    with platform_scope("tests"):
        made = Replay.of_changes(Criteria(), by="Pat")
    arrive(message(number="999"))
    run(made)
    assert [row.tries for row in held()] == [2, 1]


def test_the_clock_goes_on_with_a_replay_whose_job_was_lost(pat: Browser) -> None:
    arrive(message(number="999"))
    (row,) = held()
    requested = pat.post("/platform/held-changes/replays", {"id": row.id})
    made = requested.location.rpartition("/")[2]
    replay(made)
    drain_batch()
    look_after_replays()
    with platform_scope("tests"):
        done = db.session.get_one(Replay, uuid.UUID(made))
        assert (done.state, done.outcome) == ("done", {"waiting": 0, "understood": 0, "held": 1, "gone": 0})


def test_a_post_that_is_gone_cannot_be_replayed_and_says_so(pat: Browser) -> None:
    arrive(message(number="999"))
    with platform_scope("tests"):
        db.session.execute(text("delete from webhook_events"))
    made = replay_all()
    assert "been deleted" in page(pat, f"/platform/replays/{made.id}")
    assert "be replayed" in page(pat, f"/platform/held-changes/{held()[0].id}")


def test_a_post_replayed_twice_changes_nothing(world: World) -> None:
    outbound(world, "wamid.ours", "accepted")
    arrive(message("hello", wamid="wamid.in"), status("wamid.ours", "delivered"), change(BAKERY_NUMBER, messages=[1]))
    with tenant_scope(world.bakery.id):
        for talk in db.session.scalars(Conversation.newest_first()):
            talk.mark_read()
    before = state_of_bakery(world)
    for _ in range(2):
        replay_post(newest_post())
    assert state_of_bakery(world) == before
    assert [(row.state, row.tries) for row in held()] == [("held", 3)]


def test_an_old_failure_replayed_does_not_hurt_a_message_sent_again(world: World) -> None:
    ours = outbound(world, "wamid.ours", "accepted")
    arrive(status("wamid.ours", "failed", errors=[{"code": 131026, "title": "Undeliverable"}]))
    with tenant_scope(world.bakery.id):
        Message.get_or_404(ours.id).state = "queued"
    replay_post(newest_post())
    with tenant_scope(world.bakery.id):
        assert Message.get_or_404(ours.id).state == "queued"
        assert db.session.scalar(select(func.count()).select_from(MessageEvent)) == 1


def test_a_replay_recovers_what_failed_in_our_code(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(group: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(handlers, "HANDLERS", [(object, broken)])
    arrive(message("patience"))
    monkeypatch.undo()
    assert [row.kind for row in held()] == ["failed"]
    replay_all(kind="failed")
    assert [row.state for row in held()] == ["understood"]
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Message.body)).all() == ["patience"]


def test_a_change_is_discarded_with_a_reason_and_stays_visible(pat: Browser) -> None:
    arrive(message(number="999"))
    path = f"/platform/held-changes/{held()[0].id}"
    assert pat.post(f"{path}/discard", {"reason": ""}).status_code == 422
    assert pat.post(f"{path}/discard", {"reason": "a number of nobody's"}).status_code == 303
    for shown in (page(pat, path), page(pat, "/platform/held-changes?discarded=1")):
        assert "Discarded by Pat" in shown and "a number of nobody" in shown
    assert "Nothing is held" in page(pat, "/platform/held-changes")


def test_what_was_discarded_is_never_held_again(pat: Browser) -> None:
    arrive(message(number="999"))
    pat.post(f"/platform/held-changes/{held()[0].id}/discard", {"reason": "noise"})
    replay_all()
    replay_post(newest_post())
    assert [row.state for row in held()] == ["discarded"]


def test_nothing_chosen_is_an_error_in_words(pat: Browser) -> None:
    answer = pat.post("/platform/held-changes/replays", follow_redirects=True)
    assert "Select at least one change." in answer.get_data(as_text=True)


def test_an_owner_reads_what_meta_posted_about_their_own_message_only(ann: Browser, world: World) -> None:
    arrive(message("mine", wamid="wamid.mine"), message("of shoes", number=SHOES_NUMBER, wamid="wamid.shoes"))
    with tenant_scope(world.bakery.id):
        (mine,) = db.session.scalars(select(Message)).unique()
    shown = page(ann, f"~/stories/{mine.id}/posts")
    assert "wamid.mine" in shown and "of shoes" not in shown


def test_an_agent_does_not_read_raw_posts(ben: Browser, sue: Browser, world: World) -> None:
    arrive(message("mine"))
    with tenant_scope(world.bakery.id):
        (mine,) = db.session.scalars(select(Message)).unique()
    assert ben.get(f"~/stories/{mine.id}/posts").status_code == 403
    assert sue.get(f"~/stories/{mine.id}/posts").status_code == 404


def test_no_one_else_reads_or_changes_anything(ann: Browser, ben: Browser, browser: Browser) -> None:
    arrive(message(number="999"))
    row = held()[0]
    paths = ["posts", f"posts/{newest_post()}", f"posts/{newest_post()}/body", f"held-changes/{row.id}"]
    for somebody in (ann, ben, browser):
        for path in paths:
            assert somebody.get(f"/platform/{path}").status_code == 303
        for path in (f"posts/{newest_post()}/replays", f"held-changes/{row.id}/discard", "held-changes/replays"):
            assert somebody.post(f"/platform/{path}", {"reason": "x", "id": row.id}).status_code == 303
    assert [(row.state, row.tries) for row in held()] == [("held", 1)]


def outbound(world: World, wamid: str, state: str) -> Message:
    with tenant_scope(world.bakery.id):
        ours = db.session.scalars(text("select id from phone_numbers")).one()
    with platform_scope("tests"):
        from app.wabas.models import PhoneNumber

        mine = db.session.scalars(select(PhoneNumber).where(PhoneNumber.id == ours)).one()
    talk = conversation(mine)
    with tenant_scope(world.bakery.id):
        sent = Message.outbound(talk, Outgoing("text", "ours"), by=Actor.agent(world.ann), client_id=uuid.uuid4())
        sent.state, sent.wamid = state, wamid
        db.session.add(sent)
    return sent
