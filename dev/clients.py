"""Writes what is generated from the API's document: `python -m dev.clients` makes the types of clients/typescript."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import tempfile
from typing import Any

from app import create_app
from app.api.document import document
from app.config import Settings
from dev import environment
from dev.assets import npm

ROOT = pathlib.Path(__file__).parent.parent
TYPES = ROOT / "clients/typescript/src/schema.ts"


def described() -> dict[str, Any]:
    """The document of no server in particular. Nothing is connected for it."""
    nowhere = "http://127.0.0.1:9"
    urls = environment.database_urls(lambda user, database: f"postgresql://{user}@127.0.0.1:9/{database}", "nothing")
    given = environment.settings(
        urls,
        "redis://127.0.0.1:9",
        public_url="https://inbox.example.com",
        simulator_url=nowhere,
        folder=tempfile.gettempdir(),
        seed="document",
    )
    with create_app(Settings.from_environment(given)).app_context():
        return document()


def node() -> tuple[str, dict[str, str]]:
    """The node beside the npm that builds the assets."""
    command, variables = npm()
    program = shutil.which("node", path=variables["PATH"])
    return program or command[0], variables


def types_of(api: dict[str, Any]) -> str:
    """The document as TypeScript."""
    program, variables = node()
    generator = ROOT / "node_modules/openapi-typescript/bin/cli.js"
    with tempfile.TemporaryDirectory() as folder:
        source, result = pathlib.Path(folder, "openapi.json"), pathlib.Path(folder, "schema.ts")
        source.write_text(json.dumps(api))
        command = [
            program,
            str(generator),
            str(source),
            "--output",
            str(result),
            "--alphabetize",
            "--default-non-nullable=false",
        ]
        subprocess.run(command, env=variables, check=True, capture_output=True)
        return result.read_text()


if __name__ == "__main__":
    TYPES.write_text(types_of(described()))
