"""`make messages`: what there is to translate, and the catalogues of the languages that exist brought up to date."""

from __future__ import annotations

import contextlib
import pathlib

from babel.messages.frontend import CommandLineInterface

ROOT = pathlib.Path(__file__).parent.parent
FOLDER = ROOT / "app" / "translations"
# Beside gettext's own: `N_` marks words where they are written down, `nN_` both forms of a plural (app/words.py).
KEYWORDS = ("N_", "nN_:1,2", "lazy_gettext", "lazy_ngettext:1,2")


def extract(target: pathlib.Path) -> None:
    keywords = [part for keyword in KEYWORDS for part in ("-k", keyword)]
    look = ["-F", "babel.cfg", "--project=Switchboard", "--sort-by-file", "--no-wrap", "-o", str(target)]
    pybabel("extract", *look, *keywords, ".")


def update(template: pathlib.Path) -> None:
    if any(FOLDER.glob("*/LC_MESSAGES/messages.po")):
        pybabel("update", "-i", str(template), "-d", str(FOLDER))
        pybabel("compile", "-d", str(FOLDER))


def pybabel(*arguments: str) -> None:
    """From the root, so that the places it notes are the same on every machine."""
    with contextlib.chdir(ROOT):
        CommandLineInterface().run(["pybabel", "-q", *arguments])  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    extract(FOLDER / "messages.pot")
    update(FOLDER / "messages.pot")
