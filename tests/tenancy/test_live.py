from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from redis.client import PubSub
from sqlalchemy import select

from app import realtime
from app.extensions import outside
from app.team.models import UserSession
from app.tenancy import Membership, announce, db, global_scope, tenant_scope
from tests.client import Browser
from tests.world import World


@pytest.fixture
def hub(app: Flask) -> realtime.Hub:
    return realtime.Hub(outside().redis, capacity=2)


def opened(hub: realtime.Hub, world: World, last_event_id: str | None = None) -> Iterator[str]:
    """A stream whose first lines have been read, so that it is subscribed."""
    stream = hub.open(world.bakery.id, world.ann.id, last_event_id)
    assert ": open" in next(stream)
    return stream


def change(world: World, *subjects: str) -> None:
    with tenant_scope(world.bakery.id):
        for subject in subjects:
            announce(subject, "1")


def ids(stream: Iterator[str], count: int) -> list[str]:
    return [event.split("\n")[0].removeprefix("id: ") for event in itertools.islice(stream, count)]


def test_a_page_hears_what_changed_once_it_is_committed(hub: realtime.Hub, world: World) -> None:
    stream = opened(hub, world)
    change(world, "conversation", "number", "conversation")
    facts = [next(stream), next(stream)]
    assert [event.split("data: ")[1].strip() for event in facts] == ["conversation 1", "number 1"]


def test_the_tenant_next_door_hears_nothing(hub: realtime.Hub, world: World) -> None:
    theirs, ours = hub.open(world.shoes.id, world.sue.id, None), opened(hub, world)
    next(theirs)
    change(world, "conversation")
    assert "conversation" in next(ours)
    assert all(stream.events.empty() for stream in hub.streams[realtime.CHANNEL.format(world.shoes.id)])


def test_who_comes_back_gets_what_was_missed(hub: realtime.Hub, world: World) -> None:
    change(world, "first")
    change(world, "second")
    change(world, "third")
    entries: Any = outside().redis.xrange(realtime.CHANNEL.format(world.bakery.id))
    saved = [id.decode() for id, _ in entries]
    assert ids(opened(hub, world, saved[0]), 2) == saved[1:]


def test_a_page_misses_nothing_between_rendering_and_its_first_event(ann: Browser, world: World) -> None:
    change(world, "before")
    page = ann.get("~/inbox/").text
    change(world, "meanwhile")
    since = page.split('data-live-since="')[1].split('"')[0]
    stream = ann.client.get(ann.at(f"~/live?since={since}"), buffered=False).iter_encoded()
    facts = b"".join(itertools.islice(stream, 2)).decode()
    assert "data: meanwhile 1" in facts and "before" not in facts


def test_what_is_no_position_is_not_repeated_into_the_stream(hub: realtime.Hub, world: World) -> None:
    change(world, "now")
    stream = hub.open(world.bakery.id, world.ann.id, "1-0\ndata: forged 1\n\n")
    assert "forged" not in next(stream) and next(stream) == realtime.RELOAD


def test_who_was_disconnected_too_long_reloads_everything(hub: realtime.Hub, world: World) -> None:
    change(world, "long ago")
    outside().redis.flushdb()
    change(world, "now")
    assert next(opened(hub, world, "1-0")) == realtime.RELOAD


def test_more_streams_than_fit_are_refused(hub: realtime.Hub, world: World) -> None:
    saved = [opened(hub, world) for _ in range(2)]
    with pytest.raises(realtime.TooManyStreams):
        hub.open(world.bakery.id, world.ann.id, None)
    assert saved


def test_an_answer_that_never_starts_takes_no_stream(hub: realtime.Hub, world: World) -> None:
    unread = [hub.open(world.bakery.id, world.ann.id, None) for _ in range(10)]
    assert hub.count == 0 and unread


def test_asking_only_for_the_headers_takes_no_stream(ann: Browser) -> None:
    hub = ann.app.extensions["hub"]
    for _ in range(5):
        ann.client.head(ann.at("~/live"))
    assert hub.count == 0


def test_a_user_with_too_many_streams_loses_the_oldest(app: Flask, world: World) -> None:
    hub = realtime.Hub(outside().redis)
    bens = hub.open(world.bakery.id, world.ben.id, None)
    next(bens)
    first, *others = [opened(hub, world) for _ in range(realtime.PER_USER + 1)]
    assert list(first) == []
    assert hub.count == realtime.PER_USER + 1 and others


def test_streams_end_when_the_session_does(hub: realtime.Hub, world: World) -> None:
    stream = opened(hub, world)
    with global_scope():
        UserSession.end_all(world.ann)
    assert list(stream) == []


def test_streams_end_with_the_membership(hub: realtime.Hub, world: World) -> None:
    stream = hub.open(world.bakery.id, world.ben.id, None)
    next(stream)
    with tenant_scope(world.bakery.id):
        bens, anns = (
            db.session.scalars(select(Membership).where(Membership.user_id == one.id)).one()
            for one in (world.ben, world.ann)
        )
        bens.remove(by=anns)
    assert list(stream) == []


def test_closing_ends_every_stream(hub: realtime.Hub, world: World) -> None:
    stream = opened(hub, world)
    hub.close()
    assert list(stream) == []
    assert hub.count == 0


def test_a_stranger_gets_no_stream(sue: Browser) -> None:
    assert sue.get("~/live").status_code == 404


def test_the_first_page_of_a_process_misses_nothing_while_it_subscribes(
    hub: realtime.Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = PubSub.psubscribe
    monkeypatch.setattr(PubSub, "psubscribe", lambda *a: time.sleep(0.5) or at_once(*a))  # type: ignore[func-returns-value]
    stream = opened(hub, world)
    change(world, "meanwhile")
    assert "data: meanwhile 1" in next(stream)


def test_pages_that_were_open_before_anything_was_heard_ask_for_everything(
    hub: realtime.Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(hub, "listen", lambda: None)
    stream = opened(hub, world)
    change(world, "unheard")
    threading.Thread(target=hub.fan_out, daemon=True).start()
    assert next(stream) == realtime.RELOAD


def test_a_stream_without_a_session_is_not_led_to_a_page(world: World, browser: Browser) -> None:
    answer = browser.get("/t/bakery/live", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.data) == (401, b"")
