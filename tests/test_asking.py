"""Whatever deletes something that somebody made, or that does not come back, asks first."""

from __future__ import annotations

import pathlib
import re

import pytest
from flask import Flask

from tests.client import Browser
from tests.world import World

APP = pathlib.Path(__file__).parent.parent / "app"
FINAL = re.compile(
    r"(remove|delete|discard|revoke|disconnect|offboard|end|stop|erase|unlink|cancel|withdraw|renew|rotate)_?"
)
CALL = re.compile(r"url_for\(\s*[\"']([\w.]+)[\"']")
# What asks in its own way, can be had back with one click, or is only a way out.
ALLOWED = {
    "closing.withdraw_request": "it takes back a deletion",
    "contacts.remove_tag": "one click puts it on again",
    "costs.end_recharge": "one click turns it on again",
    "listings.stop_search": "Resume is in its place",
    "numbers.disconnect": "the number has to be entered",
    "numbers.renew_token": "nothing is lost: the token before it lives on",
    "people.erase_contact": "a page of its own asks",
    "platform.withdraw_closure": "it takes back a deletion",
    "platform.withdraw_guard_step": "it takes back a step",
    "platform.withdraw_reset": "the request can be made again",
    "push.renew_browser": "done by the page's script",
    "subscriptions.renew": "a form with a date",
    "team.end_other_sessions": "signing in again gives it back",
    "team.end_session": "signing in again gives it back",
    "team.renew_invitation": "the invitation is sent again",
    "developers.renew_key": "a form that says until when the key before it works",
    "held.discard": "a form that asks for the reason",
    "platform.offboard": "its button asks",
}


def asked_and_not() -> tuple[set[str], set[str]]:
    """The endpoints whose name says that something goes, inside of a question and outside of one."""
    asked: set[str] = set()
    at_once: set[str] = set()
    for file in APP.rglob("*.html"):
        text = file.read_text()
        for call in CALL.finditer(text):
            if not FINAL.match(call.group(1).partition(".")[2]):
                continue
            before = text[: call.start()]
            question = max(before.rfind("asks("), before.rfind('class="confirm'))
            is_asked = question > max(before.rfind("</details>"), before.rfind("</form>"))
            (asked if is_asked else at_once).add(call.group(1))
    return asked, at_once


def test_what_deletes_asks_first() -> None:
    asked, at_once = asked_and_not()
    assert sorted(at_once - ALLOWED.keys()) == [] and len(asked) > 30
    assert sorted(ALLOWED.keys() - at_once) == []


@pytest.mark.parametrize("path", ["~/inbox/canned-replies", "~/welcome"])
def test_the_question_names_what_goes(ann: Browser, world: World, app: Flask, path: str) -> None:
    ann.post("~/inbox/canned-replies", {"shortcut": "hi", "body": "Hello"})
    page = ann.get(path).text
    assert '<details class="confirm">' in page and 'class="btn btn-sm btn-error"' in page
