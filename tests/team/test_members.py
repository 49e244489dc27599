import threading

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from werkzeug.exceptions import Forbidden

from app.tenancy import Membership, Role, Tenant, User, db, global_scope, tenant_scope
from app.tenancy.models import LastOwner, UserTenant, admit
from tests.client import Browser
from tests.team.helpers import is_in, member, membership, rows
from tests.world import World, person


def seat(tenant: Tenant, user: User) -> str:
    """The path of a member's seat."""
    return f"~/team/members/{member(tenant, user).id}"


def join(tenant: Tenant, name: str, role: Role) -> User:
    user = person(name)
    with tenant_scope(tenant.id):
        admit(user, role)
    return user


@pytest.fixture
def ann(ann: Browser) -> Browser:
    """The owner, who has just given her password."""
    return ann.confirmed()


@pytest.fixture
def ada(app: Flask, world: World) -> Browser:
    """An admin of Bakery, signed in."""
    return Browser(app, tenant="bakery").signed_in_as(join(world.bakery, "ada", Role.ADMIN)).confirmed()


def test_the_team_page_lists_everybody_and_their_roles(ann: Browser) -> None:
    page = ann.get("~/team").text
    assert "ann@example.com" in page
    assert "ben@example.com" in page
    assert "sue@example.com" not in page


def test_the_team_page_is_not_for_agents(ben: Browser) -> None:
    assert ben.get("~/team").status_code == 403


def test_the_team_page_does_not_exist_for_strangers(sue: Browser) -> None:
    assert sue.get("~/team").status_code == 404


def test_the_team_page_is_not_for_platform_admins(pat: Browser) -> None:
    assert pat.get("/t/bakery/team").status_code == 303


def test_an_owner_changes_a_role(ann: Browser, world: World) -> None:
    answer = ann.post(seat(world.bakery, world.ben) + "/role", {"role": "admin"})
    assert answer.location == "/t/bakery/team"
    assert member(world.bakery, world.ben).role == "admin"


def test_a_role_counts_from_the_next_request(ann: Browser, ben: Browser, world: World) -> None:
    ann.post(seat(world.bakery, world.ben) + "/role", {"role": "admin"})
    assert ben.get("~/team").status_code == 200
    ann.post(seat(world.bakery, world.ben) + "/role", {"role": "agent"})
    assert ben.get("~/team").status_code == 403


@pytest.mark.parametrize("act", ["role", "removal"])
def test_changing_a_team_is_not_for_agents(ben: Browser, world: World, act: str) -> None:
    assert ben.post(f"{seat(world.bakery, world.ben)}/{act}", {"role": "owner"}).status_code == 403
    assert member(world.bakery, world.ben).role == "agent"


@pytest.mark.parametrize("act", ["role", "removal"])
def test_a_strangers_team_does_not_exist(sue: Browser, world: World, act: str) -> None:
    assert sue.post(f"{seat(world.bakery, world.ben)}/{act}", {"role": "owner"}).status_code == 404
    assert member(world.bakery, world.ben).role == "agent"


@pytest.mark.parametrize("act", ["role", "removal"])
def test_a_strangers_member_does_not_exist_in_ones_own_team(sue: Browser, world: World, act: str) -> None:
    path = seat(world.bakery, world.ben).replace("~", "/t/shoes")
    assert sue.confirmed().post(f"{path}/{act}", {"role": "admin"}).status_code == 404
    assert member(world.bakery, world.ben).role == "agent"


@pytest.mark.parametrize("role", ["boss", "", "OWNER"])
def test_a_role_that_does_not_exist_is_refused(ann: Browser, world: World, role: str) -> None:
    assert ann.post(seat(world.bakery, world.ben) + "/role", {"role": role}).status_code == 403


def test_an_admin_changes_agents_and_admins(ada: Browser, world: World) -> None:
    ada.post(seat(world.bakery, world.ben) + "/role", {"role": "admin"})
    assert member(world.bakery, world.ben).role == "admin"


@pytest.mark.parametrize(("act", "role"), [("role", "agent"), ("role", "admin"), ("removal", "")])
def test_an_admin_cannot_touch_an_owner(ada: Browser, world: World, act: str, role: str) -> None:
    join(world.bakery, "oda", Role.OWNER)
    assert ada.post(f"{seat(world.bakery, world.ann)}/{act}", {"role": role}).status_code == 403
    assert member(world.bakery, world.ann).role == "owner"


def test_an_admin_cannot_make_an_owner(ada: Browser, world: World) -> None:
    assert ada.post(seat(world.bakery, world.ben) + "/role", {"role": "owner"}).status_code == 403
    assert 'value="owner"' not in ada.get("~/team").text


def test_the_last_owner_stays_owner(ann: Browser, world: World) -> None:
    ann.post(seat(world.bakery, world.ann) + "/role", {"role": "agent"})
    ann.post(seat(world.bakery, world.ann) + "/removal")
    assert member(world.bakery, world.ann).role == "owner"
    assert "is the only owner" in ann.get("~/team").text


def test_one_of_two_owners_may_step_down_and_is_led_home(ann: Browser, world: World) -> None:
    join(world.bakery, "oda", Role.OWNER)
    answer = ann.post(seat(world.bakery, world.ann) + "/role", {"role": "agent"})
    assert answer.location == "/"
    assert member(world.bakery, world.ann).role == "agent"


def test_two_owners_who_demote_each_other_at_once_leave_one(app: Flask, world: World) -> None:
    oda = join(world.bakery, "oda", Role.OWNER)
    start = threading.Barrier(2)

    def demote(one: User, other: User) -> None:
        with app.app_context(), tenant_scope(world.bakery.id):
            by, theirs = member_here(one), member_here(other)
            start.wait()
            try:
                theirs.change_role(Role.AGENT, by=by)
            except (Forbidden, LastOwner):
                db.session.rollback()

    threads = [threading.Thread(target=demote, args=pair) for pair in ((world.ann, oda), (oda, world.ann))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    roles = {member(world.bakery, user).role for user in (world.ann, oda)}
    assert roles == {"owner", "agent"}


def member_here(user: User) -> Membership:
    return db.session.scalars(select(Membership).where(Membership.user_id == user.id)).one()


def test_removal_counts_from_the_next_request(ann: Browser, ben: Browser, world: World) -> None:
    assert ben.get("~/account").status_code == 200
    ann.post(seat(world.bakery, world.ben) + "/removal")
    assert ben.get("~/account").status_code == 404
    assert ben.get("~/").status_code == 404
    assert is_in(ben)


def test_removal_takes_the_business_off_the_list(ann: Browser, ben: Browser, world: World) -> None:
    ann.post(seat(world.bakery, world.ben) + "/removal")
    assert "You aren't in a business yet" in ben.get("/businesses").text
    with global_scope():
        assert db.session.query(UserTenant).filter_by(user_id=world.ben.id).count() == 0
    assert len(rows(User)) == 3


def test_somebody_removed_may_come_back(ann: Browser, ben: Browser, world: World) -> None:
    ann.post(seat(world.bakery, world.ben) + "/removal")
    with tenant_scope(world.bakery.id):
        admit(db.session.get_one(User, world.ben.id), Role.AGENT)
    assert ben.get("~/account").status_code == 200


def test_an_owner_may_leave_when_there_is_another(ann: Browser, world: World) -> None:
    join(world.bakery, "oda", Role.OWNER)
    assert ann.post(seat(world.bakery, world.ann) + "/removal").location == "/"
    assert membership(world.bakery, world.ann) is None


@pytest.mark.parametrize("act", ["role", "removal"])
def test_a_change_of_the_team_asks_for_the_password(app: Flask, world: World, act: str) -> None:
    ann = Browser(app, tenant="bakery").signed_in_as(world.ann)
    answer = ann.post(f"{seat(world.bakery, world.ben)}/{act}", {"role": "owner"})
    assert answer.location.startswith("/t/bakery/account/confirmation")
    assert member(world.bakery, world.ben).role == "agent"


def test_owners_read_who_changed_the_team_and_no_one_changes_that(
    ann: Browser, ada: Browser, world: World, superuser_url: str
) -> None:
    ann.post(f"{seat(world.bakery, world.ben)}/role", {"role": "admin"})
    ann.post(f"{seat(world.bakery, world.ben)}/removal")
    page = ann.get("~/team/changes").text
    assert "Ann changed the role of Ben from Agent to Admin" in page
    assert "Ann removed Ben (Admin)" in page
    assert ada.get("~/team/changes").status_code == 403
    with tenant_scope(world.bakery.id), pytest.raises(ProgrammingError, match="permission denied"):
        db.session.execute(text("delete from team_changes"))
