"""The walk with curl in the README, sent to the app: every command that is added there is tried here."""

from __future__ import annotations

import pathlib
import re
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.api import ApiKey
from app.api.scopes import SCOPES
from app.inbox.conversations import Conversation
from app.tenancy import Actor, db, platform_scope, tenant_scope
from tests.client import isolated
from tests.world import World, conversation

README = pathlib.Path(__file__).parents[2] / "README.md"
VARIABLE = re.compile(r"\$(\w+)")
EXPORT = re.compile(r"^export (\w+)=(.+)$", re.MULTILINE)


def script() -> str:
    """The block of the section on the API, each command on one line."""
    section = README.read_text().partition("\n## API\n")[2].partition("\n## ")[0]
    return section.partition("```sh\n")[2].partition("```")[0].replace("\\\n", "")


class Walk:
    """A shell with these variables. What a POST adds is in the variable of its name: `MESSAGE`, `TEMPLATE` …"""

    def __init__(self, app: Flask, variables: dict[str, str]) -> None:
        self.client, self.variables = app.test_client(), variables
        for name, value in EXPORT.findall(script()):
            self.variables[name] = self.filled(value.strip('"'))

    def filled(self, line: str) -> str:
        return VARIABLE.sub(lambda variable: self.variables[variable[1]], line)

    def commands(self) -> Iterator[list[str]]:
        for line in script().splitlines():
            if line.startswith("curl "):
                yield shlex.split(self.filled(line))

    def run(self, command: list[str]) -> TestResponse:
        """Of curl the options `-X`, `-H`, `-d` and `-g`, and the address: without `-g`, brackets are a range to it."""
        given: dict[str, list[str]] = {"-X": [], "-H": [], "-d": [], "": []}
        assert "-g" in command or not any("[" in word for word in command if word.startswith("http"))
        words = (word for word in command[1:] if word != "-g")
        for word in words:
            given[word if word.startswith("-") else ""].append(next(words) if word.startswith("-") else word)
        method = given["-X"][0] if given["-X"] else "POST" if given["-d"] else "GET"
        address = urlsplit(given[""][0])
        headers = dict(header.split(": ", 1) for header in given["-H"])
        options: dict[str, Any] = {
            "method": method,
            "headers": headers,
            "data": given["-d"][0] if given["-d"] else None,
        }
        answer = isolated(self.client.open, f"{address.path}?{address.query}".rstrip("?"), **options)
        collection = address.path.rpartition("/")[2]
        if method == "POST" and collection.endswith("s") and answer.json:
            self.variables[collection.removesuffix("s").upper()] = answer.json["id"]
        return answer


@pytest.fixture
def talk(world: World) -> Conversation:
    return conversation(world.connect_numbers()[0])


def test_the_walk_of_the_readme_works_as_it_is_written(app: Flask, world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        _key, secret = ApiKey.create("README", "live", list(SCOPES), by=Actor.agent(world.ann))
    walk = Walk(app, {"SWITCHBOARD_KEY": secret, "CONVERSATION": str(talk.id), "MESSAGE": ""})
    walked = []
    for command in walk.commands():
        walked.append(" ".join(command))
        if walked[-1].count("/retry"):
            fail_for_a_while(walk.variables["MESSAGE"])
        answer = walk.run(command)
        assert answer.status_code < 300, (command, answer.text)
    assert len(walked) >= 6 and any("It's paid" in one for one in walked)


def fail_for_a_while(message_id: str) -> None:
    error = '{"kind": "retry_later", "code": 131000, "title": "Something went wrong at Meta"}'
    with platform_scope("tests"):
        failed = text("update messages set state = 'failed', error = cast(:error as jsonb) where id = :id")
        db.session.execute(failed, {"error": error, "id": message_id})
