"""The builder's form: what is typed, one change of it, what Meta would say of it, and saving it."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from flask_babel import gettext
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from app.meta.message_templates import Template
from app.meta.outgoing.kinds import Refused
from app.meta.template_languages import LANGUAGES
from app.meta.template_rules import Problem, problems_of
from app.storage import StorageUnavailable
from app.tenancy import Actor, db, is_uuid
from app.wabas.models import Waba
from app.words import N_

from .fields import (
    BUTTONS,
    CARD_HEADERS,
    MEDIA,
    MOST_APPS,
    MOST_BUTTONS,
    MOST_CARDS,
    ON,
    Fields,
    content_of,
    fields_of,
    is_code,
    layout_of,
    names_in,
    put_rows,
    read_fields,
    rows,
)
from .models import MessageTemplate, NameTaken
from .samples import TemplateSample, with_handles
from .versions import Content, EditedMeanwhile, TemplateVersion

CATEGORIES = ("UTILITY", "MARKETING", "AUTHENTICATION")
# What is missing is said once somebody wants to save or submit, not while they write.
MISSING = ("_missing", "cards_count")
# A button that lets customers refuse marketing, as WhatsApp Manager writes it, with the footer that points at it.
OPT_OUT = {
    "en": ("Stop promotions", "Not interested? Tap Stop promotions"),
    "ar": ("إيقاف العروض", "لست مهتماً؟ اضغط على إيقاف العروض"),
    "de": ("Keine Werbung mehr", "Kein Interesse? Tippe auf Keine Werbung mehr"),
    "es": ("Detener promociones", "¿No te interesa? Toca Detener promociones"),
    "fr": ("Arrêter les promotions", "Pas intéressé ? Touchez Arrêter les promotions"),
    "pt": ("Parar promoções", "Não tem interesse? Toque em Parar promoções"),
}
NAME_TAKEN = N_("This account has a template with this name in this language. Choose another name or language.")
STORAGE_UNAVAILABLE = N_("The file couldn't be stored. Try again in a minute.")
NO_LANGUAGE = N_("Choose the language of the text.")
NO_ACCOUNT = N_("Choose the account.")
VERSION_GONE = N_("This version has been submitted or discarded. Copy your text and open the template again.")
ON_ITS_WAY = N_("This version is on its way to Meta. Wait a moment.")


@dataclass(frozen=True, slots=True)
class Remark:
    """A problem in words, at the field it is about."""

    path: str
    words: str
    is_warning: bool = False


@dataclass
class TemplateForm:
    """`fields` are all that was typed, by the paths of `Problem`; what the page does not show travels along."""

    fields: Fields
    template: MessageTemplate | None = None
    revision: int = 0
    # Whether also what is missing is shown as a problem.
    is_strict: bool = False
    # Whether it may be submitted although something couldn't send the new text.
    agrees: bool = False
    # Whether the answer leads to the first problem.
    is_saving: bool = False
    problems: list[Problem] = field(default_factory=list)
    # Problems in words of their own, by path: a file that was refused, a name that is taken.
    complaints: dict[str, str] = field(default_factory=dict)
    samples: dict[str, TemplateSample] = field(default_factory=dict)
    theirs: TemplateVersion | None = None
    focus: str = ""
    # What the page has shown so far.
    shown: set[str] = field(default_factory=set)
    explained: list[Remark] | None = None

    @classmethod
    def new(cls, content: Content, *, name: str, language: str, waba_id: uuid.UUID | None) -> TemplateForm:
        own = {"name": name, "language": language, "waba_id": str(waba_id or "")}
        own |= {"preview.rtl": ON} if is_rtl(language) else {}
        return cls(fields_of(content) | own).completed()

    @classmethod
    def of(cls, template: MessageTemplate, version: TemplateVersion | None) -> TemplateForm:
        content = version.content if version else template.content_to_edit
        own = {"name": template.name, "language": template.language}
        own |= {"preview.rtl": ON} if is_rtl(template.language) else {}
        return cls(fields_of(content) | own, template, version.revision if version else 0).completed()

    @classmethod
    def read(cls, form: Mapping[str, Any], template: MessageTemplate | None) -> TemplateForm:
        revision = str(form.get("revision") or "")
        read = cls(read_fields(form), template, int(revision) if revision.isdecimal() and len(revision) < 9 else 0)
        read.is_strict, read.agrees = bool(form.get("checked")), bool(form.get("breaks_uses"))
        if template and not template.is_draft:
            read.fields |= {"name": template.name, "language": template.language}
            if read.has_fixed_category:
                read.fields["category"] = template.category
        return read

    # What is typed

    @property
    def name(self) -> str:
        return name_from(self.fields.get("name", ""))

    @property
    def language(self) -> str:
        return self.fields.get("language", "")

    @property
    def category(self) -> str:
        return self.fields.get("category", "")

    @property
    def is_code(self) -> bool:
        return is_code(self.category)

    @property
    def layout(self) -> str:
        return layout_of(self.fields)

    @property
    def has_fixed_category(self) -> bool:
        """Meta doesn't let an approved template change it."""
        return self.template is not None and self.template.status == "APPROVED"

    @property
    def content(self) -> Content:
        content = content_of(self.fields | {"parameter_format": self.parameter_format})
        return dataclasses.replace(content, category=self.category if self.category in CATEGORIES else "UTILITY")

    @property
    def parameter_format(self) -> str:
        """By how the variables are written; without any, as it was."""
        paths = [self.fields.get("header.text", ""), self.fields.get("body", "")]
        paths += [row.get("body", "") for row in self.rows("cards")]
        names = [name for words in paths for name in names_in(words, is_named=True)]
        if not names:
            return self.fields.get("parameter_format", "NAMED")
        return "POSITIONAL" if all(map(str.isdecimal, names)) else "NAMED"

    def rows(self, path: str) -> list[Fields]:
        return rows(self.fields, path, MOST_CARDS if path == "cards" else MOST_BUTTONS)

    def variables(self, path: str) -> list[str]:
        return names_in(self.fields.get(path, ""), is_named=self.parameter_format == "NAMED")

    @property
    def definition(self) -> Template:
        content = self.content
        return Template(
            self.name, self.language, content.category, "", content.is_named, content.components, content.ttl_seconds
        )

    # Completing and changing it

    def completed(self) -> TemplateForm:
        """Adds what its category and layout need, makes all cards alike, and finds its samples."""
        fields = self.fields
        if self.is_code and not fields.get("otp.otp_type"):
            fields |= {"otp.otp_type": "COPY_CODE", "body.add_security_recommendation": ON}
            fields.setdefault("footer.code_expiration_minutes", "10")
        if fields.get("otp.otp_type", "COPY_CODE") != "COPY_CODE" and not self.rows("otp.supported_apps"):
            put_rows(fields, "otp.supported_apps", [{"package_name": "", "signature_hash": ""}])
        if self.layout == "offer":
            if fields.get("header.format") not in ("", "IMAGE", "VIDEO"):
                fields["header.format"] = "IMAGE"
            fields.setdefault("header.format", "IMAGE")
            fields.setdefault("limited_time_offer.has_expiration", ON)
            if not self.rows("buttons"):
                put_rows(fields, "buttons", [{"type": "COPY_CODE"}, {"type": "URL", "url": "https://"}])
        if self.layout == "carousel":
            self.make_cards_alike()
        self.find_samples()
        return self

    def make_cards_alike(self) -> None:
        cards = self.rows("cards") or [{"header.format": "IMAGE", "buttons.0.type": "QUICK_REPLY"}]
        cards += [like(cards[0]) for _ in range(2 - len(cards))]
        first = cards[0]
        if first.get("header.format") not in CARD_HEADERS:
            first["header.format"] = "IMAGE"
        kinds = [row.get("type", "") for row in rows(first, "buttons")]
        for card in cards[1:]:
            card["header.format"] = first["header.format"]
            own = rows(card, "buttons")[: len(kinds)]
            own += [{} for _ in range(len(kinds) - len(own))]
            put_rows(card, "buttons", [row | {"type": kind} for row, kind in zip(own, kinds, strict=True)])
        put_rows(self.fields, "cards", cards)

    def find_samples(self) -> None:
        """Files that are not this tenant's are none."""
        named = {path: id for path, id in self.fields.items() if path.endswith("header.sample") and id}
        ids = [id for id in named.values() if is_uuid(id)]
        if ids:
            stored = db.session.scalars(select(TemplateSample).where(TemplateSample.id.in_(ids)))
            self.samples = {str(sample.id): sample for sample in stored}
        for path, id in named.items():
            if id not in self.samples:
                del self.fields[path]

    def take_files(self, files: Mapping[str, FileStorage]) -> None:
        """Stores the samples that were chosen, each in its place."""
        for name, file in list(files.items())[: MOST_CARDS + 1]:
            path = name.removesuffix(".file")
            format = self.fields.get(f"{path}.format", "")
            if not file.filename or format not in MEDIA:
                continue
            try:
                sample = TemplateSample.store(format, cast("BinaryIO", file.stream), file.filename)
            except Refused as refused:
                self.complaints[f"{path}.example"] = refused.explain(gettext)
            except StorageUnavailable:
                self.complaints[f"{path}.example"] = gettext(STORAGE_UNAVAILABLE)
            else:
                db.session.flush()
                self.fields[f"{path}.sample"] = str(sample.id)
                self.samples[str(sample.id)] = sample

    def change(self, action: str) -> None:
        """One change of its shape: add, remove or move a row."""
        verb, _, where = action[:200].partition(":")
        listed, _, number = where.rpartition(".")
        place = int(number) if number.isdecimal() and len(number) < 3 else -1
        if verb == "add":
            self.add(where)
        elif verb == "opt_out":
            self.add_opt_out()
        elif verb == "remove" and where.endswith("header.sample"):
            self.fields.pop(where, None)
        elif verb == "remove" and listed == "cards.buttons":
            self.change_cards(lambda own: own[:place] + own[place + 1 :])
        elif listed in ("buttons", "cards", "otp.supported_apps"):
            self.reorder(verb, listed, place)

    def add(self, where: str) -> None:
        listed = self.rows(where)
        kind = self.fields.get("new_button", "QUICK_REPLY")
        kind = kind if kind in BUTTONS else "QUICK_REPLY"
        if where == "buttons" and len(listed) < MOST_BUTTONS:
            put_rows(self.fields, where, [*listed, {"type": kind} | ({"url": "https://"} if kind == "URL" else {})])
            self.focus = f"buttons.{len(listed)}.{next(iter(BUTTONS[kind]), 'type')}"
        elif where == "cards.buttons":
            kind = self.fields.get("new_card_button", "QUICK_REPLY")
            self.change_cards(lambda own: [*own, {"type": kind if kind in BUTTONS else "QUICK_REPLY"}])
        elif where == "cards" and len(listed) < MOST_CARDS:
            put_rows(self.fields, where, [*listed, like(listed[0] if listed else {})])
            self.focus = f"cards.{len(listed)}.body"
        elif where == "otp.supported_apps" and len(listed) < MOST_APPS:
            put_rows(self.fields, where, [*listed, {"package_name": "", "signature_hash": ""}])
            self.focus = f"{where}.{len(listed)}.package_name"

    def add_opt_out(self) -> None:
        """The button goes to the other quick replies, where Meta wants it."""
        label, footer = OPT_OUT.get(self.language.partition("_")[0], OPT_OUT["en"])
        listed = self.rows("buttons")
        places = [place for place, row in enumerate(listed) if row.get("type") == "QUICK_REPLY"]
        place = places[-1] + 1 if places else len(listed)
        put_rows(self.fields, "buttons", [*listed[:place], {"type": "QUICK_REPLY", "text": label}, *listed[place:]])
        if not self.fields.get("footer", "").strip():
            self.fields["footer"] = footer
        self.focus = f"buttons.{place}.text"

    def change_cards(self, change: Any) -> None:
        cards = self.rows("cards")
        for card in cards:
            put_rows(card, "buttons", change(rows(card, "buttons")))
        put_rows(self.fields, "cards", cards)

    def reorder(self, verb: str, listed: str, place: int) -> None:
        all_rows = self.rows(listed)
        if not 0 <= place < len(all_rows):
            return
        row = all_rows.pop(place)
        if verb in ("up", "down"):
            to = min(max(place + (1 if verb == "down" else -1), 0), len(all_rows))
            all_rows.insert(to, row)
            # At an end only the other arrow works.
            arrow = "down" if to == 0 else "up" if to == len(all_rows) - 1 else verb
            self.focus = f"{arrow}:{listed}.{to}"
        elif verb != "remove":
            return
        put_rows(self.fields, listed, all_rows)

    # What Meta would say

    def check(self, *, strictly: bool = False) -> None:
        self.is_strict, self.is_saving = self.is_strict or strictly, strictly
        # A handle takes the place of every file that is stored here.
        handles = dict.fromkeys(self.samples, "4::sample")
        definition = self.definition
        problems = problems_of(dataclasses.replace(definition, components=with_handles(definition.components, handles)))
        if twin := self.twin_of(definition):
            problems.append(Problem("body", "same_text", {"name": twin.name}))
        self.problems = [self.placed(one) for one in problems if self.is_strict or not one.kind.endswith(MISSING)]
        for path, missing, words in (
            ("language", self.language not in LANGUAGES, NO_LANGUAGE),
            ("waba_id", self.template is None and not is_uuid(self.fields.get("waba_id")), NO_ACCOUNT),
        ):
            if missing and self.is_strict:
                self.problems = [one for one in self.problems if one.path != path]
                self.complaints[path] = gettext(words)

    def twin_of(self, definition: Template) -> MessageTemplate | None:
        """A template of the account that says the same."""
        if self.template:
            return MessageTemplate.twin_of(definition, self.template.waba_id, self.template.id)
        chosen = self.fields.get("waba_id", "")
        return MessageTemplate.twin_of(definition, uuid.UUID(chosen), None) if is_uuid(chosen) else None

    def placed(self, problem: Problem) -> Problem:
        """The button of an authentication template has fields of its own."""
        if self.is_code and problem.path.startswith("buttons"):
            return dataclasses.replace(problem, path="otp" + problem.path.removeprefix("buttons").removeprefix(".0"))
        return problem

    @property
    def is_wrong(self) -> bool:
        """Whether Meta would not take it."""
        return bool(self.complaints) or any(not one.is_warning for one in self.problems)

    @property
    def lacks_identity(self) -> bool:
        """Whether it cannot even be saved."""
        return not (self.name and self.language in LANGUAGES and self.category in CATEGORIES) or bool(self.complaints)

    # As the page shows it

    def value(self, path: str) -> str:
        """What is in a field that the page shows."""
        self.shown.add(path)
        return self.fields.get(path, "")

    @property
    def remarks(self) -> list[Remark]:
        """Those that the page has not shown yet."""
        if self.explained is None:
            complaints = [Remark(path, words) for path, words in self.complaints.items()]
            self.explained = complaints + [
                Remark(one.path, one.explain(gettext), one.is_warning) for one in self.problems
            ]
        return self.explained

    def remarks_at(self, path: str, *, below: bool = False) -> list[Remark]:
        """Those about a field; with `below` also those about its parts that nothing else has shown."""
        chosen = [one for one in self.remarks if one.path == path or (below and one.path.startswith(f"{path}."))]
        self.explained = [one for one in self.remarks if one not in chosen]
        return chosen

    def takes_focus(self, path: str, remarks: list[Remark]) -> bool:
        """The field that a change leads to, or the first one with a problem."""
        is_wrong = self.is_saving and any(not remark.is_warning for remark in remarks)
        is_first = self.focus == path or (not self.focus and is_wrong)
        if is_first:
            self.focus = path
        return is_first

    @property
    def unseen(self) -> Fields:
        """What the page does not show, and takes along."""
        return {path: value for path, value in self.fields.items() if value and path not in self.shown}

    # Saving

    def save(self, *, by: Actor) -> MessageTemplate:
        """Raises `Refused`, `NameTaken`, `EditedMeanwhile`."""
        name, language, content = self.name[:512], self.language, self.content
        if self.template is None:
            self.template = self.begin(Waba.get_or_404(self.fields["waba_id"]).id, by=by)
            return self.template
        template, version = self.template, self.template.locked_version()
        if version and version.state == "submitting":
            raise Refused(ON_ITS_WAY)
        is_renamed = template.is_draft and (name, language) != (template.name, template.language)
        if version and is_renamed and version.revision != self.revision:
            raise EditedMeanwhile(version)
        if template.is_draft:
            template.rename(name, language)
            template.category, template.parameter_format = content.category, content.parameter_format
        if version:
            version.save(content, revision=self.revision, by=by, is_renamed=is_renamed)
        elif self.revision:
            raise Refused(VERSION_GONE)
        elif content not in (template.content, template.content_to_edit):
            TemplateVersion.begin(template.id, content, by=by)
        db.session.flush()
        return template

    def begin(self, waba_id: uuid.UUID, *, by: Actor) -> MessageTemplate:
        """A second click on the button finds what the first has made."""
        name, language, content = self.name[:512], self.language, self.content
        try:
            return MessageTemplate.begin(waba_id, name, language, content, by=by)
        except NameTaken:
            named = MessageTemplate.of(waba_id).where(
                MessageTemplate.name == name, MessageTemplate.language == language
            )
            template = db.session.scalars(named).one()
            version = TemplateVersion.open_of(template.id) if template.is_draft else None
            if version is None or version.author != by or version.content != content:
                raise
            return template

    def complain(self, problem: Exception) -> None:
        if isinstance(problem, NameTaken):
            self.complaints["name"] = gettext(NAME_TAKEN)
        elif isinstance(problem, EditedMeanwhile):
            self.theirs, self.revision = problem.theirs, problem.theirs.revision
        elif isinstance(problem, Refused):
            self.complaints[""] = problem.explain(gettext)


def is_rtl(language: str) -> bool:
    return language.partition("_")[0] in ("ar", "fa", "he", "ur")


def like(card: Fields) -> Fields:
    """Another card of the same shape."""
    made = {"header.format": card.get("header.format", "IMAGE")}
    put_rows(made, "buttons", [{n: row[n] for n in ("type", "text") if n in row} for row in rows(card, "buttons")])
    return made


# Of a name. Meta accepts 512 characters, so one that is cut off is still refused as too long.
MOST_TYPED = 1_000


def name_from(words: str) -> str:
    """What is typed, as Meta accepts it where its letters allow that: “Bestellung fertig” is bestellung_fertig."""
    # Some letters are eighteen once they are taken apart.
    letters = unicodedata.normalize("NFKD", words[:MOST_TYPED].lower())
    plain = "".join(one for one in letters if not unicodedata.combining(one))
    return re.sub(r"[\s\-–.,/]+", "_", plain.replace("ß", "ss").strip())


def free_name(waba_id: uuid.UUID | None, name: str, language: str) -> str:
    """The name, or with a number behind it where the account has one of that name in this language."""
    same = select(MessageTemplate.name).where(
        MessageTemplate.waba_id == waba_id, MessageTemplate.language == language, MessageTemplate.name.startswith(name)
    )
    taken = set(db.session.scalars(same)) if waba_id else set()
    numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)
