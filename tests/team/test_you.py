"""Everything personal is one click from the page “You”."""

from __future__ import annotations

import pytest

from tests.client import Browser

PERSONAL = [
    *("account#your-name", "account#your-language", "account#your-time-zone", "account#your-password"),
    *("account#presence", "account#sessions", "account/two-step", "push/"),
    *("inbox/shortcuts#writing", "inbox/shortcuts#first_view", "inbox/shortcuts"),
]


@pytest.mark.parametrize("page", ["~/account", "~/settings"])
def test_each_personal_setting_is_in_the_list(ben: Browser, page: str) -> None:
    shown = ben.get(page).text
    assert [one for one in PERSONAL if f'href="/t/bakery/{one}"' not in shown] == []


def test_the_time_zone_of_the_page_is_named(ben: Browser) -> None:
    ben.client.set_cookie("time_zone", "Asia/Calcutta")
    assert "Kolkata, India (UTC+05:30)" in ben.get("~/account").text


def test_the_setting_says_what_sending_as_one_does(ben: Browser) -> None:
    page = ben.get("~/inbox/shortcuts").text
    assert "send short messages as one" in page and "it counts as one reply" in page
