"""Texts that customers read, in further languages: beside the usual ones of a page, a wording for each language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.languages import OWN_NAMES, main_language
from app.shortening import too_long

# By language, then by the name of the text; a text of several lines is a list.
Wordings = Mapping[str, Mapping[str, Any]]


def worded(wordings: Wordings, language: str) -> Mapping[str, Any]:
    """The texts in a customer's language; empty where they get the usual ones."""
    return wordings.get(main_language(language), {})


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a page. `widget` is entry, area or lines; `most` its longest length, if there is one."""

    name: str
    label: str
    widget: str = "area"
    most: int | None = None


def untranslated(_text: str, _language: str) -> str:
    return ""


@dataclass
class WordingsForm:
    """The further languages of some texts, as a page edits them: fields such as `text:fr`.

    Adding or removing a language shows the page again, and only saving it stores something. `translate` proposes the
    words of a language that is added.
    """

    texts: Sequence[Text]
    wordings: Wordings = field(default_factory=dict)
    translate: Callable[[str, str], str] = untranslated
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sent(
        cls, texts: Sequence[Text], form: Mapping[str, Any], translate: Callable[[str, str], str] = untranslated
    ) -> WordingsForm:
        """As a page was sent, with a language added or removed where that was pressed."""
        given = form if isinstance(form, MultiDict) else MultiDict(form)
        codes = [code for code in given.getlist("wording") if code in OWN_NAMES]
        wordings = {
            code: {one.name: typed(one, given.get(f"{one.name}:{code}", "")) for one in texts} for code in codes
        }
        wordings.pop(given.get("removed_wording", ""), None)
        self = cls(texts, wordings, translate)
        added = given.get("added_wording", "")
        if "add_wording" in given and added in self.offered:
            usual = {one.name: typed(one, given.get(one.name, "")) for one in texts}
            self.wordings = wordings | {added: {name: self.translated(text, added) for name, text in usual.items()}}
        return self

    @staticmethod
    def is_shown_again(form: Mapping[str, Any]) -> bool:
        """Whether a language was added or removed, and nothing is to be saved yet."""
        return "add_wording" in form or "removed_wording" in form

    def translated(self, text: Any, language: str) -> Any:
        if isinstance(text, list):
            return [self.translate(line, language) for line in text]
        return self.translate(text, language)

    @property
    def fits(self) -> bool:
        """Whether no text is too long; `problems` says which."""
        for code in self.wordings:
            for one in self.texts:
                if one.most and len(self.shown(code, one.name)) > one.most:
                    self.problems[f"{one.name}:{code}"] = too_long(one.most)
        return not self.problems

    @property
    def names(self) -> dict[str, str]:
        return OWN_NAMES

    @property
    def offered(self) -> dict[str, str]:
        return {code: name for code, name in OWN_NAMES.items() if code not in self.wordings}

    def shown(self, code: str, name: str) -> str:
        text = self.wordings[code].get(name) or ""
        return text if isinstance(text, str) else "\n".join(text)

    @property
    def filled(self) -> dict[str, dict[str, Any]]:
        """What is to be stored: languages in which something was written."""
        written = {code: {name: text for name, text in by.items() if text} for code, by in self.wordings.items()}
        return {code: texts for code, texts in written.items() if texts}


def typed(text: Text, value: str) -> Any:
    plain = value.replace("\x00", "").replace("\r\n", "\n")
    if text.widget == "lines":
        return [line.strip() for line in plain.splitlines() if line.strip()]
    return plain.strip()
