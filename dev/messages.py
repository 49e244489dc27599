"""`make messages`: what there is to translate, and the catalogues of the languages that exist brought up to date."""

from __future__ import annotations

import contextlib
import pathlib

from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = pathlib.Path(__file__).parent.parent
FOLDER = ROOT / "app" / "translations"
# Beside gettext's own: `N_` marks words where they are written down, `pN_` with their context, `nN_` both forms of a
# plural (app/words.py).
KEYWORDS = ("N_", "pN_:1c,2", "nN_:1,2", "lazy_gettext", "lazy_pgettext:1c,2", "lazy_ngettext:1,2")

HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {catalogue.locale_identifier}\\n"
"Plural-Forms: {catalogue.plural_forms}\\n"

"""


def extract(target: pathlib.Path) -> None:
    """From the root, so that the places it notes are the same on every machine."""
    keywords = [part for keyword in KEYWORDS for part in ("-k", keyword)]
    look = ["-F", "babel.cfg", "--project=Switchboard", "--sort-by-file", "--no-wrap", "-o", str(target)]
    with contextlib.chdir(ROOT):
        CommandLineInterface().run(["pybabel", "-q", "extract", *look, *keywords, "."])  # type: ignore[no-untyped-call]


def catalogues() -> list[pathlib.Path]:
    return sorted(FOLDER.glob("*/LC_MESSAGES/messages.po"))


def read(path: pathlib.Path, language: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(template: pathlib.Path) -> None:
    """What is new is empty, and shown in English until somebody translates it; what is gone is dropped."""
    wanted = read(template)
    for path in catalogues():
        catalogue = read(path, path.parent.parent.name)
        catalogue.update(wanted, no_fuzzy_matching=True)
        write(catalogue, path)


def write(catalogue: Catalog, path: pathlib.Path) -> None:
    """Sorted, without places and dates: a change of the code changes only the lines whose words it changes."""
    with path.open("wb") as file:
        file.write(HEADER.format(catalogue=catalogue).encode())
        write_po(file, catalogue, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)


def compile_languages() -> None:
    """Makes of each catalogue what the app reads."""
    for path in catalogues():
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, read(path, path.parent.parent.name))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    extract(FOLDER / "messages.pot")
    update(FOLDER / "messages.pot")
    compile_languages()
