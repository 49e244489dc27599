from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from app.billing.alerts import mail_alert
from app.billing.balances import Balance
from app.billing.holds import Claimed, Funds, Hold, ReplyCount, release_lost
from app.billing.payments import NoPlan, adjust, top_up
from app.billing.plans import Plan
from app.inbox.conversations import Conversation, Message, NotFunded
from app.inbox.outbound.funding import FUND
from app.inbox.outbound.lanes import Lane
from app.meta.outgoing import Outgoing
from app.stories.story import Story
from app.tenancy import Actor, db, platform_scope, tenant_scope, uuid7
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive
from tests.billing.books import arrive_and_post, balance, give_plan, owed, post, priced, problems, reported
from tests.simulated import Road
from tests.world import World

PRICE = 3_400


def test_a_top_up_is_a_journal_and_fills_the_balance(world: World) -> None:
    give_plan(world, micros=50_000_000)
    assert (balance(world).balance_micros, owed(world), owed(world, "bank")) == (50_000_000, -50_000_000, 50_000_000)
    assert problems(world) == []


def test_without_a_plan_there_is_nothing_to_top_up(world: World) -> None:
    with tenant_scope(world.bakery.id), pytest.raises(NoPlan):
        top_up(1, note="", by="Pat")


@pytest.mark.parametrize(("micros", "left"), [(2_000_000, 3_000_000), (-400_000, 600_000)])
def test_a_correction_gives_or_takes(world: World, micros: int, left: int) -> None:
    give_plan(world, micros=1_000_000)
    with tenant_scope(world.bakery.id):
        adjust(micros, note="as agreed", by="Pat")
    assert balance(world).balance_micros == left and problems(world) == []


def hold(world: World, number: PhoneNumber, *categories: str, **more: Any) -> list[str]:
    """Claims a message of each category. Returns why some are not paid for, and "" for the others."""
    claimed = [Claimed(uuid7(), category, more.pop("to", "16505551234"), **more) for category in categories]
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(number.id, "USD")
        assert funds
        refused = funds.hold(claimed)
    return [refused.get(each.message_id, "") for each in claimed]


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


def test_what_is_held_is_no_longer_available(world: World, number: PhoneNumber) -> None:
    give_plan(world, micros=2 * PRICE, markup={})
    assert hold(world, number, "utility", "utility", "utility") == ["", "", "used_up"]
    assert (balance(world).held_micros, balance(world).available_micros) == (2 * PRICE, 0)


def test_the_mark_up_is_held_too(world: World, number: PhoneNumber) -> None:
    give_plan(world, micros=2 * PRICE, markup={"utility": 1_000})
    assert hold(world, number, "utility", "utility") == ["", "used_up"]


def test_a_post_paid_tenant_may_owe_as_much_as_its_limit(world: World, number: PhoneNumber) -> None:
    give_plan(world, mode="postpaid", limit_micros=PRICE)
    assert hold(world, number, "utility", "utility") == ["", "used_up"]


def test_a_prepaid_balance_has_no_limit(world: World) -> None:
    with pytest.raises(IntegrityError):
        give_plan(world, limit_micros=1)


def test_an_unknown_price_is_held_at_the_highest_of_its_category(world: World, number: PhoneNumber) -> None:
    give_plan(world, micros=1_000_000)
    assert hold(world, number, "marketing", to=None) == [""]
    assert balance(world).held_micros == 159_700


def test_what_is_free_is_not_held(world: World, number: PhoneNumber) -> None:
    give_plan(world)
    assert hold(world, number, "marketing", is_free=True) == [""]
    assert hold(world, number, "service") == [""] and balance(world).held_micros == 0


def test_replies_after_the_free_ones_are_held(world: World, number: PhoneNumber) -> None:
    give_plan(world)
    with tenant_scope(world.bakery.id):
        month = balance(world).month
        db.session.add(ReplyCount(phone_number_id=number.id, month=month, free=999))
    assert hold(world, number, "service", "service") == ["", "used_up"]
    assert hold(world, number, "service") == ["used_up"]


def test_included_messages_are_not_held(world: World, number: PhoneNumber) -> None:
    give_plan(world, included_messages=2)
    assert hold(world, number, "utility", "utility", "utility") == ["", "", "used_up"]
    assert hold(world, number, "utility") == ["used_up"]


def test_marketing_stops_first_and_sign_in_codes_last(world: World, number: PhoneNumber) -> None:
    give_plan(world, micros=1_000_000, reserve_micros=980_000)
    assert hold(world, number, "marketing", "utility", "authentication") == ["used_up", "", ""]
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Balance).values(reserve_micros=1_990_000))
    assert hold(world, number, "marketing", "utility", "authentication") == ["used_up", "used_up", ""]


def test_a_monthly_cap_stops_marketing_then_the_rest_but_no_sign_in_codes(world: World, number: PhoneNumber) -> None:
    give_plan(world, micros=10_000_000, cap_micros=100_000, spent_micros=89_000)
    assert hold(world, number, "marketing", "utility", "authentication") == ["capped", "", ""]
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Balance).values(spent_micros=100_000))
    assert hold(world, number, "utility", "authentication") == ["capped", ""]


@pytest.mark.parametrize(
    ("stage", "outcome"),
    [
        ("open", ["", "", ""]),
        ("warned", ["", "", ""]),
        ("no_marketing", ["stopped", "", ""]),
        ("no_paid", ["stopped", "stopped", ""]),
        ("revoked", ["stopped", "stopped", "stopped"]),
    ],
)
def test_each_step_of_the_guard_stops_more(world: World, number: PhoneNumber, stage: str, outcome: list[str]) -> None:
    give_plan(world, micros=10_000_000, stage=stage)
    assert hold(world, number, "marketing", "utility", "service") == outcome


def test_a_delivered_message_is_charged_and_its_hold_ends(world: World, sent: Message) -> None:
    give_plan(world, micros=100_000)
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(sent.phone_number_id, "USD")
        assert funds and funds.hold([Claimed(sent.id, "marketing", "16505551234")]) == {}
    assert balance(world).held_micros == 25_000
    arrive_and_post(world, reported("delivered", priced()), reported("read"))
    assert (balance(world).held_micros, balance(world).balance_micros) == (0, 75_000)
    assert balance(world).spent_micros == 25_000 and problems(world) == []


def test_a_free_message_gives_its_hold_back(world: World, sent: Message) -> None:
    give_plan(world, micros=100_000)
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(sent.phone_number_id, "USD")
        assert funds and funds.hold([Claimed(sent.id, "marketing", "16505551234")]) == {}
    arrive_and_post(world, reported("delivered", priced("free_entry_point")))
    assert (balance(world).held_micros, balance(world).balance_micros) == (0, 100_000)


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
def test_what_did_not_go_out_gives_its_hold_back(world: World, sent: Message, state: str) -> None:
    give_plan(world, micros=100_000)
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(sent.phone_number_id, "USD")
        assert funds and funds.hold([Claimed(sent.id, "marketing", "16505551234")]) == {}
        assert release_lost() == 0
        db.session.execute(update(Message).values(state=state))
        assert release_lost() == 1
    assert balance(world).held_micros == 0 and problems(world) == []


def test_a_hold_ends_when_meta_can_no_longer_deliver(world: World, sent: Message) -> None:
    give_plan(world, micros=100_000)
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(sent.phone_number_id, "USD")
        assert funds and funds.hold([Claimed(sent.id, "marketing", "16505551234")]) == {}
        db.session.execute(update(Hold).values(expires_at=text("now() - interval '1 s'")))
    with tenant_scope(world.bakery.id):
        assert release_lost() == 1


def test_a_message_that_is_claimed_again_is_held_once(world: World, sent: Message) -> None:
    give_plan(world, micros=26_000)
    for _ in range(3):
        with tenant_scope(world.bakery.id):
            funds = Funds.locked(sent.phone_number_id, "USD")
            assert funds and funds.hold([Claimed(sent.id, "marketing", "16505551234")]) == {}
    assert balance(world).held_micros == 25_000 and problems(world) == []


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_in_whatever_order_the_balance_is_never_below_zero(
    world: World, sent: Message, seed: int
) -> None:
    import random

    chance, wamids = random.Random(seed), iter(range(10_000))
    give_plan(world, micros=300_000)
    for _ in range(30):
        step = chance.choice(["claim", "claim", "deliver", "fail", "top up"])
        if step == "claim":
            hold(world, PhoneNumber(id=sent.phone_number_id), chance.choice(["utility", "marketing"]))
        elif step == "top up":
            with tenant_scope(world.bakery.id):
                top_up(chance.randint(1, 30_000), note="", by="Pat")
        elif step == "fail":
            with tenant_scope(world.bakery.id):
                release_lost()
        else:
            deliver_one(world, sent, next(wamids), chance)
        assert balance(world).available_micros >= 0 and problems(world) == []


def deliver_one(world: World, sent: Message, number: int, chance: Any) -> None:
    """A message that is paid for arrives, twice."""
    with tenant_scope(world.bakery.id):
        message = Message.outbound(
            Conversation.get_or_404(sent.conversation_id),
            Outgoing("text", "x"),
            by=Actor.agent(world.ann),
            client_id=uuid.uuid4(),
        )
        message.state, message.wamid = "accepted", f"wamid.{number}"
        db.session.add(message)
        db.session.flush()
        funds = Funds.locked(sent.phone_number_id, "USD")
        assert funds
        refused = funds.hold([Claimed(message.id, "marketing", "16505551234")])
    if not refused:
        arrive_and_post(world, *[reported("delivered", priced(), wamid=f"wamid.{number}")] * chance.randint(1, 2))


def test_an_alert_is_mailed_once_for_each_threshold(world: World, sent: Message, enqueued: Any) -> None:
    give_plan(world, micros=10_000_000, cap_micros=100_000)
    arrive_and_post(world, *(reported("delivered", priced(), wamid=f"wamid.{n}") for n in range(3)))
    assert balance(world).alerted == 0
    arrive_and_post(world, reported("delivered", priced(category="utility"), wamid="wamid.u"))
    arrive_and_post(world, reported("delivered", priced(), wamid="wamid.5"))
    assert balance(world).alerted == 100


def test_the_mail_says_what_is_left(world: World, app: Any, settings: Any) -> None:
    import pathlib
    from urllib.parse import urlsplit

    give_plan(world, micros=10_000_000, cap_micros=100_000, spent_micros=85_000)
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Balance).values(alerted=80))
    folder = pathlib.Path(urlsplit(settings.mail_url).path)
    # Other tests leave mails there.
    before = set(folder.glob("*.eml"))
    with tenant_scope(world.bakery.id):
        mail_alert(80)
    (mail,) = set(folder.glob("*.eml")) - before
    words = mail.read_text()
    mail.unlink()
    assert "ann@example.com" in words and "US$0.08" in words and "/t/bakery/costs" in words


def test_the_gate_refuses_what_the_balance_does_not_cover(road: Road) -> None:
    conversation = road.customer_writes()
    give_plan(road.world)
    with tenant_scope(road.world.bakery.id):
        month = balance(road.world).month
        db.session.add(ReplyCount(phone_number_id=road.number.id, month=month, free=1_000))
    with pytest.raises(NotFunded) as refusal:
        road.reply(conversation, "Hello")
    assert refusal.value.facts == {"why": "used_up"}
    assert "doesn't cover" in refusal.value.explain()
    with tenant_scope(road.world.bakery.id):
        top_up(PRICE, note="", by="Pat")
    road.reply(conversation, "Hello")


def test_a_message_that_is_not_paid_for_waits_with_the_reason_until_it_is(road: Road) -> None:
    conversation = road.customer_writes()
    give_plan(road.world, micros=PRICE)
    with tenant_scope(road.world.bakery.id):
        month = balance(road.world).month
        db.session.add(ReplyCount(phone_number_id=road.number.id, month=month, free=1_000))
    _first, second = road.reply(conversation, "one"), road.reply(conversation, "two")
    road.deliver()
    assert (road.state_of(second), len(road.meta.accepted())) == ("queued", 1)
    with tenant_scope(road.world.bakery.id):
        assert "doesn't cover" in Story.of_message(second.id).verdict.why
        top_up(PRICE, note="", by="Pat")
        db.session.execute(FUND, {"tenant": road.world.bakery.id})
    road.deliver()
    assert len(road.meta.accepted()) == 2 and road.reload(second).attempts == 1


def test_a_balance_for_exactly_so_many_messages_sends_exactly_so_many(road: Road) -> None:
    """8 workers claim from two numbers with 300 queued messages, and the balance covers 60 of them."""
    count, paid = 300, 60
    give_plan(road.world, micros=paid * PRICE)
    queue(road, count)
    claim_all(road, [road.number, move_half(road)], workers=8)
    with tenant_scope(road.world.bakery.id):
        states = dict(db.session.execute(select(Message.state, func.count()).group_by(Message.state)).all())
    assert states["dispatching"] == paid and states["queued"] == count - paid
    assert balance(road.world).available_micros == 0 and problems(road.world) == []


def queue(road: Road, count: int) -> None:
    """Utility messages to as many people, put into the outbox at once."""
    with tenant_scope(road.world.bakery.id):
        month = Balance.current().month  # type: ignore[union-attr]
        db.session.add(ReplyCount(phone_number_id=road.number.id, month=month, free=1_000))
        mine = {"tenant": road.world.bakery.id, "number": road.number.id, "count": count}
        for statement in QUEUE.split(";"):
            db.session.execute(text(statement), mine)


QUEUE = """
    insert into contacts (tenant_id, id, name, created_at)
    select :tenant, gen_random_uuid(), 'P' || n, now() from generate_series(1, :count) n;
    insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
    select :tenant, gen_random_uuid(), id, 'wa_id', '1650' || lpad(substr(name, 2), 7, '0'), now()
    from contacts where tenant_id = :tenant and name like 'P%';
    insert into conversations (tenant_id, id, phone_number_id, contact_id, last_inbound_at, last_message_at, state,
        unread_count, last_message_preview, last_message_state, created_at)
    select :tenant, gen_random_uuid(), :number, id, now(), now(), 'open', 0, '', 'queued', now()
    from contacts where tenant_id = :tenant and name like 'P%';
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, state, lane,
        occurred_at, created_at, fence, attempts)
    select :tenant, gen_random_uuid(), id, phone_number_id, 'outbound', 'text', 'Hello', 'queued', 'replies',
        now(), now(), 0, 0
    from conversations where tenant_id = :tenant
"""


def move_half(road: Road) -> PhoneNumber:
    """To a second number of the business: a number's own lock keeps its workers apart already."""
    stall = road.another_number("+1 555 078 3899")
    with tenant_scope(road.world.bakery.id):
        db.session.add(ReplyCount(phone_number_id=stall.id, month=balance(road.world).month, free=1_000))
        mine = {"tenant": road.world.bakery.id, "number": stall.id}
        for table, column in (("conversations", "id"), ("messages", "conversation_id")):
            half = f"substr({column}::text, 36, 1) < '8'"
            moved = f"update {table} set phone_number_id = :number where tenant_id = :tenant and {half}"
            db.session.execute(text(moved), mine)
    return stall


def claim_all(road: Road, numbers: list[PhoneNumber], workers: int) -> None:
    def work(number: PhoneNumber) -> None:
        with road.app.app_context():
            idle = 0
            while idle < 5:
                with tenant_scope(road.world.bakery.id):
                    lane = Lane(PhoneNumber.get_or_404(number.id))
                    lane.max_in_flight = 192
                    before = queued_now()
                    lane.claim_due(192)
                    idle = 0 if queued_now() < before else idle + 1

    threads = [threading.Thread(target=work, args=(numbers[n % len(numbers)],)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def queued_now() -> int:
    due = (Message.state == "queued") & Message.next_attempt_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(Message).where(due)) or 0


def test_plans_in_another_currency_than_the_card_hold_nothing_unknown(world: World, number: PhoneNumber) -> None:
    """Currencies without a card have no price to hold; what is charged is posted once a card is loaded."""
    with platform_scope("tests"):
        db.session.add(plan := Plan(name="Rupees", currency="INR"))
    with tenant_scope(world.bakery.id):
        db.session.add(Balance(plan_id=plan.id, currency="INR", month=balance_month()))
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(number.id, "INR")
        assert funds and funds.hold([Claimed(uuid7(), "utility", "16505551234")]) == {}
    arrive(reported("delivered", priced()))
    assert post(world) == 1


def balance_month() -> Any:
    from app.tenancy import now

    return now().date().replace(day=1)
