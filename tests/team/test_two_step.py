import ast
import base64
import datetime as dt
import pathlib
import re
import threading
from collections.abc import Iterator

import pytest
import time_machine
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask import Flask, session
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from app.extensions import vault
from app.team import door, passwords
from app.team.jobs import mail_second_step_change
from app.team.models import (
    PendingSignIn,
    PlatformAdmin,
    SecondStep,
    SecondStepChange,
    SecondStepReset,
    SignInAttempt,
    UserSession,
    set_password,
)
from app.team.models.people import scope_of
from app.team.models.second_steps import normalise
from app.tenancy import Role, Tenant, User, commit, db, global_scope, now, platform_scope, tenant_scope
from app.tenancy.models import admit
from tests.client import FRAGMENT, Browser
from tests.closing.closures import mark_closed
from tests.team.helpers import (
    NEW_PASSWORD,
    PASSWORD,
    accept,
    ask_for_reset,
    invite,
    is_in,
    link_in,
    mails,
    member,
    rows,
    sign_in,
)
from tests.world import World

APP = pathlib.Path("app")
PAGE = "~/account/two-step"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Codes are of a moment: here time stops until a test moves it."""
    with time_machine.travel(now(), tick=False) as clock:
        yield clock


def code_of(secret: str, after: float = 0) -> str:
    """What an authenticator app shows so many seconds from now."""
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)
    return totp.generate(now().timestamp() + after).decode()


def set_up(browser: Browser, who: User | PlatformAdmin, page: str = PAGE) -> tuple[str, list[str]]:
    """Turns it on as a person does; returns the secret of their app, and their recovery codes."""
    assert browser.post(f"{page}/secret").status_code == 303
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', browser.get(page).text)
    assert found
    secret = found[1].replace(" ", "")
    answer = browser.post(page, {"password": PASSWORD, "code": code_of(secret)})
    assert answer.status_code == 200, answer.text
    found = re.search(r"<textarea[^>]*>([^<]+)</textarea>", answer.text)
    assert found
    return secret, found[1].split()


@pytest.fixture
def secret(ann: Browser, world: World, clock: time_machine.Traveller) -> str:
    """Ann has turned it on a minute ago."""
    secret, _codes = set_up(ann, world.ann)
    clock.shift(60)
    return secret


def enter(browser: Browser, code: str, area: str = "") -> int:
    return browser.post(f"{area}/sign-in/code", {"code": code}).status_code


def wrong(secret: str) -> str:
    """Six digits that are no code of these minutes."""
    right = {code_of(secret, after) for after in range(-120, 150, 30)}
    return next(code for code in map("{:06}".format, range(20)) if code not in right)


# Setting it up


def test_it_is_on_only_after_a_right_code(ann: Browser, world: World) -> None:
    ann.post(f"{PAGE}/secret")
    secret = rows(SecondStep)[0].secret
    answer = ann.post(PAGE, {"password": PASSWORD, "code": wrong(secret)})
    assert answer.status_code == 422 and "This code doesn&#39;t work" in answer.text
    assert member(world.bakery, world.ann).user.second_step_at is None
    assert ann.post(PAGE, {"password": PASSWORD, "code": code_of(secret)}).status_code == 200
    assert member(world.bakery, world.ann).user.second_step_at


def test_turning_it_on_asks_for_the_password(ann: Browser, world: World) -> None:
    ann.post(f"{PAGE}/secret")
    code = code_of(rows(SecondStep)[0].secret)
    assert "This isn&#39;t your password" in ann.post(PAGE, {"password": "not hers", "code": code}).text
    assert member(world.bakery, world.ann).user.second_step_at is None


def test_the_secret_is_shown_as_a_picture_and_as_text_until_it_is_on(ann: Browser, world: World) -> None:
    ann.post(f"{PAGE}/secret")
    page = ann.get(PAGE).text
    assert 'src="data:image/svg+xml;base64,' in page and rows(SecondStep)[0].spelt in page
    set_up(ann, world.ann)
    assert rows(SecondStep)[0].spelt not in ann.get(PAGE).text


def test_only_the_browser_that_sets_it_up_sees_the_secret(ann: Browser, app: Flask, world: World) -> None:
    thief = Browser(app, tenant="bakery").signed_in_as(world.ann)
    thief.post(f"{PAGE}/secret")
    planted = rows(SecondStep)[0]
    assert planted.spelt in thief.get(PAGE).text and planted.spelt not in ann.get(PAGE).text
    assert ann.post(PAGE, {"password": PASSWORD, "code": code_of(planted.secret)}).status_code == 422
    set_up(ann, world.ann)
    assert rows(SecondStep)[0].spelt not in thief.get(PAGE).text


def test_a_recovery_code_works_where_the_secret_cannot_be_read(
    ann: Browser, browser: Browser, world: World, clock: time_machine.Traveller
) -> None:
    _, codes = set_up(ann, world.ann)
    with global_scope():
        db.session.execute(update(SecondStep).values(secret_ciphertext=b"lost"))
    sign_in(browser)
    assert (enter(browser, "000000"), enter(browser, codes[0])) == (422, 303)


def test_a_secret_that_is_on_is_not_replaced(ann: Browser, secret: str) -> None:
    ann.post(f"{PAGE}/secret")
    assert rows(SecondStep)[0].secret == secret


def test_what_the_picture_holds_is_what_apps_read(ann: Browser, world: World) -> None:
    ann.post(f"{PAGE}/secret")
    step = rows(SecondStep)[0]
    address = step.address("ann@example.com")
    assert address.startswith("otpauth://totp/Switchboard:ann%40example.com?")
    assert {f"secret={step.secret}", "issuer=Switchboard", "digits=6", "period=30"} <= set(
        address.partition("?")[2].split("&")
    )


def test_the_secret_is_stored_encrypted_for_its_row(ann: Browser, secret: str) -> None:
    step = rows(SecondStep)[0]
    assert secret.encode() not in step.secret_ciphertext
    assert vault.decrypt(step.secret_ciphertext, f"second_steps:secret:{step.id}") == secret


def test_recovery_codes_are_shown_once_and_stored_as_hashes(ann: Browser, world: World) -> None:
    _secret, codes = set_up(ann, world.ann)
    assert len(set(codes)) == 10
    page, stored = ann.get(PAGE).text, rows(SecondStep)[0].recovery_hashes
    assert "10 recovery codes are left" in page
    assert not any(code in page or code in str(stored) or normalise(code) in str(stored) for code in codes)


def test_turning_it_on_ends_every_other_session(ann: Browser, world: World, browser: Browser) -> None:
    sign_in(browser)
    set_up(ann, world.ann)
    assert is_in(ann) and not is_in(browser)


def test_what_is_not_set_up_within_a_day_is_forgotten(ann: Browser, world: World) -> None:
    ann.post(f"{PAGE}/secret")
    with platform_scope("tests"):
        SecondStep.forget_unfinished()
        assert db.session.query(SecondStep).count() == 1
        db.session.execute(update(SecondStep).values(created_at=now() - dt.timedelta(days=2)))
        SecondStep.forget_unfinished()
        assert db.session.query(SecondStep).count() == 0


# Signing in


def test_the_password_alone_opens_nothing(secret: str, browser: Browser) -> None:
    answer = sign_in(browser, next="/t/bakery/team")
    assert answer.location == "/sign-in/code?next=/t/bakery/team"
    assert not is_in(browser)
    assert browser.get("/t/bakery/team").location == "/sign-in?next=/t/bakery/team"


def test_the_code_signs_in_and_leads_on_to_the_page_one_wanted(secret: str, browser: Browser) -> None:
    answer = sign_in(browser, next="/t/bakery/team")
    page = browser.get(answer.location).text
    assert 'autocomplete="one-time-code"' in page and 'inputmode="numeric"' in page
    answer = browser.post(answer.location, {"code": code_of(secret)})
    assert answer.location == "/t/bakery/team" and is_in(browser)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_code_leads_to_no_other_site(secret: str, browser: Browser, target: str) -> None:
    sign_in(browser)
    answer = browser.post("/sign-in/code", {"code": code_of(secret)}, query_string={"next": target})
    assert answer.location == "/"


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: f" {code[:3]} {code[3:]} ",
        lambda code: f"{code[:3]}-{code[3:]}",
        lambda code: code.translate({ord("0") + n: 0x660 + n for n in range(10)}),
        lambda code: code.translate({ord("0") + n: 0x6F0 + n for n in range(10)}),
        lambda code: code.translate({ord("0") + n: 0xFF10 + n for n in range(10)}),
        lambda code: f"\u200f{code}\u200e",
    ],
    ids=["spaces", "hyphen", "Arabic digits", "Persian digits", "full width", "direction marks"],
)
def test_a_code_may_be_written_in_many_ways(secret: str, browser: Browser, typed) -> None:  # type: ignore[no-untyped-def]
    sign_in(browser)
    assert enter(browser, typed(code_of(secret))) == 303 and is_in(browser)


@pytest.mark.parametrize("typed", ["", " ", "\x00", "²" * 200, "x" * 100_000, "12345", "1234567", "😀", "½Ⅷ੧"])
def test_nonsense_is_no_code(secret: str, browser: Browser, typed: str) -> None:
    sign_in(browser)
    assert enter(browser, typed) == 422 and not is_in(browser)


@pytest.mark.parametrize(("seconds", "is_taken"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_may_be_one_step_late_or_early(secret: str, browser: Browser, seconds: int, is_taken: bool) -> None:
    sign_in(browser)
    enter(browser, code_of(secret, seconds))
    assert is_in(browser) == is_taken


def test_a_code_works_once(secret: str, browser: Browser, other: Browser) -> None:
    sign_in(browser)
    sign_in(other)
    assert enter(browser, code_of(secret)) == 303
    sign_in(other)
    assert enter(other, code_of(secret)) == 422 and not is_in(other)


def test_an_older_code_does_not_work_after_a_newer_one(secret: str, browser: Browser) -> None:
    older = code_of(secret, -30)
    sign_in(browser)
    enter(browser, code_of(secret))
    sign_in(browser)
    assert enter(browser, older) == 422


def test_the_code_that_turned_it_on_does_not_sign_in(ann: Browser, world: World, browser: Browser) -> None:
    secret, _codes = set_up(ann, world.ann)
    sign_in(browser)
    assert enter(browser, code_of(secret)) == 422


def test_two_who_enter_the_same_code_at_once_are_not_both_let_in(secret: str, app: Flask, world: World) -> None:
    outcomes: list[bool] = []
    start = threading.Barrier(8)

    def enter_it() -> None:
        with app.app_context(), global_scope():
            db.session.get(User, world.ann.id)
            start.wait()
            outcomes.append(SecondStep.accept(world.ann, code_of(secret)))

    threads = [threading.Thread(target=enter_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]


def test_a_code_of_somebody_else_does_not_work(secret: str, world: World, browser: Browser, app: Flask) -> None:
    ben = Browser(app, "bakery").signed_in_as(world.ben)
    bens, codes = set_up(ben, world.ben)
    sign_in(browser)
    assert enter(browser, code_of(bens, 30)) == 422
    assert enter(browser, codes[0]) == 422


def without_tokens(page: str) -> str:
    return re.sub(r'(csrf_token" value="|X-CSRFToken": "|value=")[^"]*', "", page)


def test_every_wrong_code_is_answered_alike(ann: Browser, world: World, browser: Browser) -> None:
    secret, codes = set_up(ann, world.ann)
    sign_in(browser)
    enter(browser, codes[0])
    sign_in(browser)
    for used in (wrong(secret), code_of(secret), codes[0]):
        answer = browser.post("/sign-in/code", {"code": used})
        assert answer.status_code == 422
        pages = without_tokens(answer.text)
        assert pages == without_tokens(browser.post("/sign-in/code", {"code": "aaaa-aaaa"}).text)
        sign_in(browser)


def test_after_five_wrong_codes_one_starts_again(secret: str, browser: Browser) -> None:
    sign_in(browser)
    assert [enter(browser, wrong(secret)) for _ in range(5)] == [422] * 4 + [303]
    answer = browser.post("/sign-in/code", {"code": code_of(secret)})
    assert answer.location == "/sign-in" and not is_in(browser)
    page = browser.get("/sign-in").text
    assert "Sign in again" in page.partition("<form")[2]
    assert "Sign in again" not in browser.get("/sign-in").text


def test_after_five_minutes_one_starts_again(secret: str, browser: Browser, clock: time_machine.Traveller) -> None:
    location = sign_in(browser, next="/t/bakery/team").location
    clock.shift(301)
    assert browser.get(location).location == "/sign-in?next=/t/bakery/team"
    assert browser.post(location, {"code": code_of(secret)}).location == "/sign-in?next=/t/bakery/team"
    assert not is_in(browser)


def test_an_old_cookie_gives_no_new_tries(secret: str, browser: Browser) -> None:
    """The tries are counted by us, not in the cookie that the browser sends."""
    sign_in(browser)
    cookie = browser.client.get_cookie("session")
    assert cookie
    for _ in range(5):
        browser.client.set_cookie("session", cookie.value)
        enter(browser, wrong(secret))
    browser.client.set_cookie("session", cookie.value)
    assert enter(browser, code_of(secret)) == 303 and not is_in(browser)


def test_a_sign_in_that_was_finished_is_over(
    secret: str, browser: Browser, other: Browser, clock: time_machine.Traveller
) -> None:
    sign_in(browser)
    cookie = browser.client.get_cookie("session")
    assert cookie
    enter(browser, code_of(secret))
    clock.shift(60)
    other.client.set_cookie("session", cookie.value)
    assert other.post("/sign-in/code", {"code": code_of(secret)}).location == "/sign-in"


def test_without_a_password_there_is_nothing_to_enter_a_code_for(secret: str, browser: Browser) -> None:
    assert browser.get("/sign-in/code").location == "/sign-in"
    assert browser.post("/sign-in/code", {"code": code_of(secret)}).location == "/sign-in"


def test_the_eleventh_wrong_code_in_a_quarter_of_an_hour_is_refused(
    secret: str, browser: Browser, clock: time_machine.Traveller
) -> None:
    for _ in range(2):
        sign_in(browser)
        for _ in range(5):
            enter(browser, wrong(secret))
    sign_in(browser)
    answer = browser.post("/sign-in/code", {"code": code_of(secret)})
    assert answer.status_code == 429 and not is_in(browser)
    clock.shift(901)
    sign_in(browser)
    assert enter(browser, code_of(secret)) == 303


def test_wrong_codes_and_wrong_passwords_of_one_place_count_together(secret: str, browser: Browser) -> None:
    with global_scope():
        for number in range(99):
            SignInAttempt.claim(f"user{number}@example.com", "127.0.0.1")
    sign_in(browser)
    assert enter(browser, wrong(secret)) == 422
    assert sign_in(browser).status_code == 429


def test_a_right_code_does_not_count(secret: str, browser: Browser, clock: time_machine.Traveller) -> None:
    for _ in range(12):
        sign_in(browser)
        assert enter(browser, code_of(secret)) == 303
        clock.shift(30)
    assert rows(SignInAttempt) == []


def test_who_has_none_signs_in_as_before(secret: str, browser: Browser) -> None:
    assert sign_in(browser, "ben@example.com").location == "/" and is_in(browser)


# Recovery codes


def test_each_recovery_code_signs_in_once(ann: Browser, world: World, browser: Browser) -> None:
    _secret, codes = set_up(ann, world.ann)
    for code in codes:
        sign_in(browser)
        assert enter(browser, code.upper().replace("-", " ")) == 303
        sign_in(browser)
        assert enter(browser, code) == 422
    assert rows(SecondStep)[0].recovery_hashes == []


def test_new_recovery_codes_replace_the_old_ones(
    ann: Browser, world: World, browser: Browser, clock: time_machine.Traveller
) -> None:
    secret, old = set_up(ann, world.ann)
    clock.shift(60)
    answer = ann.post(f"{PAGE}/recovery-codes", {"password": PASSWORD, "code": code_of(secret)})
    found = re.search(r"<textarea[^>]*>([^<]+)</textarea>", answer.text)
    assert found and not set(found[1].split()) & set(old)
    sign_in(browser)
    assert enter(browser, old[0]) == 422
    assert enter(browser, found[1].split()[0]) == 303


def test_recovery_codes_can_be_downloaded(ann: Browser, world: World) -> None:
    ann.post(f"{PAGE}/secret")
    code = code_of(rows(SecondStep)[0].secret)
    page = ann.post(PAGE, {"password": PASSWORD, "code": code}).text
    found = re.search(r'href="data:text/plain;charset=utf-8;base64,([^"]+)" download=', page)
    shown = re.search(r"<textarea[^>]*>([^<]+)</textarea>", page)
    assert found and shown and shown[1].split() == base64.b64decode(found[1]).decode().split("\n")[2:-1]


@pytest.mark.parametrize("what", ["recovery-codes", "removal"])
@pytest.mark.parametrize("lacking", ["password", "code"])
def test_changing_it_takes_the_password_and_a_code(ann: Browser, secret: str, what: str, lacking: str) -> None:
    form = {"password": PASSWORD, "code": code_of(secret)} | {lacking: "not right"}
    before = rows(SecondStep)[0].recovery_hashes
    assert ann.post(f"{PAGE}/{what}", form).status_code == 422
    assert rows(SecondStep)[0].recovery_hashes == before


def test_wrong_codes_on_ones_own_page_are_limited_too(ann: Browser, secret: str) -> None:
    form = {"password": PASSWORD, "code": wrong(secret)}
    answers = [ann.post(f"{PAGE}/removal", form).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


def test_turning_it_off_ends_every_other_session(
    ann: Browser, secret: str, browser: Browser, world: World, clock: time_machine.Traveller
) -> None:
    sign_in(browser)
    enter(browser, code_of(secret))
    clock.shift(60)
    assert ann.post(f"{PAGE}/removal", {"password": PASSWORD, "code": code_of(secret)}).status_code == 303
    assert is_in(ann) and not is_in(browser) and rows(SecondStep) == []
    assert sign_in(browser).location == "/" and is_in(browser)


# The other doors


def test_a_new_password_does_not_replace_the_code(secret: str, browser: Browser) -> None:
    link = ask_for_reset(browser)
    browser.post("/new-password", {"token": link.partition("token=")[2], "password": NEW_PASSWORD})
    assert not is_in(browser)
    assert sign_in(browser, password=NEW_PASSWORD).location.startswith("/sign-in/code")
    assert not is_in(browser)
    assert enter(browser, code_of(secret)) == 303


def test_a_new_password_ends_sign_ins_that_wait_for_a_code(secret: str, browser: Browser, other: Browser) -> None:
    sign_in(browser)
    link = ask_for_reset(other)
    other.post("/new-password", {"token": link.partition("token=")[2], "password": NEW_PASSWORD})
    assert browser.post("/sign-in/code", {"code": code_of(secret)}).location == "/sign-in"


def test_an_invitation_lets_no_one_in_without_the_code(secret: str, world: World, app: Flask, browser: Browser) -> None:
    link = invite(Browser(app, "shoes").signed_in_as(world.sue), "ann@example.com")
    assert accept(browser, link).status_code == 403
    location = sign_in(browser, next=link).location
    assert accept(browser, link).status_code == 403
    assert browser.post(location, {"code": code_of(secret)}).location == link
    assert accept(browser, link).status_code == 303


def test_an_app_is_allowed_only_after_the_code(secret: str, browser: Browser) -> None:
    wanted = "/oauth/authorize?client_id=x&response_type=code"
    location = browser.get(wanted).location
    location = browser.post(location, {"email": "ann@example.com", "password": PASSWORD}).location
    assert browser.get(wanted).location.startswith("/sign-in?")
    assert browser.post(location, {"code": code_of(secret)}).location == wanted


def test_whoever_changes_their_password_stays_in(ann: Browser, secret: str) -> None:
    answer = ann.post("~/account/password", {"current": PASSWORD, "password": NEW_PASSWORD})
    assert answer.status_code == 303 and is_in(ann)


def test_a_password_that_was_right_before_two_step_was_turned_on_opens_nothing(
    app: Flask, ann: Browser, world: World
) -> None:
    """Hashing it takes a while, in which sessions are ended and this one is none yet."""
    with app.test_request_context("/sign-in"), global_scope():
        who = door.check(User, world.ann.email, PASSWORD)
        assert who
        set_up(ann, world.ann)
        assert door.let_in(who, "/").location == "/sign-in/code?next=/"
        assert "_user_id" not in session


def test_a_password_that_was_replaced_while_it_was_checked_opens_nothing(app: Flask, world: World) -> None:
    with app.test_request_context("/sign-in"), global_scope():
        who = door.check(User, world.ann.email, PASSWORD)
        assert who
        with global_scope():
            set_password(db.session.get_one(User, world.ann.id), "another hash")
        assert door.let_in(who, "/").location == "/sign-in?next=/"
        assert "_user_id" not in session


def test_a_sign_in_that_was_ended_while_its_code_was_checked_opens_nothing(secret: str, world: World) -> None:
    with global_scope():
        pending = PendingSignIn.find(PendingSignIn.begin(world.ann), User)
        assert pending
        with global_scope():
            PendingSignIn.begin(world.ann)
        commit()
        assert pending.finish() and not pending.finish()
    assert not rows(PendingSignIn)


def test_whoever_signs_in_and_whoever_resets_wait_for_each_other_in_one_order(secret: str, world: World) -> None:
    """The person first, then their secret: else two could wait for each other for ever."""
    with global_scope():
        SecondStep.of(world.ann, locked=True)
        mine = select(User.id).where(User.id == world.ann.id)
        with global_scope(), pytest.raises(OperationalError):
            db.session.scalars(mine.with_for_update(nowait=True)).all()


# Who may begin a session: the gate, the code, and who is in already.
CALLERS = {"let_in", "let_in_with_code", "renew_session"}
BEGIN = {"login_user", "begin_session", "UserSession.begin"}


def calls(tree: ast.AST, names: set[str]) -> Iterator[tuple[str, str]]:
    """Which function calls one of these."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    written = ast.unparse(node.func)
                    if written in names or written.rpartition(".")[2] in names:
                        yield function.name, written


def test_every_door_leads_through_the_one_gate() -> None:
    """A new place that signs somebody in fails here: it has to call `let_in`."""
    door = APP / "team/door.py"
    for path in APP.rglob("*.py"):
        source = path.read_text()
        found = set(calls(ast.parse(source), BEGIN))
        if path == door:
            assert {caller for caller, name in found if name == "begin_session"} == CALLERS
            assert {caller for caller, name in found if name != "begin_session"} == {"begin_session"}
        else:
            views = {name for caller, name in found if caller != "begin_session"}
            assert not views, f"{path} signs somebody in by itself"
            written = re.search(r"""session\[["']_user_id["']\] *=[^=]""", source)
            assert not written, f"{path} writes who is signed in"


@pytest.mark.parametrize("renewer", ["account.py"])
def test_only_the_page_of_ones_own_password_renews_a_session(renewer: str) -> None:
    users = [path.name for path in APP.rglob("*.py") if "renew_session(" in path.read_text()]
    assert sorted(users) == sorted(["door.py", renewer])


# Mails and what is recorded


def changes() -> list[str]:
    return sorted(change.kind for change in rows(SecondStepChange))


def test_the_person_is_mailed_each_change(
    ann: Browser, world: World, browser: Browser, clock: time_machine.Traveller
) -> None:
    secret, codes = set_up(ann, world.ann)
    sign_in(browser)
    enter(browser, codes[0])
    clock.shift(60)
    ann.post(f"{PAGE}/removal", {"password": PASSWORD, "code": code_of(secret)})
    assert changes() == ["off", "on", "recovery_code"]
    mails()
    for change in rows(SecondStepChange):
        mail_second_step_change(str(change.id))
        mail_second_step_change(str(change.id))
    sent = mails()
    assert {(to, link_in(body)) for to, _subject, body in sent} == {("ann@example.com", "/forgotten-password")}
    assert sorted(subject for _to, subject, _body in sent) == [
        "A recovery code was used: Switchboard",
        "Two-step sign-in was turned off: Switchboard",
        "Two-step sign-in was turned on: Switchboard",
    ]


def test_whoever_is_guessed_at_after_their_password_is_warned_once(secret: str, browser: Browser) -> None:
    for _ in range(2):
        sign_in(browser)
        for _ in range(5):
            enter(browser, wrong(secret))
    assert changes() == ["on", "wrong_codes"]


# A business that asks it of everyone


@pytest.fixture
def required(ann: Browser, secret: str) -> None:
    assert ann.confirmed().post("~/team/two-step", {"required": "1"}).status_code == 303


def ben_of(app: Flask, world: World) -> Browser:
    return Browser(app, "bakery").signed_in_as(world.ben)


def test_members_without_it_are_led_to_set_it_up_before_anything_else(required: None, app: Flask, world: World) -> None:
    ben = ben_of(app, world)
    assert ben.get("~/contacts/").location == "/t/bakery/account/two-step?next=/t/bakery/contacts/"
    assert ben.post("~/account/name", {"name": "Benjamin"}).status_code == 303
    assert member(world.bakery, world.ben).user.name == "Ben"
    answer = ben.get("~/contacts/", headers=FRAGMENT)
    assert answer.status_code == 401 and "/account/two-step" in answer.headers["HX-Redirect"]
    page = ben.get("~/account/two-step?next=/t/bakery/contacts/").text
    assert "Bakery requires it of everyone" in page and "data-live=" not in page


def test_once_set_up_they_go_on_to_where_they_wanted(required: None, app: Flask, world: World) -> None:
    ben = ben_of(app, world)
    ben.post(f"{PAGE}/secret")
    code = code_of(next(step.secret for step in rows(SecondStep) if step.user_id == world.ben.id))
    answer = ben.post(f"{PAGE}?next=/t/bakery/contacts/", {"password": PASSWORD, "code": code})
    assert 'href="/t/bakery/contacts/">I have saved them' in answer.text
    assert ben.get("~/contacts/").status_code == 200


@pytest.mark.parametrize("days", [1, 400])
def test_members_of_a_closed_business_set_it_up_and_see_what_is_open(
    required: None, app: Flask, world: World, clock: time_machine.Traveller, days: int
) -> None:
    """Also once nothing can be downloaded any more."""
    ben = ben_of(app, world)
    mark_closed(world, days_ago=days)
    assert ben.get("~/").location == "/t/bakery/closing/closed"
    assert ben.get("~/closing/closed").location == f"{PAGE.replace('~', '/t/bakery')}?next=/t/bakery/closing/closed"
    set_up(ben, world.ben)
    assert ben.get("~/closing/closed").status_code == 200
    assert ben.get(PAGE).location == "/t/bakery/closing/closed"


def test_other_businesses_of_a_member_ask_for_nothing(required: None, app: Flask, world: World) -> None:
    with tenant_scope(world.shoes.id):
        admit(db.session.get_one(User, world.ben.id), Role.AGENT)
    assert Browser(app, "shoes").signed_in_as(world.ben).get("~/contacts/").status_code == 200


def test_an_app_of_a_member_without_it_is_not_allowed(required: None, app: Flask, world: World) -> None:
    member(world.bakery, world.ben)
    assert "/account/two-step" in ben_of(app, world).confirmed().get("~/apps/x").location


def test_only_an_owner_requires_it_and_has_it_first(ann: Browser, app: Flask, world: World) -> None:
    assert ben_of(app, world).confirmed().post("~/team/two-step", {"required": "1"}).status_code == 403
    answer = ann.confirmed().post("~/team/two-step", {"required": "1"})
    assert answer.location == "/t/bakery/account/two-step?next=/t/bakery/team"
    assert [tenant.requires_second_step for tenant in rows(Tenant)] == [False, False]


def test_requiring_it_is_in_the_team_changes(required: None, ann: Browser) -> None:
    assert "Ann made two-step sign-in required" in ann.get("~/team/changes").text
    ann.post("~/team/two-step", {"required": "0"})
    assert "Ann made two-step sign-in optional" in ann.get("~/team/changes").text


# Who has lost it


def lost(browser: Browser, world: World, tenant: Tenant | None = None) -> int:
    membership_id = member(tenant or world.bakery, world.ben).id
    return browser.confirmed().post(f"~/team/members/{membership_id}/two-step/removal").status_code


@pytest.fixture
def ben_has_it(app: Flask, world: World) -> Browser:
    ben = ben_of(app, world)
    set_up(ben, world.ben)
    return ben


def test_an_owner_turns_off_what_a_member_has_lost(ann: Browser, ben_has_it: Browser, world: World) -> None:
    assert lost(ann, world) == 303
    assert not is_in(ben_has_it) and member(world.bakery, world.ben).user.second_step_at is None
    assert changes() == ["on", "reset"]
    assert "Ann turned off two-step sign-in for Ben" in ann.get("~/team/changes").text


def test_not_of_a_member_who_has_another_business(ann: Browser, ben_has_it: Browser, world: World) -> None:
    with tenant_scope(world.shoes.id):
        admit(db.session.get_one(User, world.ben.id), Role.AGENT)
    assert lost(ann, world) == 303
    assert "recovery code" in ann.get("~/team").text
    assert is_in(ben_has_it) and member(world.bakery, world.ben).user.second_step_at


def test_no_stranger_and_no_agent_turns_it_off(sue: Browser, ben_has_it: Browser, world: World) -> None:
    assert lost(sue, world) == 404
    assert lost(ben_has_it, world) == 403
    assert member(world.bakery, world.ben).user.second_step_at


def test_an_owner_does_not_turn_off_their_own_without_a_code(ann: Browser, secret: str, world: World) -> None:
    own = member(world.bakery, world.ann).id
    assert ann.confirmed().post(f"~/team/members/{own}/two-step/removal").status_code == 404


# Platform admins


@pytest.fixture
def pat(app: Flask, world: World) -> Browser:
    password_hash = passwords.hash_password(PASSWORD)
    with platform_scope("tests"):
        db.session.execute(update(PlatformAdmin).values(password_hash=password_hash))
        for name in ("quinn", "rob"):
            made = PlatformAdmin(email=f"{name}@example.com", name=name.title(), password_hash=password_hash)
            db.session.add(made)
    return Browser(app).signed_in_as(world.pat)


def admin(name: str) -> PlatformAdmin:
    found: PlatformAdmin = next(each for each in rows(PlatformAdmin) if each.name == name)
    return found


def enter_console(browser: Browser, name: str = "pat") -> str:
    answer = browser.post("/platform/sign-in", {"email": f"{name}@example.com", "password": PASSWORD})
    return answer.location


def test_a_platform_admin_signs_in_with_a_code_too(
    pat: Browser, browser: Browser, world: World, clock: time_machine.Traveller
) -> None:
    secret, codes = set_up(pat, world.pat, "/platform/two-step")
    clock.shift(60)
    assert enter_console(browser).startswith("/platform/sign-in/code")
    assert browser.get("/platform/").status_code == 303
    assert enter(browser, wrong(secret), "/platform") == 422
    assert enter(browser, code_of(secret), "/platform") == 303
    assert browser.get("/platform/").status_code == 200
    enter_console(browser)
    assert enter(browser, codes[0], "/platform") == 303


def test_a_platform_admin_turns_it_off(pat: Browser, world: World, clock: time_machine.Traveller) -> None:
    secret, _codes = set_up(pat, world.pat, "/platform/two-step")
    clock.shift(60)
    form = {"password": PASSWORD, "code": code_of(secret)}
    assert pat.post("/platform/two-step/removal", form).status_code == 303
    assert admin("Pat").second_step_at is None and pat.get("/platform/").status_code == 200


def test_a_sign_in_of_a_member_takes_no_code_in_the_console(secret: str, browser: Browser) -> None:
    sign_in(browser)
    answer = browser.post("/platform/sign-in/code", {"code": code_of(secret)})
    assert answer.location == "/platform/sign-in"


def test_the_list_of_admins_says_who_has_none(pat: Browser, world: World) -> None:
    assert pat.get("/platform/admins").text.count("No two-step sign-in") == 3
    set_up(pat, world.pat, "/platform/two-step")
    assert pat.get("/platform/admins").text.count("No two-step sign-in") == 2


def ask(browser: Browser, email: str = "ben@example.com", kind: str = "user", reason: str = "Lost phone") -> int:
    form = {"email": email, "kind": kind, "reason": reason}
    return browser.post("/platform/second-step-resets", form).status_code


def decide(browser: Browser, what: str = "approval") -> int:
    reset = rows(SecondStepReset)[0]
    return browser.post(f"/platform/second-step-resets/{reset.id}/{what}").status_code


def test_a_second_admin_approves_what_turns_it_off_for_somebody(
    pat: Browser, ben_has_it: Browser, app: Flask, world: World
) -> None:
    assert ask(pat) == 303
    decide(pat)
    assert is_in(ben_has_it)
    decide(Browser(app).signed_in_as(admin("Quinn")))
    assert not is_in(ben_has_it) and member(world.bakery, world.ben).user.second_step_at is None
    assert [(reset.state, reset.reason, reset.by_name, reset.approved_by_name) for reset in rows(SecondStepReset)] == [
        ("done", "Lost phone", "Pat", "Quinn")
    ]


def test_an_admin_does_not_approve_what_is_for_themselves(pat: Browser, app: Flask, world: World) -> None:
    quinn = Browser(app).signed_in_as(admin("Quinn"))
    set_up(quinn, admin("Quinn"), "/platform/two-step")
    assert ask(pat, "quinn@example.com", "admin") == 303
    decide(quinn)
    assert admin("Quinn").second_step_at
    decide(Browser(app).signed_in_as(admin("Rob")))
    assert admin("Quinn").second_step_at is None and quinn.get("/platform/").status_code == 303


def test_a_reset_is_not_for_oneself_nor_twice_nor_without_a_reason(
    pat: Browser, ben_has_it: Browser, world: World
) -> None:
    set_up(pat, world.pat, "/platform/two-step")
    assert ask(pat, "pat@example.com", "admin") == 422
    assert ask(pat, reason="") == 422
    assert [ask(pat), ask(pat)] == [303, 422]
    assert ask(pat, "sue@example.com") == 422
    assert decide(pat, "withdrawal") == 303
    assert ask(pat) == 303


def test_no_member_of_a_business_asks_for_a_reset(ann: Browser, ben_has_it: Browser) -> None:
    assert ask(ann) == 303
    assert rows(SecondStepReset) == []


def test_the_app_sees_nothing_of_a_platform_admins_second_step(pat: Browser, browser: Browser, world: World) -> None:
    set_up(pat, world.pat, "/platform/two-step")
    enter_console(browser)
    with global_scope():
        for kind in (SecondStep, SecondStepChange, PendingSignIn, UserSession):
            assert db.session.query(kind).count() == 0
    with scope_of(PlatformAdmin):
        assert db.session.query(PendingSignIn).count() == 1
