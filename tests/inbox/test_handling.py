"""Who has a conversation: the first message of a person takes it, and automation is quiet until they are done."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.inbox.conversations import AutomationPaused, Conversation, HandlingStretch, Later, Message, WithPerson
from app.inbox.conversations.inbox_settings import InboxSettings
from app.inbox.conversations.number_desks import NumberDesk
from app.inbox.desk.jobs import end_handling
from app.inbox.desk.notes import Note
from app.inbox.outbound.jobs import deliver
from app.people.merges import ContactMerge
from app.tenancy import Actor, db, now, tenant_scope
from app.tenancy.actor import AUTOMATIC
from tests.arrivals import arrive, conversations, graph_answering, of_field
from tests.client import FRAGMENT, Browser
from tests.enqueued import release_due
from tests.happenings import kinds
from tests.posts import message
from tests.world import World, conversation

BOT = Actor("automation", uuid.uuid4(), "Welcome")


def again(world: World, talk: Conversation) -> Conversation:
    with tenant_scope(world.bakery.id):
        return Conversation.get_or_404(talk.id)


def say(world: World, talk: Conversation, words: str, by: Actor, **more: Any) -> Message:
    with tenant_scope(world.bakery.id):
        return Conversation.get_or_404(talk.id).reply(words, by=by, client_id=uuid.uuid4(), **more)


def stretches(world: World, talk: Conversation) -> list[HandlingStretch]:
    with tenant_scope(world.bakery.id):
        return Conversation.get_or_404(talk.id).stretches


def noted_requests() -> list[bytes]:
    """What Meta is asked from now on."""
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(500)

    graph_answering(answer)
    return sent


def echo(**content: Any) -> dict[str, Any]:
    one = {"from": "15550783881", "to": "16505551234", "id": f"wamid.{uuid.uuid4()}"}
    one |= {"timestamp": f"{now():%s}"} | (content or {"type": "text", "text": {"body": "From my phone"}})
    return of_field("smb_message_echoes", message_echoes=[one])


@pytest.mark.parametrize("kind", ["agent", "api"])
def test_the_first_message_of_a_person_takes_it(world: World, carla: Conversation, kind: str) -> None:
    say(world, carla, "Yes, we do", Actor(kind, world.ann.id, "Ann"))
    talk, (stretch,) = again(world, carla), stretches(world, carla)
    assert (talk.handled_by, talk.handler_kind, talk.handler_id) == ("person", kind, world.ann.id)
    assert (stretch.by_kind, stretch.ended_at) == (kind, None)
    assert kinds(world.bakery.id).count("conversation.taken") == 1


def test_a_reply_from_the_phone_takes_it(world: World) -> None:
    world.connect_numbers()
    arrive(message("Hello"))
    arrive(echo())
    (talk,) = conversations(world)
    assert (talk.handled_by, talk.handler_kind, talk.is_with_person) == ("person", "phone", True)


@pytest.mark.parametrize("about", ["wamid.hello", "wamid.of.a.message.that.is.not.here"])
@pytest.mark.parametrize("kind", ["reaction", "revoke", "edit"])
def test_asides_of_the_phone_do_not_take_it(world: World, kind: str, about: str) -> None:
    world.connect_numbers()
    arrive(message("Hello", wamid="wamid.hello"))
    asides: dict[str, dict[str, Any]] = {
        "reaction": {"reaction": {"message_id": about, "emoji": "👍"}},
        "revoke": {"revoke": {"original_message_id": about}},
        "edit": {"edit": {"original_message_id": about, "message": {"type": "text", "text": {"body": "x"}}}},
    }
    arrive(echo(type=kind, **asides[kind]))
    assert conversations(world)[0].handled_by is None


def test_an_echo_of_what_we_sent_ourselves_does_not_take_it(world: World, carla: Conversation) -> None:
    ours = say(world, carla, "Hello", BOT)
    with tenant_scope(world.bakery.id):
        Message.get_or_404(ours.id).wamid = "wamid.ours"
    item = {"from": "1", "to": "16505551234", "id": "wamid.ours", "timestamp": f"{now():%s}", "type": "text"}
    arrive(of_field("smb_message_echoes", message_echoes=[item | {"text": {"body": "Hello"}}]))
    assert again(world, carla).handled_by is None


def test_history_does_not_take_it(world: World) -> None:
    world.connect_numbers()
    item = {"from": "15550783881", "to": "16505551234", "id": "wamid.old", "timestamp": f"{now():%s}", "type": "text"}
    thread = {"id": "16505551234", "messages": [item | {"text": {"body": "Old"}}]}
    arrive(of_field("history", history=[{"metadata": {"phase": 0, "progress": 100}, "threads": [thread]}]))
    (talk,) = conversations(world)
    assert talk.handled_by is None


def test_notes_reactions_and_what_is_scheduled_do_not_take_it(world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        talk, ann = Conversation.get_or_404(carla.id), Actor.agent(world.ann)
        Note.write(talk, "A private note", by=ann, client_id=uuid.uuid4())
        (theirs,) = db.session.scalars(db.select(Message))
        talk.react(theirs, "👍", by=ann)
        talk.reply("Later", by=ann, client_id=uuid.uuid4(), later=Later(now() + dt.timedelta(hours=1)))
    assert again(world, carla).handled_by is None


def test_what_was_scheduled_takes_it_when_it_goes_out(world: World, carla: Conversation) -> None:
    say(world, carla, "Later", Actor.agent(world.ann), later=Later(now()))
    release_due()
    assert again(world, carla).handled_by == "person"


@pytest.mark.parametrize("kind", AUTOMATIC)
def test_while_a_person_has_it_nothing_automatic_is_accepted(world: World, carla: Conversation, kind: str) -> None:
    say(world, carla, "Yes", Actor.agent(world.ann))
    with pytest.raises(WithPerson):
        say(world, carla, "I am a bot", Actor(kind))
    with tenant_scope(world.bakery.id):
        assert not Conversation.get_or_404(carla.id).take(by=Actor(kind))


def test_automation_takes_what_no_one_has_and_not_what_a_person_has(world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        talk = Conversation.get_or_404(carla.id)
        assert talk.take(by=BOT) and talk.handled_by == "automation"
        assert talk.take(by=Actor.agent(world.ann)) and not talk.take(by=BOT)
        assert talk.handled_by == "person"


def test_an_automatic_message_in_the_outbox_is_cancelled_when_a_person_was_faster(
    world: World, carla: Conversation, ann: Browser
) -> None:
    sent = noted_requests()
    bot, person = say(world, carla, "I am a bot", BOT), say(world, carla, "I am Ann", Actor.agent(world.ann))
    deliver()
    with tenant_scope(world.bakery.id):
        states = [Message.get_or_404(one.id).state for one in (bot, person)]
        assert states[0] == "cancelled" and all(b"bot" not in one for one in sent) and sent
    assert "A person has this conversation" in ann.get(f"~/stories/{bot.id}").text


def test_the_line_that_announces_a_hand_over_still_goes_out(world: World, carla: Conversation) -> None:
    sent = noted_requests()
    say(world, carla, "A colleague will help you", BOT, source="hand_over")
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).hand_over(by=BOT)
    assert again(world, carla).waiting_since
    with pytest.raises(WithPerson):
        say(world, carla, "And another thing", BOT)
    deliver()
    assert len(sent) == 1 and b"colleague" in sent[0]


def test_but_not_when_a_person_wrote_before_it_went(world: World, carla: Conversation) -> None:
    graph_answering(lambda _: httpx.Response(500))
    line = say(world, carla, "A colleague will help you", BOT, source="hand_over")
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).hand_over(by=BOT)
    say(world, carla, "Here I am", Actor.agent(world.ann))
    deliver()
    with tenant_scope(world.bakery.id):
        assert Message.get_or_404(line.id).state == "cancelled"
    (stretch,) = stretches(world, carla)
    assert stretch.by_kind == "agent"


def test_resolving_ends_the_stretch(world: World, carla: Conversation) -> None:
    say(world, carla, "Yes", Actor.agent(world.ann))
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).put("resolved", by=Actor.agent(world.ann))
    (stretch,) = stretches(world, carla)
    assert again(world, carla).handled_by is None and stretch.ending == "resolved" and stretch.ended_at
    assert say(world, carla, "Hello again", BOT).state == "queued"


def test_who_writes_nothing_for_long_no_longer_has_it(world: World, carla: Conversation) -> None:
    say(world, carla, "Yes", Actor.agent(world.ann))
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).handled_until = now() - dt.timedelta(seconds=1)
    assert say(world, carla, "Hello", BOT).state == "queued"
    end_handling(world.bakery.id)
    (stretch,) = stretches(world, carla)
    assert stretch.ending == "expired" and again(world, carla).handled_by is None


def test_a_business_sets_how_long_a_reply_silences_automation(world: World, carla: Conversation, ann: Browser) -> None:
    assert ann.post("~/inbox/settings", {"silence_hours": "4"}).status_code == 303
    assert ann.post("~/inbox/settings", {"silence_hours": "5"}).status_code == 422
    say(world, carla, "Yes", Actor.agent(world.ann))
    until = again(world, carla).handled_until
    assert until and dt.timedelta(hours=3, minutes=59) < until - now() <= dt.timedelta(hours=4)


def test_until_it_is_resolved_is_a_choice_too(world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        InboxSettings.change(shows_typing=True, previews_links=True, silence_hours=0)
    say(world, carla, "Yes", Actor.agent(world.ann))
    talk = again(world, carla)
    assert talk.handled_until is None and talk.is_with_person


def test_one_click_stops_the_automation_of_a_conversation_and_of_a_number(world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).pause_automation(by=Actor.agent(world.ann))
    with pytest.raises(AutomationPaused):
        say(world, carla, "I am a bot", BOT)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).resume_automation(by=Actor.agent(world.ann))
        NumberDesk.pause_automation(carla.phone_number_id)
    with pytest.raises(AutomationPaused):
        say(world, carla, "I am a bot", BOT)
    with tenant_scope(world.bakery.id):
        NumberDesk.resume_automation(carla.phone_number_id)
    assert say(world, carla, "I am a bot", BOT).state == "queued"


def test_what_was_in_the_outbox_when_automation_was_stopped_is_cancelled(world: World, carla: Conversation) -> None:
    graph_answering(lambda _: httpx.Response(500))
    bot = say(world, carla, "I am a bot", BOT)
    with tenant_scope(world.bakery.id):
        NumberDesk.pause_automation(carla.phone_number_id)
    deliver()
    with tenant_scope(world.bakery.id):
        message = Message.get_or_404(bot.id)
        assert message.state == "cancelled" and message.error and message.error["refusal"] == "automation_paused"


def test_a_merge_loses_nothing_of_a_person_and_undoing_it_restores_both(world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        number = Conversation.get_or_404(carla.id).phone_number
    other = conversation(number, wa_id="16505559999", name="Carla C.")
    say(world, other, "Yes", Actor.agent(world.ann))
    with tenant_scope(world.bakery.id):
        home, gone = Conversation.get_or_404(carla.id), Conversation.get_or_404(other.id)
        merge = ContactMerge.merge(home.contact, gone.contact, by=Actor.agent(world.ann))
    assert again(world, carla).is_with_person and len(stretches(world, carla)) == 1
    with tenant_scope(world.bakery.id):
        ContactMerge.get_or_404(merge.id).undo(by=Actor.agent(world.ann))
    assert not again(world, carla).is_with_person and again(world, other).is_with_person
    assert len(stretches(world, other)) == 1


def test_the_thread_says_who_took_over(world: World, carla: Conversation, ann: Browser) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).take(by=BOT)
    form = {"body": "Hello, Ann here", "client_id": str(uuid.uuid4())}
    assert ann.post(f"~/inbox/{carla.id}/messages", form, headers=FRAGMENT).status_code == 200
    assert "Ann took over from Automation “Welcome”" in ann.get(f"~/inbox/{carla.id}").text


def test_an_agent_stops_automation_in_a_conversation_and_resumes_it(
    world: World, carla: Conversation, ben: Browser
) -> None:
    page = ben.post(f"~/inbox/{carla.id}/automation-pause", headers=FRAGMENT)
    assert page.status_code == 200 and "Automation stopped" in page.text and "Resume automation" in page.text
    assert again(world, carla).automation_paused_at
    assert "Stop automation here" in ben.post(f"~/inbox/{carla.id}/automation-pause/removal", headers=FRAGMENT).text
    assert not again(world, carla).automation_paused_at


def test_an_agent_lets_automation_answer_again(world: World, carla: Conversation, ben: Browser) -> None:
    say(world, carla, "Yes", Actor.agent(world.ben))
    assert ben.post(f"~/inbox/{carla.id}/handling/removal", headers=FRAGMENT).status_code == 200
    (stretch,) = stretches(world, carla)
    assert again(world, carla).handled_by is None and stretch.ending == "released"


def test_a_lock_that_a_savepoint_gave_back_is_taken_again(carla: Conversation, world: World) -> None:
    locks: list[str] = []
    event.listen(Engine, "before_cursor_execute", note := lambda *call: locks.append(call[2]))
    with tenant_scope(world.bakery.id):
        talk = Conversation.get_or_404(carla.id)
        nested = db.session.begin_nested()
        talk.merged_into()
        nested.rollback()
        talk.merged_into()
        talk.merged_into()
    event.remove(Engine, "before_cursor_execute", note)
    assert sum("FOR KEY SHARE" in one for one in locks) == 2
