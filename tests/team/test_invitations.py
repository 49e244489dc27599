import datetime as dt
import threading

import pytest
import rq
import time_machine
from flask import Flask
from rq.serializers import JSONSerializer

from app import tokens
from app.team import jobs
from app.team.models import Invitation
from app.tenancy import Membership, Role, User, now, tenant_scope, uuid7
from app.tenancy.models import InvitationRoute
from tests.client import Browser
from tests.team.helpers import (
    PASSWORD,
    accept,
    deliver_mails,
    invite,
    is_in,
    member,
    membership,
    rows,
    sign_in,
    token_in,
    user_with,
)
from tests.team.test_members import join
from tests.world import World


def test_an_invitation_goes_out_by_mail(ann: Browser) -> None:
    answer = ann.post("~/team/invitations", {"emails": "Ned@Example.com", "role": "agent"})
    assert answer.location == "/t/bakery/team"
    [(to, subject, words)] = deliver_mails()
    assert (to, subject) == ("ned@example.com", "Join Bakery on Switchboard")
    assert "Ann (ann@example.com) invites you to join Bakery" in words


def test_several_addresses_at_once_are_taken_however_they_are_written(ann: Browser) -> None:
    ann.post("~/team/invitations", {"emails": "a@x.com, B@X.com;c@x.com\n <d@x.com>  a@x.com", "role": "admin"})
    assert sorted(each.email for each in rows(Invitation)) == ["a@x.com", "b@x.com", "c@x.com", "d@x.com"]
    assert {each.role for each in rows(Invitation)} == {"admin"}


@pytest.mark.parametrize("emails", ["", "  ", "nobody", "a@x.com, nobody", " ".join(f"u{n}@x.com" for n in range(21))])
def test_addresses_that_will_not_do_send_no_invitation(ann: Browser, emails: str) -> None:
    answer = ann.post("~/team/invitations", {"emails": emails, "role": "agent"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert rows(Invitation) == []


def test_a_colleague_is_not_invited_again(ann: Browser) -> None:
    ann.post("~/team/invitations", {"emails": "ben@example.com", "role": "agent"})
    assert rows(Invitation) == []
    assert "Already in the team: ben@example.com" in ann.get("~/team").text


def test_inviting_is_not_for_agents_and_not_for_strangers(ben: Browser, sue: Browser) -> None:
    form = {"emails": "ned@example.com", "role": "agent"}
    assert ben.post("~/team/invitations", form).status_code == 403
    assert sue.post("~/team/invitations", form).status_code == 404
    assert rows(Invitation) == []


def test_an_admin_offers_no_owners_seat(app: Flask, world: World) -> None:
    ada = Browser(app, tenant="bakery").signed_in_as(join(world.bakery, "ada", Role.ADMIN))
    assert ada.post("~/team/invitations", {"emails": "n@x.com", "role": "owner"}).status_code == 422
    assert rows(Invitation) == []


def test_open_invitations_are_listed(ann: Browser) -> None:
    invite(ann)
    assert "ned@example.com" in ann.get("~/team").text


def test_somebody_new_joins_with_a_name_and_a_password(ann: Browser, browser: Browser, world: World) -> None:
    link = invite(ann, role="admin")
    assert "Join Bakery" in browser.get(link).text
    assert accept(browser, link).location == "/t/bakery/"
    assert is_in(browser)
    assert member(world.bakery, user_with("ned@example.com")).role == "admin"
    assert "ned@example.com" in ann.get("~/team").text


def test_somebody_known_signs_in_first_and_then_joins(ann: Browser, browser: Browser, world: World) -> None:
    link = invite(ann, "sue@example.com")
    assert "Sign in to join" in browser.get(link).text
    assert accept(browser, link).status_code == 403
    sign_in(browser, "sue@example.com", next=link)
    assert accept(browser, link).location == "/t/bakery/"
    assert member(world.bakery, world.sue).role == "agent"


def test_somebody_elses_session_gets_an_error(ann: Browser, ben: Browser, world: World) -> None:
    link = invite(ann, "sue@example.com")
    page = ben.get(link).text
    assert "You are signed in as ben@example.com" in page
    assert accept(ben, link).status_code == 403
    assert membership(world.bakery, world.sue) is None


def test_a_wrong_guest_may_sign_out_and_comes_back(ann: Browser, ben: Browser) -> None:
    link = invite(ann, "sue@example.com")
    assert ben.post("/sign-out", {"next": link}).location == link
    assert "Sign in to join" in ben.get(link).text


def test_an_admins_browser_does_not_join(ann: Browser, pat: Browser) -> None:
    link = invite(ann, "pat@example.com")
    assert "You are signed in as pat@example.com" in pat.get(link).text


def test_an_invitation_works_once(ann: Browser, browser: Browser, other: Browser) -> None:
    link = invite(ann)
    accept(browser, link)
    assert other.get(link).status_code == 410
    assert accept(other, link).status_code == 410
    assert not is_in(other)


def test_two_who_accept_at_once_get_one_seat(ann: Browser, app: Flask, world: World) -> None:
    invite(ann)
    offered, start, outcomes = rows(Invitation)[0], threading.Barrier(4), []

    def take(number: int) -> None:
        user = User(id=uuid7(), email="ned@example.com", name=f"Ned {number}", password_hash="!")
        with app.app_context():
            start.wait()
            outcomes.append(offered.accept(user))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]
    assert len(rows(Membership)) == 4


def test_an_invitation_works_for_a_week(ann: Browser, browser: Browser) -> None:
    link = invite(ann)
    with time_machine.travel(now() + dt.timedelta(days=7, seconds=1), tick=False):
        assert browser.get(link).status_code == 410
        assert accept(browser, link).status_code == 410


def test_sending_again_makes_a_new_link_and_kills_the_old(ann: Browser, browser: Browser) -> None:
    old = invite(ann)
    ann.post(f"~/team/invitations/{rows(Invitation)[0].id}/renewal")
    new = deliver_mails()[0][2]
    assert browser.get(old).status_code == 410
    assert browser.get(f"/invitation?token={token_in(new)}").status_code == 200
    assert len(rows(Invitation)) == len(rows(InvitationRoute)) == 1


def test_an_invitation_with_another_role_kills_the_link_before(ann: Browser, browser: Browser, world: World) -> None:
    old, new = invite(ann, role="admin"), invite(ann, role="agent")
    assert browser.get(old).status_code == 410
    accept(browser, new)
    assert member(world.bakery, user_with("ned@example.com")).role == "agent"


def test_an_invitation_taken_back_is_dead(ann: Browser, browser: Browser) -> None:
    link = invite(ann)
    ann.post(f"~/team/invitations/{rows(Invitation)[0].id}/withdrawal")
    assert browser.get(link).status_code == 410
    assert rows(Invitation) == rows(InvitationRoute) == []


@pytest.mark.parametrize("change", ["removal", "role"])
def test_an_invitation_dies_with_its_inviters_right(
    app: Flask, ann: Browser, browser: Browser, world: World, change: str
) -> None:
    ada = join(world.bakery, "ada", Role.ADMIN)
    link = invite(Browser(app, tenant="bakery").signed_in_as(ada))
    ann.confirmed().post(f"~/team/members/{member(world.bakery, ada).id}/{change}", {"role": "agent"})
    assert browser.get(link).status_code == 410


@pytest.mark.parametrize("act", ["renewal", "withdrawal"])
def test_open_invitations_are_not_for_agents_and_not_for_strangers(
    ann: Browser, ben: Browser, sue: Browser, act: str
) -> None:
    link = invite(ann)
    path = f"~/team/invitations/{rows(Invitation)[0].id}/{act}"
    assert ben.post(path).status_code == 403
    assert sue.post(path).status_code == 404
    assert sue.post(path.replace("~", "/t/shoes")).status_code == 404
    assert ann.get(link).status_code == 200


@pytest.mark.parametrize("act", ["renewal", "withdrawal"])
def test_an_admin_cannot_touch_an_owners_invitation(app: Flask, ann: Browser, world: World, act: str) -> None:
    invite(ann, role="owner")
    ada = Browser(app, tenant="bakery").signed_in_as(join(world.bakery, "ada", Role.ADMIN))
    assert ada.post(f"~/team/invitations/{rows(Invitation)[0].id}/{act}").status_code == 403


def test_an_accepted_invitation_cannot_be_sent_again(ann: Browser, browser: Browser) -> None:
    accept(browser, invite(ann))
    assert ann.post(f"~/team/invitations/{rows(Invitation)[0].id}/renewal").status_code == 404


def test_somebody_removed_can_be_invited_again(ann: Browser, browser: Browser, world: World) -> None:
    accept(browser, invite(ann))
    ned = user_with("ned@example.com")
    ann.confirmed().post(f"~/team/members/{member(world.bakery, ned).id}/removal")
    accept(browser, invite(ann, role="admin"))
    assert member(world.bakery, ned).role == "admin"


@pytest.mark.parametrize("wrong", [{"name": ""}, {"password": "short"}, {"password": "ned@example.com"}])
def test_a_form_that_will_not_do_takes_no_seat(ann: Browser, browser: Browser, wrong: dict[str, str]) -> None:
    link = invite(ann)
    assert accept(browser, link, **wrong).status_code == 422
    assert accept(browser, link).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "☃"])
def test_a_made_up_link_is_dead(browser: Browser, token: str) -> None:
    assert browser.get("/invitation", query_string={"token": token}).status_code == 410
    assert browser.post("/invitation", {"token": token, "name": "N", "password": PASSWORD}).status_code == 410


def test_a_token_signed_for_something_else_is_dead(ann: Browser, browser: Browser) -> None:
    invite(ann)
    token = tokens.sign("password reset", rows(Invitation)[0].id)
    assert browser.get(f"/invitation?token={token}").status_code == 410


def test_a_job_carries_no_secret(ann: Browser, app: Flask, world: World) -> None:
    invite(ann)
    queue = rq.Queue("default", connection=app.extensions["outside"].redis, serializer=JSONSerializer)
    assert [job.args for job in queue.jobs] == [[str(world.bakery.id), str(rows(Invitation)[0].id)]]


def test_the_sweep_enqueues_again_what_was_not_mailed(ann: Browser, app: Flask) -> None:
    ann.post("~/team/invitations", {"emails": "ned@example.com", "role": "agent"})
    redis = app.extensions["outside"].redis
    redis.flushall()
    with time_machine.travel(now() + dt.timedelta(seconds=31), tick=False):
        jobs.resend_mails()
    assert rq.Queue("default", connection=redis, serializer=JSONSerializer).count == 1


def test_a_member_who_accepts_has_the_same_seat(world: World) -> None:
    with tenant_scope(world.bakery.id):
        offered = Invitation.offer("ben@example.com", Role.ADMIN, by=None)
    assert offered.accept(world.ben)
    assert member(world.bakery, world.ben).role == "agent"
