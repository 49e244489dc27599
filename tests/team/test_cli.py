import pytest
from click.testing import Result
from flask import Flask

from app.team.models import Invitation, PlatformAdmin
from app.tenancy import Role, Tenant, db, now, platform_scope
from tests.client import Browser
from tests.team.helpers import PASSWORD, accept, link_in, member, rows, sign_in, user_with
from tests.world import World

TENANT = ("tenants", "create", "--name", "Tea", "--slug", "tea", "--owner-email", "Tom@Tea.example")
ADMIN = ("platform-admins", "create", "--email", "Pia@example.com")


def run(app: Flask, *arguments: str, typed: str = "") -> Result:
    return app.test_cli_runner().invoke(args=arguments, input=typed)


def test_a_business_is_made_with_its_owner(app: Flask, browser: Browser) -> None:
    assert run(app, *TENANT, "--owner-name", "Tom", "--password", PASSWORD).exit_code == 0
    assert sign_in(browser, "tom@tea.example").status_code == 303
    assert browser.get("/t/tea/team").status_code == 200


def test_without_a_password_a_link_is_printed_that_makes_its_user_the_owner(app: Flask, browser: Browser) -> None:
    link = link_in(run(app, *TENANT).output)
    assert browser.get(link).status_code == 200
    assert accept(browser, link).location == "/t/tea/"
    assert member(rows(Tenant)[0], user_with("tom@tea.example")).role == Role.OWNER


def test_an_invitation_that_is_printed_is_not_mailed(app: Flask) -> None:
    run(app, *TENANT)
    assert rows(Invitation)[0].mailed_at


def test_a_second_run_changes_nothing_and_says_so(app: Flask) -> None:
    run(app, *TENANT, "--password", PASSWORD)
    again = run(app, *TENANT, "--password", "another phrase here")
    assert again.exit_code == 0
    assert "There is a tenant tea already" in again.output
    assert len(rows(Tenant)) == 1


def test_a_second_run_before_the_owner_came_prints_a_new_link(app: Flask, browser: Browser) -> None:
    first, second = (link_in(run(app, *TENANT).output) for _ in range(2))
    assert browser.get(first).status_code == 410
    assert browser.get(second).status_code == 200


def test_a_known_owners_password_is_not_changed(world: World, app: Flask, browser: Browser) -> None:
    answer = run(app, *TENANT[:-1], "ann@example.com", "--password", "another phrase here")
    assert "with their existing password" in answer.output
    assert sign_in(browser, "ann@example.com").status_code == 303
    assert browser.get("/t/tea/team").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [("--slug", "Tea House"), ("--slug", "platform"), ("--owner-email", "tom"), ("--password", "12345678")],
)
def test_what_will_not_do_is_refused_in_words(app: Flask, wrong: tuple[str, str]) -> None:
    answer = run(app, *TENANT, *wrong)
    assert answer.exit_code != 0
    assert "Error" in answer.output
    assert rows(Tenant) == []


def test_a_platform_admin_is_made(app: Flask) -> None:
    assert run(app, *ADMIN, "--password", PASSWORD).exit_code == 0
    [pia] = rows(PlatformAdmin)
    assert (pia.email, pia.name) == ("pia@example.com", "Pia")


def test_a_platform_admins_password_is_asked_for(app: Flask) -> None:
    answer = run(app, *ADMIN, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert answer.exit_code == 0
    assert PASSWORD not in answer.output
    assert len(rows(PlatformAdmin)) == 1


def test_a_second_platform_admin_of_one_address_is_not_made(app: Flask) -> None:
    run(app, *ADMIN, "--password", PASSWORD)
    before = rows(PlatformAdmin)[0].password_hash
    again = run(app, *ADMIN, "--password", "another phrase here")
    assert again.exit_code == 0
    assert "already" in again.output
    assert rows(PlatformAdmin)[0].password_hash == before


def test_an_admin_who_lost_their_second_step_signs_in_with_the_password_again(app: Flask, browser: Browser) -> None:
    run(app, *ADMIN, "--password", PASSWORD)
    with platform_scope("tests"):
        pia = db.session.query(PlatformAdmin).filter_by(email="pia@example.com").one()
        pia.second_step_at = now()
    reset = ("platform-admins", "reset-two-step", "--email", "Pia@example.com")
    assert "signs in with the password alone" in run(app, *reset).output
    form = {"email": "pia@example.com", "password": PASSWORD}
    assert browser.post("/platform/sign-in", form).location == "/platform/"
    assert "Nothing was changed" in run(app, *reset).output
