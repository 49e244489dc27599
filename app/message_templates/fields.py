"""What is typed into the builder, by field, and Meta's components made of it; and back again without loss.

A field is called like the place of its problems (`Problem.path`): `body`, `body.examples.name`, `buttons.2.url`. What a
template has and the builder does not offer is in fields of JSON: `….rest` beside the part it belongs to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from app.meta import payload
from app.meta.payload import mapping, sequence, text
from app.meta.template_variables import Words, example_of_button, examples_of, is_one_time_code

from .versions import Content

Fields = dict[str, str]
Part = dict[str, Any]

MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")
HEADERS = ("TEXT", *MEDIA, "LOCATION", "PRODUCT")
CARD_HEADERS = ("IMAGE", "VIDEO", "PRODUCT")
# What one may type into the fields of a button of each kind.
BUTTONS: dict[str, tuple[str, ...]] = {
    "QUICK_REPLY": ("text",),
    "URL": ("text", "url", "example"),
    "PHONE_NUMBER": ("text", "phone_number"),
    "COPY_CODE": ("example",),
    "FLOW": ("text", "flow_id", "flow_name", "flow_action", "navigate_screen", "icon"),
    "CATALOG": ("text",),
    "MPM": ("text",),
    "SPM": ("text",),
    "VOICE_CALL": ("text", "ttl_minutes"),
    "REQUEST_CONTACT_INFO": (),
}
NUMBERS = ("ttl_minutes",)
LONGEST, LONGEST_REST = 4_000, 64_000
MOST_BUTTONS, MOST_CARDS, MOST_APPS, MOST_VARIABLES, MOST_PARTS, MOST_FIELDS = 20, 12, 6, 50, 10, 1_500
ON = "on"
# What a field's name may begin with.
ROOTS = frozenset(
    (
        *("name", "language", "waba_id", "category", "parameter_format", "ttl", "layout"),
        *("header", "body", "footer", "buttons", "limited_time_offer", "call_permission", "cards", "otp", "parts"),
        *("preview", "new_button", "new_card_button"),
    )
)
_FIELD = re.compile(r"[a-z_]+(\.[\w]+)*")
_ROW = re.compile(r"(\d{1,2})\.(.+)")


def read_fields(form: Mapping[str, Any]) -> Fields:
    """The fields of a posted form; what else it holds is passed over."""
    fields: Fields = {}
    for name, value in islice(form.items(), MOST_FIELDS):
        if len(name) <= 200 and name.partition(".")[0] in ROOTS and _FIELD.fullmatch(name):
            most = LONGEST_REST if name.endswith("rest") else LONGEST
            fields[name] = str(value).replace("\r\n", "\n")[:most]
    return fields


def rows(fields: Fields, name: str, most: int = MOST_BUTTONS) -> list[Fields]:
    """The rows of a list of fields, such as the buttons, each with its own fields."""
    numbered: dict[int, Fields] = {}
    start = len(name) + 1
    for path, value in fields.items():
        if path.startswith(f"{name}.") and (match := _ROW.fullmatch(path, start)):
            numbered.setdefault(int(match[1]), {})[match[2]] = value
    return [numbered[number] for number in sorted(numbered)][:most]


def put_rows(fields: Fields, name: str, listed: Iterable[Fields]) -> None:
    """Replaces the rows of a list, which are numbered from 0 on."""
    for path in [path for path in fields if path.startswith(f"{name}.") and _ROW.fullmatch(path, len(name) + 1)]:
        del fields[path]
    for number, row in enumerate(listed):
        fields |= {f"{name}.{number}.{path}": value for path, value in row.items()}


def fields_of(content: Content) -> Fields:
    """The fields of a form that shows this content."""
    fields: Fields = {"category": content.category.upper(), "parameter_format": content.parameter_format}
    if content.ttl_seconds is not None:
        fields["ttl"] = str(content.ttl_seconds)
    others: list[Part] = []
    seen: set[str] = set()
    for part in content.readable:
        kind = str(part.get("type")).upper()
        reader = None if kind in seen else (CODE_READERS if is_code(content.category) else READERS).get(kind)
        seen.add(kind)
        if reader:
            fields |= reader(part)
        else:
            others.append(part)
    fields["layout"] = next((name for name, kind in LAYOUTS.items() if kind in seen), "plain")
    return fields | as_rest("parts", others[:MOST_PARTS])


LAYOUTS = {"carousel": "CAROUSEL", "offer": "LIMITED_TIME_OFFER"}


def is_code(category: str) -> bool:
    return category.upper() == "AUTHENTICATION"


def as_rest(path: str, rest: Any) -> Fields:
    """What a form could not carry back is left out."""
    written = json.dumps(rest, ensure_ascii=False) if rest else ""
    return {f"{path}.rest": written} if 0 < len(written) <= LONGEST_REST else {}


def rest_of(fields: Fields, path: str) -> Part:
    return mapping(json_in(fields.get(f"{path}.rest", "")))


def json_in(written: str) -> Any:
    try:
        return payload.bounded(payload.loads(written.encode(errors="replace"))) if written else None
    except ValueError:
        return None


def without(part: Part, *names: str) -> Part:
    return {name: value for name, value in part.items() if name not in names}


def names_in(written: str, *, is_named: bool) -> list[str]:
    """A text's variables, in the order of their examples."""
    return Words(written, is_named=is_named).names[:MOST_VARIABLES]


def words(value: Any) -> str:
    return text(value, LONGEST) or ""


def read_header(part: Part, path: str = "header") -> Fields:
    format = str(part.get("format", "TEXT")).upper()
    fields: Fields = {f"{path}.format": format}
    if format == "TEXT":
        fields[f"{path}.text"] = words(part.get("text"))
        if examples := examples_of(part, "header"):
            fields[f"{path}.example"] = next(iter(examples.values()))
        return fields | as_rest(path, without(part, "type", "format", "text", "example"))
    if sample := text(mapping(part.get("example")).get("sample"), 40):
        return fields | {f"{path}.sample": sample} | as_rest(path, without(part, "type", "format", "example"))
    return fields | as_rest(path, without(part, "type", "format"))


def read_body(part: Part, path: str = "body") -> Fields:
    written = words(part.get("text"))
    fields, examples = {path: written}, examples_of(part, "body")
    for place, name in enumerate(
        dict.fromkeys([*names_in(written, is_named=True), *map(str, examples)][:MOST_VARIABLES])
    ):
        counted = int(name) - 1 if name.isdecimal() and len(name) < 4 else place
        if example := examples.get(name) or examples.get(counted, ""):
            fields[f"{path}.examples.{name}"] = example
    return fields | as_rest(path, without(part, "type", "text", "example"))


def read_footer(part: Part) -> Fields:
    return {"footer": words(part.get("text"))} | as_rest("footer", without(part, "type", "text"))


def read_buttons(part: Part, path: str = "buttons") -> Fields:
    fields: Fields = {}
    for number, button in enumerate(map(mapping, sequence(part.get("buttons"))[:MOST_BUTTONS])):
        own = f"{path}.{number}"
        fields[f"{own}.type"] = kind = str(button.get("type")).upper()[:60]
        typed = BUTTONS.get(kind, ())
        for name in typed:
            if name in button:
                value = example_of_button(button) if name == "example" else words(button.get(name))
                fields[f"{own}.{name}"] = value
        fields |= as_rest(own, without(button, "type", *typed))
    return fields | as_rest(path, without(part, "type", "buttons"))


def read_offer(part: Part) -> Fields:
    offer = mapping(part.get("limited_time_offer"))
    fields = {"limited_time_offer.text": words(offer.get("text"))}
    if "has_expiration" in offer:
        fields["limited_time_offer.has_expiration"] = ON if offer["has_expiration"] else "off"
    return fields | as_rest("limited_time_offer", without(offer, "text", "has_expiration"))


def read_carousel(part: Part) -> Fields:
    """All cards have the format and the buttons of the first one."""
    fields: Fields = {}
    for number, card in enumerate(map(mapping, sequence(part.get("cards"))[:MOST_CARDS])):
        own, others = f"cards.{number}", []
        for inner in map(mapping, sequence(card.get("components"))):
            match str(inner.get("type")).upper():
                case "HEADER":
                    fields |= read_header(inner, f"{own}.header")
                case "BODY":
                    fields |= read_body(inner, f"{own}.body")
                case "BUTTONS":
                    fields |= read_buttons(inner, f"{own}.buttons")
                case _:
                    others.append(inner)
        fields |= as_rest(f"{own}.parts", others[:MOST_PARTS]) | as_rest(own, without(card, "components"))
    return fields


def read_call_permission(part: Part) -> Fields:
    return {"call_permission": ON} | as_rest("call_permission", without(part, "type"))


READERS = {
    "HEADER": read_header,
    "LIMITED_TIME_OFFER": read_offer,
    "BODY": read_body,
    "FOOTER": read_footer,
    "BUTTONS": read_buttons,
    "CAROUSEL": read_carousel,
    "CALL_PERMISSION_REQUEST": read_call_permission,
}


def read_code_body(part: Part) -> Fields:
    """The text is Meta's, so what Meta gave back of it is left out."""
    fields = {"body.add_security_recommendation": ON} if part.get("add_security_recommendation") else {}
    return fields | as_rest("otp.body", without(part, "type", "text", "example", "add_security_recommendation"))


def read_code_footer(part: Part) -> Fields:
    fields = {}
    if minutes := words(part.get("code_expiration_minutes")):
        fields["footer.code_expiration_minutes"] = minutes
    return fields | as_rest("otp.footer", without(part, "type", "text", "code_expiration_minutes"))


def read_code_button(part: Part) -> Fields:
    """Made as OTP; Meta gives it back as a link whose query says which kind it is."""
    button = next(filter(is_one_time_code, map(mapping, sequence(part.get("buttons")))), {})
    fields = {f"otp.{name}": words(button.get(name)) for name in ("text", "autofill_text") if name in button}
    if str(button.get("type")).upper() == "OTP":
        fields["otp.otp_type"] = str(button.get("otp_type")).upper()[:60]
        rest = without(button, "type", "otp_type", "text", "autofill_text", "supported_apps", "zero_tap_terms_accepted")
        fields |= as_rest("otp", without(rest, "package_name", "signature_hash"))
    else:
        match = re.search(r"[?&]otp_type=([A-Z_]{1,60})", words(button.get("url")))
        fields["otp.otp_type"] = match[1] if match else "COPY_CODE"
    if button.get("zero_tap_terms_accepted"):
        fields["otp.zero_tap_terms_accepted"] = ON
    apps = [mapping(app) for app in sequence(button.get("supported_apps"))[:MOST_APPS]]
    if not apps and button.get("package_name"):
        apps = [{name: button.get(name) for name in APP}]
    put_rows(fields, "otp.supported_apps", [{name: words(app.get(name)) for name in APP} for app in apps])
    return fields


APP = ("package_name", "signature_hash")
CODE_READERS = {"BODY": read_code_body, "FOOTER": read_code_footer, "BUTTONS": read_code_button}


def content_of(fields: Fields) -> Content:
    """What the fields say, in Meta's shape. Parts that the category or the layout does not have are left out."""
    category = fields.get("category", "").upper()
    is_named = fields.get("parameter_format") != "POSITIONAL"
    made = code_components(fields) if is_code(category) else components(fields, is_named=is_named)
    return Content(category, is_named, [*made, *other_parts(fields, "parts")], number_in(fields.get("ttl", "")))


def other_parts(fields: Fields, path: str) -> list[Part]:
    return [mapping(one) for one in sequence(json_in(fields.get(f"{path}.rest", "")))[:MOST_PARTS]]


def number_in(written: str) -> int | None:
    """A whole number, also a negative one. What is none is one that every rule refuses."""
    written = written.strip()
    if not written:
        return None
    return int(written) if re.fullmatch(r"-?[0-9]{1,9}", written) else 0


def layout_of(fields: Fields) -> str:
    """Only marketing has others than the plain one."""
    layout = fields.get("layout", "")
    return layout if fields.get("category") == "MARKETING" and layout in LAYOUTS else "plain"


def components(fields: Fields, *, is_named: bool) -> list[Part]:
    layout = layout_of(fields)
    body = written_part("BODY", fields, "body", is_named=is_named)
    if layout == "carousel":
        return [body, {"type": "CAROUSEL", "cards": cards(fields, is_named=is_named)}]
    parts = [header(fields, "header", is_named=is_named)]
    if layout == "offer":
        parts += [offer(fields)]
    parts += [body]
    if layout == "plain" and (fields.get("footer", "").strip() or "footer.rest" in fields):
        parts += [{"type": "FOOTER", "text": fields.get("footer", "")} | rest_of(fields, "footer")]
    parts += [buttons(fields, "buttons", rows(fields, "buttons"))]
    if fields.get("call_permission") == ON:
        parts += [{"type": "CALL_PERMISSION_REQUEST"} | rest_of(fields, "call_permission")]
    return [part for part in parts if part]


def header(fields: Fields, path: str, *, is_named: bool) -> Part:
    format = fields.get(f"{path}.format", "")
    if not format:
        return {}
    part: Part = {"type": "HEADER", "format": format}
    if format == "TEXT":
        part |= {"text": fields.get(f"{path}.text", "")}
        names = names_in(part["text"], is_named=is_named)[:1]
        given = {name: fields.get(f"{path}.example", "") for name in names}
        return part | examples("header", names, given, is_named) | rest_of(fields, path)
    if sample := fields.get(f"{path}.sample", "") if format in MEDIA else "":
        return part | {"example": {"sample": sample}} | without(rest_of(fields, path), "example")
    return part | rest_of(fields, path)


def written_part(kind: str, fields: Fields, path: str, *, is_named: bool) -> Part:
    written = fields.get(path, "")
    names = names_in(written, is_named=is_named)
    given = {name: fields.get(f"{path}.examples.{name}", "") for name in names}
    return {"type": kind, "text": written} | examples("body", names, given, is_named) | rest_of(fields, path)


def examples(place: str, names: list[str], given: Mapping[str, str], is_named: bool) -> Part:
    """As Meta wants them: by name, or in the order of their numbers, which in a body is a list of lists."""
    if not names:
        return {}
    if is_named:
        listed = [{"param_name": name, "example": given[name]} for name in names]
        return {"example": {f"{place}_text_named_params": listed}}
    counted = [given[name] for name in names]
    return {"example": {f"{place}_text": [counted] if place == "body" else counted}}


def offer(fields: Fields) -> Part:
    made: Part = {"text": fields.get("limited_time_offer.text", "")}
    if expires := fields.get("limited_time_offer.has_expiration"):
        made["has_expiration"] = expires == ON
    return {"type": "LIMITED_TIME_OFFER", "limited_time_offer": made | rest_of(fields, "limited_time_offer")}


def buttons(fields: Fields, path: str, listed: list[Fields]) -> Part:
    if not listed:
        return {}
    return {"type": "BUTTONS", "buttons": [button(row) for row in listed]} | rest_of(fields, path)


def button(row: Fields) -> Part:
    kind = row.get("type", "")
    made: Part = {"type": kind}
    for name in BUTTONS.get(kind, ()):
        value = row.get(name, "")
        if name == "example" and kind == "URL":
            if "{{" in row.get("url", ""):
                made[name] = [value]
        elif name in NUMBERS:
            if value.strip():
                made[name] = number_in(value)
        elif value or name in ("text", "url", "phone_number", "example"):
            made[name] = value
    return made | mapping(json_in(row.get("rest", "")))


def cards(fields: Fields, *, is_named: bool) -> list[Part]:
    listed = rows(fields, "cards", MOST_CARDS)
    has_text = any(row.get("body", "").strip() for row in listed)
    return [card(row, has_text=has_text, is_named=is_named) for row in listed]


def card(row: Fields, *, has_text: bool, is_named: bool) -> Part:
    """All cards have a text, or none has."""
    made = [header(row, "header", is_named=is_named)]
    if has_text:
        made += [written_part("BODY", row, "body", is_named=is_named)]
    made += [buttons(row, "buttons", rows(row, "buttons"))]
    rest = mapping(json_in(row.get("rest", "")))
    return {"components": [*filter(None, made), *other_parts(row, "parts")]} | rest


def code_components(fields: Fields) -> list[Part]:
    body: Part = {"type": "BODY"} | rest_of(fields, "otp.body")
    if fields.get("body.add_security_recommendation") == ON:
        body["add_security_recommendation"] = True
    parts = [body]
    if (minutes := number_in(fields.get("footer.code_expiration_minutes", ""))) is not None:
        parts += [{"type": "FOOTER", "code_expiration_minutes": minutes} | rest_of(fields, "otp.footer")]
    return [*parts, {"type": "BUTTONS", "buttons": [code_button(fields)]}]


def code_button(fields: Fields) -> Part:
    kind = fields.get("otp.otp_type", "COPY_CODE")
    made: Part = {"type": "OTP", "otp_type": kind}
    made |= {name: value for name in ("text", "autofill_text") if (value := fields.get(f"otp.{name}", ""))}
    if kind != "COPY_CODE":
        if apps := rows(fields, "otp.supported_apps", MOST_APPS):
            made["supported_apps"] = [{name: app.get(name, "").strip() for name in APP} for app in apps]
        if kind == "ZERO_TAP":
            made["zero_tap_terms_accepted"] = fields.get("otp.zero_tap_terms_accepted") == ON
    return made | rest_of(fields, "otp")
