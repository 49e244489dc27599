"""Each figure of a small world, worked out by hand."""

from __future__ import annotations

import datetime as dt

from app.analytics.figures import Report, Timing
from app.tenancy import Actor

from .conftest import Bakery, berlin

MINUTE = 60
BOT = Actor("assistant", None, "Assistant")


def timing(report: Report, kind: str = "first_response") -> Timing:
    return report.fact(kind).timing


def test_a_first_response_takes_from_the_first_message_to_the_reply_of_a_person(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"))
    bakery.hears(berlin(5, "10:05"))
    bakery.says(berlin(5, "10:20"), bakery.ben)
    bakery.hears(berlin(5, "10:30"))
    bakery.says(berlin(5, "10:40"), bakery.ben)
    bakery.count()
    with bakery.scope():
        report = bakery.report(5)
        assert (report.fact("first_response").count, timing(report).median) == (1, 20 * MINUTE)
        assert (report.fact("next_response").count, timing(report, "next_response").median) == (1, 10 * MINUTE)


def test_an_automatic_reply_is_no_first_response(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"))
    bakery.says(berlin(5, "10:01"), BOT)
    bakery.says(berlin(5, "10:15"), bakery.ben)
    bakery.count()
    with bakery.scope():
        report = bakery.report(5)
        assert timing(report).median == 15 * MINUTE
        assert {name: figure.count for name, figure in report.answers.items()} == {"assistant": 1}
        assert report.answers["assistant"].timing.median == MINUTE


def test_a_customer_who_writes_again_after_an_automatic_reply_waits_from_then_on(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"))
    bakery.says(berlin(5, "10:01"), BOT)
    bakery.hears(berlin(5, "10:10"))
    bakery.says(berlin(5, "10:15"), bakery.ben)
    bakery.count()
    with bakery.scope():
        assert timing(bakery.report(5)).median == 5 * MINUTE


def test_out_of_office_replies_notifications_and_campaigns_are_no_replies(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"))
    bakery.says(berlin(5, "10:01"), Actor.system("away"))
    bakery.says(berlin(5, "10:02"), Actor("api", None, "Shop"), source="notification")
    bakery.says(berlin(5, "10:03"), Actor("campaign", None, "Sunday"))
    bakery.count()
    with bakery.scope():
        report = bakery.report(5)
        assert not report.answers and not report.fact("first_response").count
        assert report.fact("promise").missed == 1


def test_outside_business_hours_no_time_passes(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "16:50"))
    bakery.says(berlin(6, "09:10"), bakery.ben)
    bakery.count()
    with bakery.scope():
        report = bakery.report(6)
        assert timing(report).median == 16 * 3600 + 20 * MINUTE and timing(report).open_median == 20 * MINUTE
        assert report.fact("promise").missed == 0


def test_half_are_as_quick_as_the_median_and_nine_in_ten_as_the_90th_percentile(bakery: Bakery) -> None:
    for minutes in range(1, 11):
        bakery.hears(berlin(5, "10:00"), f"Customer {minutes}")
        bakery.says(berlin(5, f"10:{minutes:02}"), bakery.ben, f"Customer {minutes}")
    bakery.count()
    with bakery.scope():
        assert (timing(bakery.report(5)).median, timing(bakery.report(5)).p90) == (5 * MINUTE, 9 * MINUTE)


def test_a_target_time_that_passed_without_a_reply_is_missed_once_it_has_come(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"), "In time")
    bakery.says(berlin(5, "10:30"), bakery.ben, "In time")
    bakery.hears(berlin(5, "10:00"), "Late")
    bakery.says(berlin(5, "10:31"), bakery.ben, "Late")
    bakery.hears(berlin(5, "10:00"), "Never")
    bakery.hears(berlin(30, "11:45"), "Not yet due")
    bakery.count()
    with bakery.scope():
        assert (bakery.report(5).fact("promise").count, bakery.report(5).fact("promise").missed) == (3, 2)
        assert bakery.report(30).fact("promise").count == 0


def test_opened_resolved_and_reopened_count_on_their_own_days(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"))
    bakery.says(berlin(5, "10:10"), bakery.ben)
    bakery.does(berlin(5, "11:00"), "resolved", bakery.ben)
    bakery.hears(berlin(8, "10:00"))
    bakery.does(berlin(8, "10:00"), "answered", None)
    bakery.says(berlin(8, "10:30"), bakery.ann)
    bakery.does(berlin(8, "12:00"), "resolved", bakery.ann)
    bakery.count()
    with bakery.scope():
        counts = [
            [bakery.report(day).fact(kind).count for kind in ("opened", "reopened", "resolved")] for day in (5, 8)
        ]
        assert counts == [[1, 0, 1], [0, 1, 1]]
        assert timing(bakery.report(5), "resolved").median == 60 * MINUTE
        assert timing(bakery.report(8), "resolved").median == 120 * MINUTE
        # After a resolution, the first response is a first one again.
        assert timing(bakery.report(8)).median == 30 * MINUTE


def test_what_is_reopened_within_a_day_was_not_solved(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"))
    bakery.does(berlin(5, "11:00"), "resolved", bakery.ben)
    bakery.does(berlin(6, "11:00"), "answered", None)
    bakery.does(berlin(6, "12:00"), "resolved", bakery.ben)
    bakery.does(berlin(7, "12:01"), "open", bakery.ben)
    bakery.count()
    with bakery.scope():
        assert [bakery.report(day).fact("resolved").met for day in (5, 6)] == [0, 1]


def test_a_conversation_that_we_began_has_no_first_response(bakery: Bakery) -> None:
    bakery.says(berlin(5, "10:00"), bakery.ben)
    bakery.hears(berlin(5, "10:10"))
    bakery.says(berlin(5, "10:12"), bakery.ben)
    bakery.count()
    with bakery.scope():
        report = bakery.report(5)
        assert (report.fact("first_response").count, report.fact("next_response").count) == (0, 1)
        assert report.fact("opened").count == 1


def test_imported_history_reactions_and_what_never_went_out_count_nowhere(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"), content={"history": True})
    bakery.says(berlin(5, "10:01"), Actor.phone(), content={"history": True})
    bakery.hears(berlin(5, "10:00"), created_at=berlin(29, "10:00"))
    bakery.says(berlin(5, "10:02"), bakery.ben, type="reaction")
    bakery.says(berlin(5, "10:03"), bakery.ben, state="cancelled")
    bakery.says(berlin(5, "10:04"), bakery.ben, state="scheduled")
    bakery.hears(berlin(5, "10:05"), type="system")
    bakery.count()
    with bakery.scope():
        report = bakery.report(5)
        assert not report.facts and not report.messages


def test_days_are_those_of_the_business_also_where_clocks_go_back(bakery: Bakery) -> None:
    """25 October 2026 has 25 hours in Berlin: 02:30 comes twice."""
    for at in (berlin(24, "23:59"), berlin(25, "00:00"), berlin(25, "02:30"), berlin(25, "02:30", fold=1)):
        bakery.hears(at)
    bakery.hears(berlin(25, "23:59"))
    bakery.hears(berlin(26, "00:00"))
    bakery.count()
    with bakery.scope():
        report = bakery.report(24, 26)
        assert [day["in"] for day in report.days.values()] == [1, 4, 1]
        assert report.hours == {(5, 23): 1, (6, 0): 1, (6, 2): 2, (6, 23): 1, (0, 0): 1}
        assert [bakery.report(day).received() for day in (24, 25, 26)] == [1, 4, 1]


def test_statuses_that_come_late_count_on_the_day_of_the_message(bakery: Bakery) -> None:
    bakery.says(berlin(5, "10:00"), bakery.ben, state="read")
    bakery.says(berlin(5, "10:01"), bakery.ben, "Dora", state="sent")
    bakery.says(berlin(5, "10:02"), bakery.ben, "Emil", state="failed")
    bakery.says(berlin(5, "10:03"), bakery.ben, "Fritz", state="failed", wamid=None)
    bakery.hears(berlin(6, "09:59"))
    bakery.hears(berlin(6, "10:02"), "Dora")
    bakery.count()
    with bakery.scope():
        counts = bakery.report(5).funnel.counts
    assert counts["messages"] == 4 and counts["accepted"] == 3
    # Carla wrote within a day, Dora a minute later than that.
    assert (counts["sent"], counts["delivered"], counts["read"], counts["replied"]) == (2, 1, 1, 1)
    assert counts["failed"] == 2


def test_ratings_belong_to_whoever_replied_last_and_an_answer_to_the_survey_is_not_waiting(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"))
    bakery.says(berlin(5, "10:01"), bakery.ben)
    bakery.says(berlin(5, "10:02"), bakery.ann)
    bakery.does(berlin(5, "10:05"), "resolved", bakery.ben)
    survey = bakery.says(berlin(5, "10:05"), Actor.system("survey"))
    raw = {"button_reply": {"id": "survey-good"}}
    bakery.hears(berlin(7, "10:05"), type="interactive", content={"raw": raw})
    bakery.rates(berlin(7, "10:05"), "good", survey)
    bakery.count()
    with bakery.scope():
        (rating,) = bakery.report(7).ratings("agent")
        assert (rating.key, rating.scores["good"], rating.percent) == (str(bakery.world.ann.id), 1, 100)
        assert not bakery.report(7).fact("promise").count


def test_an_agent_has_figures_of_their_own(bakery: Bakery) -> None:
    bakery.hears(berlin(5, "10:00"))
    bakery.says(berlin(5, "10:10"), bakery.ben)
    bakery.hears(berlin(5, "10:20"))
    bakery.says(berlin(5, "10:25"), bakery.ann)
    bakery.says(berlin(5, "10:26"), bakery.ann)
    bakery.count()
    with bakery.scope():
        agents = {agent.id: agent for agent in bakery.report(5).agents}
        ann, ben = agents[bakery.world.ann.id], agents[bakery.world.ben.id]
        assert (ann.replies, ann.conversations, ben.replies, ben.conversations) == (2, 1, 1, 1)
        assert ben.fact("first_response").timing.median == 10 * MINUTE
        mine = bakery.report(5, who=bakery.world.ben.id)
        assert (mine.outbound(), mine.received(), mine.fact("next_response").count) == (1, 0, 0)


def test_a_period_is_compared_with_as_many_days_before_up_to_the_same_time(bakery: Bakery) -> None:
    """It is noon of 30 October."""
    bakery.hears(berlin(29, "11:44"))
    bakery.hears(berlin(29, "12:01"))
    bakery.hears(berlin(30, "11:00"))
    bakery.count()
    with bakery.scope():
        report = bakery.report(30)
        assert (report.received(), report.received(is_now=False)) == (1, 1)
        assert report.period.before_start == dt.datetime(2026, 10, 28, 23, tzinfo=dt.UTC)
