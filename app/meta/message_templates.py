"""Message templates: `GET /<waba_id>/message_templates`, what one still needs, and what it looks like filled in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.meta.outgoing.kinds import Outgoing, Refused
from app.words import N_

from .graph import GraphClient
from .payload import identifier, mapping, sequence, text

FIELDS = "id,name,language,status,category,parameter_format,components"
SENDABLE = ("APPROVED", "REINSTATED", "FLAGGED")
LONGEST_BODY = 1024
LONGEST_CODE = 15
MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")
# Buttons that are sent as they are, or with what is asked for here.
FILLED_BUTTONS = ("QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "OTP")
PLAIN_PARTS = ("HEADER", "BODY", "FOOTER", "BUTTONS")
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SPACES = re.compile(r"[\n\t]| {5}")
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Variable:
    """A gap to fill. `place` is header, body, url or code; `index` counts buttons."""

    place: str
    name: str
    example: str
    index: int = 0

    @property
    def key(self) -> str:
        return f"{self.place}-{self.index}-{self.name}"


@dataclass(frozen=True, slots=True)
class Template:
    """A template in one language, as Meta describes it."""

    name: str
    language: str
    category: str
    status: str
    is_named: bool
    components: list[dict[str, Any]]

    @property
    def parts(self) -> dict[str, dict[str, Any]]:
        return {str(part.get("type")).upper(): part for part in map(mapping, self.components)}

    def part(self, name: str) -> dict[str, Any]:
        return self.parts.get(name, {})

    @property
    def body(self) -> str:
        return text(self.part("BODY").get("text")) or ""

    @property
    def header(self) -> str:
        return text(self.part("HEADER").get("text")) or ""

    @property
    def file_kind(self) -> str | None:
        """The kind of file its header is, if it is one."""
        format = str(self.part("HEADER").get("format", "")).upper()
        return format.lower() if format in MEDIA else None

    @property
    def buttons(self) -> list[dict[str, Any]]:
        return list(map(mapping, sequence(self.part("BUTTONS").get("buttons"))))

    @property
    def quick_replies(self) -> list[int]:
        """Where they stand among its buttons."""
        kinds = [str(button.get("type")).upper() for button in self.buttons]
        return [index for index, kind in enumerate(kinds) if kind == "QUICK_REPLY"]

    @property
    def can_be_filled(self) -> bool:
        """Whether all that it needs can be given here."""
        format = str(self.part("HEADER").get("format", "TEXT")).upper()
        return (
            all(name in PLAIN_PARTS for name in self.parts)
            and (format == "TEXT" or format in MEDIA)
            and all(str(button.get("type")).upper() in FILLED_BUTTONS for button in self.buttons)
        )

    @property
    def variables(self) -> list[Variable]:
        return [*self._in_text("HEADER", self.header), *self._in_text("BODY", self.body), *self._in_buttons()]

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing to fill in."""
        return not (self.variables or self.file_kind)

    @property
    def goes_as_it_is(self) -> bool:
        return self.is_whole and self.can_be_filled

    def _in_text(self, part: str, words: str) -> Iterator[Variable]:
        """In the order in which Meta takes them: by name as they stand, by number as they count."""
        names = list(dict.fromkeys(_VARIABLE.findall(words)))
        if not self.is_named:
            names.sort(key=_number)
        examples = _examples(mapping(self.part(part).get("example")), part.lower())
        for place, name in enumerate(names):
            counted = place if self.is_named else _number(name) - 1
            yield Variable(part.lower(), name, examples.get(name if self.is_named else "") or examples.get(counted, ""))

    def _in_buttons(self) -> Iterator[Variable]:
        for index, button in enumerate(self.buttons):
            kind, example = str(button.get("type")).upper(), button.get("example")
            shown = text(example[0] if isinstance(example, list) and example else example, 200) or ""
            if kind == "COPY_CODE":
                yield Variable("code", "code", shown, index)
            elif kind == "URL" and "{{" in str(button.get("url")) and not _is_one_time_code(button):
                yield Variable("url", "1", shown.removeprefix(_base(button)), index)

    def filled(self, values: Mapping[str, str], payloads: Sequence[str] = ()) -> Outgoing:
        """The message to send. Raises `Refused` where something is missing or too long.

        `payloads` come back when a quick reply is tapped, each in its place; without them its label does.
        """
        given = {variable.key: _checked(variable, values.get(variable.key, "")) for variable in self.variables}
        shown = self.shown(given)
        if (over := len(shown["body"]) - LONGEST_BODY) > 0:
            raise Refused(N_("Filled in, the text has {over} characters too many: WhatsApp takes 1,024."), over=over)
        components = [*self._components(given), *self._payloads(payloads)]
        raw = {"name": self.name, "language": {"code": self.language}, "components": components}
        return Outgoing("template", shown["body"], raw, shown, is_code=self.category == "AUTHENTICATION")

    def shown(self, given: Mapping[str, str]) -> dict[str, Any]:
        """What the customer sees; a gap that is not filled stays one."""
        values = {(one.place, one.name): given.get(one.key) or f"{{{{{one.name}}}}}" for one in self.variables}
        return {
            "header": _VARIABLE.sub(lambda gap: values["header", gap[1]], self.header),
            "body": _VARIABLE.sub(lambda gap: values["body", gap[1]], self.body),
            "footer": text(self.part("FOOTER").get("text")) or "",
            "buttons": [self._button(index, button, given) for index, button in enumerate(self.buttons)],
            "name": self.name,
        }

    def _button(self, index: int, button: dict[str, Any], given: Mapping[str, str]) -> dict[str, str]:
        value = given.get(Variable("url", "1", "", index).key, "")
        url = "" if _is_one_time_code(button) else text(button.get("url")) or ""
        title = text(button.get("text"), 100) or ""
        return {"title": title, "url": _VARIABLE.sub(lambda _: value, url)}

    def _components(self, given: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        if kind := self.file_kind:
            yield {"type": "header", "parameters": [{"type": kind, kind: {}}]}
        for place in ("header", "body"):
            if variables := [one for one in self.variables if one.place == place]:
                yield {"type": place, "parameters": [self._parameter(one, given[one.key]) for one in variables]}
        for index, button in enumerate(self.buttons):
            yield from self._button_component(index, button, given)

    def _payloads(self, payloads: Sequence[str]) -> Iterator[dict[str, Any]]:
        for index, payload in zip(self.quick_replies, payloads, strict=False):
            yield _component("quick_reply", index, {"type": "payload", "payload": payload})

    def _parameter(self, variable: Variable, value: str) -> dict[str, str]:
        named = {"parameter_name": variable.name} if self.is_named else {}
        return {"type": "text", "text": value} | named

    def _button_component(
        self, index: int, button: dict[str, Any], given: Mapping[str, str]
    ) -> Iterator[dict[str, Any]]:
        if _is_one_time_code(button):
            code = next((given[one.key] for one in self.variables if one.place == "body"), "")
            yield _component("url", index, {"type": "text", "text": code})
        elif value := given.get(Variable("url", "1", "", index).key):
            yield _component("url", index, {"type": "text", "text": value})
        elif value := given.get(Variable("code", "code", "", index).key):
            yield _component("copy_code", index, {"type": "coupon_code", "coupon_code": value})


def _component(kind: str, index: int, parameter: dict[str, str]) -> dict[str, Any]:
    return {"type": "button", "sub_type": kind, "index": str(index), "parameters": [parameter]}


def _is_one_time_code(button: dict[str, Any]) -> bool:
    """The button of an authentication template: made as OTP, read back as a link that holds the code."""
    return str(button.get("type")).upper() == "OTP" or "whatsapp.com/otp/" in str(button.get("url"))


def _base(button: dict[str, Any]) -> str:
    return str(button.get("url")).partition("{{")[0]


def _number(name: str) -> int:
    """What has no number comes last."""
    return int(name) if name.isdecimal() and len(name) < 10 else 10**9


def _examples(raw: dict[str, Any], place: str) -> dict[str | int, str]:
    """Examples by the variable's name and, where they are counted, by their place from 0 on."""
    named = map(mapping, sequence(raw.get(f"{place}_text_named_params")))
    found: dict[str | int, str] = {str(one.get("param_name")): text(one.get("example"), 200) or "" for one in named}
    counted = sequence(raw.get(f"{place}_text"))
    counted = counted[0] if counted and isinstance(counted[0], list) else counted
    return found | {index: text(example, 200) or "" for index, example in enumerate(counted)}


def _checked(variable: Variable, value: str) -> str:
    value = value.strip()
    if not value:
        raise Refused(N_("Fill in {name}."), name=f"{{{{{variable.name}}}}}", key=variable.key)
    if variable.place in ("header", "body") and _SPACES.search(value):
        words = N_("“{name}” must be one line, without tabs and without more than four spaces in a row.")
        raise Refused(words, name=variable.name, key=variable.key)
    if variable.place == "code" and (over := len(value) - LONGEST_CODE) > 0:
        raise Refused(N_("A code may have 15 characters; this has {over} too many."), over=over, key=variable.key)
    return value


def templates_of(graph: GraphClient, token: str, waba_id: str) -> list[tuple[str, Template]]:
    """All templates of a WABA, with their ids. Raises MetaError."""
    found = graph.pages(f"{waba_id}/message_templates", token=token, params={"fields": FIELDS, "limit": _PAGE})
    return [(id, read(raw)) for raw in found if (id := identifier(raw.get("id")))]


def read(raw: dict[str, Any]) -> Template:
    return Template(
        name=text(raw.get("name"), 512) or "",
        language=text(raw.get("language"), 40) or "",
        category=text(raw.get("category"), 40) or "",
        status=text(raw.get("status"), 40) or "",
        is_named=raw.get("parameter_format") == "NAMED",
        components=list(map(mapping, sequence(raw.get("components")))),
    )
