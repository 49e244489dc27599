"""Forms to begin with, each in six languages (`starters/*.toml`): its fields once, its words by language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.meta.flow_json import KINDS

# Each in its own words.
LANGUAGE_NAMES = {
    "en_US": "English",
    "fr": "Français",
    "es": "Español",
    "pt_BR": "Português",
    "de": "Deutsch",
    "ar": "العربية",
}
LANGUAGES = tuple(LANGUAGE_NAMES)
KEYS = ("lead", "appointment", "viewing", "feedback", "address", "callback")
_FOLDER = Path(__file__).with_suffix("")


@dataclass(frozen=True, slots=True)
class Starter:
    """`fields` are by screen: kind, name and whether it is required. `texts` are by language, in the same order.

    The words of a screen are its title, its button, then a line for each field: a label, and options after bars.
    """

    key: str
    category: str
    fields: tuple[tuple[str, ...], ...]
    texts: Mapping[str, Mapping[str, Any]]

    def title(self, language: str) -> str:
        return str(self.texts[self.nearest(language)]["title"])

    def summary(self, language: str) -> str:
        return str(self.texts[self.nearest(language)]["summary"])

    def nearest(self, language: str) -> str:
        """A reader's language may have another region, or none."""
        spoken = language.replace("-", "_").partition("_")[0]
        near = (one for one in self.texts if one.partition("_")[0] == spoken)
        return language if language in self.texts else next(near, LANGUAGES[0])

    def screens(self, language: str) -> list[dict[str, Any]]:
        words = self.texts[language]["screens"]
        return [_screen(fields, lines) for fields, lines in zip(self.fields, words, strict=True)]


def _screen(fields: tuple[str, ...], words: list[str]) -> dict[str, Any]:
    title, button, *lines = words
    return {"title": title, "button": button, "parts": list(map(_part, fields, lines))}


def _part(field: str, line: str) -> dict[str, Any]:
    """`short full_name!` is a required field; a text has no name."""
    kind, _, name = field.partition(" ")
    label, *options = line.split("|")
    return {
        "kind": KINDS[kind].name,
        "label": label,
        "name": name.rstrip("!"),
        "hint": "",
        "required": name.endswith("!"),
        "options": options,
    }


def starter_named(key: str) -> Starter | None:
    return _BY_KEY.get(key)


def _read() -> Iterator[Starter]:
    for key in KEYS:
        raw = tomllib.loads((_FOLDER / f"{key}.toml").read_text(encoding="utf-8"))
        texts = {language: raw[language] for language in LANGUAGES}
        yield Starter(key, raw["category"], tuple(map(tuple, raw["fields"])), texts)


STARTERS = tuple(_read())
_BY_KEY = {starter.key: starter for starter in STARTERS}
