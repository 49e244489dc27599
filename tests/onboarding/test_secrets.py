from __future__ import annotations

import psycopg
import pytest

from app.crypto import Undecryptable
from app.extensions import outside
from app.onboarding.models import Onboarding
from app.tenancy import is_uuid, tenant_scope
from app.tenancy.happenings import SUBSCRIBERS
from app.tenancy.queue import SWEEPS
from app.wabas.models import PhoneNumber, Waba
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt

TABLES = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"


def values_stored(superuser_url: str) -> list[str]:
    """Every value of every row of every table, as text; bytes in hexadecimal and as they are."""
    results: list[str] = []
    with psycopg.connect(superuser_url) as connection:
        for (table,) in connection.execute(TABLES).fetchall():
            for row in connection.execute(f"select * from {table}"):
                results += [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row]
    return results


@pytest.fixture
def secrets(attempt: Attempt) -> list[str]:
    """The code, the token and the PIN of a number that was connected."""
    attempt.connect()
    with tenant_scope(attempt.tenant_id):
        return [attempt.signed_up["code"], attempt.waba().token, str(attempt.number().pin)]


def test_no_page_shows_a_secret(attempt: Attempt, secrets: list[str], pat: Browser) -> None:
    number = f"~/numbers/{attempt.number().id}"
    pages = ["~/numbers", "~/onboarding/ways", number, f"{number}/profile", f"{number}/links", f"{number}/blocked"]
    console = ["/platform/", "/platform/accounts", "/platform/doctor", f"/platform/tenants/{attempt.tenant_id}"]
    shown = attempt.page() + "".join(attempt.browser.get(page).get_data(as_text=True) for page in pages)
    shown += "".join(pat.get(page).get_data(as_text=True) for page in console)
    assert [secret for secret in secrets if secret in shown] == []


def test_no_job_holds_a_secret(attempt: Attempt, enqueued: Enqueued) -> None:
    attempt.connect()
    attempt.browser.post(f"~/numbers/{attempt.number().id}/renewal")
    for sweep in SWEEPS.values():
        sweep.function()
    arguments = {argument for job in enqueued.jobs for argument in job.args}
    assert arguments
    assert [one for one in arguments - SUBSCRIBERS.keys() if not is_uuid(one)] == []


def test_no_row_holds_a_secret_in_clear(secrets: list[str], superuser_url: str) -> None:
    *long, pin = secrets
    stored = values_stored(superuser_url)
    assert pin not in stored
    assert [secret for secret in long if any(secret in value for value in stored)] == []


def test_redis_holds_no_secret(secrets: list[str]) -> None:
    redis = outside().redis
    saved = b"".join(redis.dump(key) or b"" for key in redis.scan_iter())
    assert [secret for secret in secrets if secret.encode() in saved] == []


def test_the_log_holds_no_secret(capfd: pytest.CaptureFixture[str], secrets: list[str], attempt: Attempt) -> None:
    incoming = "".join(capfd.readouterr())
    ours = [line for line in incoming.splitlines() if line.startswith("{")]
    assert [secret for secret in secrets if any(secret in line for line in ours)] == []


def test_what_the_client_of_meta_says_holds_no_secret(attempt: Attempt, caplog: pytest.LogCaptureFixture) -> None:
    attempt.fail("debug_token", 190, details="Malformed access token")
    attempt.connect()
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
    assert [line for line in ours if attempt.signed_up["code"] in line or attempt.token() in line] == []


def test_a_token_moved_to_another_row_does_not_open(attempt: Attempt, rival: Attempt) -> None:
    attempt.connect()
    stolen = attempt.waba().token_ciphertext
    rival.sign_up(name="Shoes", number="+1 555 078 3882")
    rival.connect()
    with tenant_scope(rival.tenant_id):
        waba = Waba.get_or_404(rival.waba().id)
        waba.token_ciphertext = stolen
        with pytest.raises(Undecryptable):
            _ = waba.token


def test_a_pin_moved_to_another_row_does_not_open(attempt: Attempt) -> None:
    attempt.connect()
    with tenant_scope(attempt.tenant_id):
        moved = PhoneNumber(tenant_id=attempt.tenant_id, id=attempt.id)
        moved.pin_ciphertext = attempt.number().pin_ciphertext
        with pytest.raises(Undecryptable):
            _ = moved.pin


def test_a_damaged_token_asks_for_a_new_start(attempt: Attempt) -> None:
    attempt.hand_over()
    with tenant_scope(attempt.tenant_id):
        onboarding = Onboarding.get_or_404(attempt.id)
        onboarding.token_ciphertext = (onboarding.token_ciphertext or b"")[:-1] + b"x"
    attempt.run()
    assert attempt.trouble()["start_again"]


def test_the_pin_is_saved_and_used_again(attempt: Attempt, again: Attempt) -> None:
    attempt.connect()
    pin = attempt.number().pin
    again.connect()
    assert attempt.number().pin == pin
