"""House rules that a reader would otherwise have to remember (STYLE.md)."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator

from flask import Flask
from jinja2 import Environment, nodes
from pydantic import BaseModel

from app import FEATURES
from app.config import Settings
from app.hooks.event_types import event_types
from app.hooks.events import model_of
from app.inbox.conversations import STATES
from app.onboarding.steps import STEPS
from app.tenancy.permissions import PERMISSIONS
from app.tenancy.places import all_places
from dev.messages import extract

ROOT = pathlib.Path(__file__).parent.parent
APP = ROOT / "app"
CODE = sorted(APP.rglob("*.py"))
TEMPLATES = sorted(file for file in APP.rglob("templates/**/*") if file.is_file())

# What is no word of ours to translate.
SAME_IN_EVERY_LANGUAGE = {"Switchboard", "UTC"}
WORD = re.compile(r"[^\W\d_]{2,}")
READ_ALOUD = re.compile(r"""\s(?:alt|aria-label|label|placeholder|title|data-words[\w-]*)=(?:"([^"]*)"|'([^']*)')""")
# A sentence or a capitalised word, as people read it; not a key, a class or an address.
FOR_PEOPLE = re.compile(r"[A-Z“][^\W\d_]*(?:[ ,.’'][^\W\d_]+)+|[A-Z][a-z]{2,}$")
GETTEXT = {"_", "gettext", "pgettext", "ngettext", "lazy_gettext", "lazy_pgettext", "N_", "pN_", "nN_"}
# A date or time in an order, or with signs, that only some languages have.
FIXED_SHAPE = r"""["'](?:E{3,} )?d MMM|["']HH:mm|["']LLLL y|:%H:%M.*\b_\("""
# Names of keys, the same on every keyboard that we name.
KEYS = {"Mod", "Ctrl"}


def results(pattern: str, files: Iterable[pathlib.Path]) -> list[str]:
    """Every line that the pattern is in, as `file:line`."""
    return [
        f"{file.relative_to(ROOT)}:{number}"
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(pattern, line, re.IGNORECASE)
    ]


def test_the_product_does_not_know_its_fake() -> None:
    assert results("simulat", [*CODE, *TEMPLATES]) == []


def test_the_simulator_does_not_know_the_product() -> None:
    assert results(r"^\s*(from|import) (app|bench|conformance|dev|tests)\b", (ROOT / "simulator").rglob("*.py")) == []


def test_nothing_is_marked_safe_but_icons_and_times() -> None:
    """They are put together from our own words in one file (app/templating.py), where `format` escapes the rest."""
    others = [file for file in CODE if file != APP / "templating.py"]
    assert results(r"\bMarkup\(|\|\s*safe\b|autoescape false", [*others, *TEMPLATES]) == []


def test_no_date_or_time_is_shown_in_a_shape_of_our_own() -> None:
    """`app/dates.py` writes them as each language does."""
    assert results(FIXED_SHAPE, [*CODE, *TEMPLATES]) == []
    assert results(r"\bformat_(date|datetime|time)\b", [file for file in CODE if file.name != "dates.py"]) == [
        *results(r"\bformat_date\b", [APP / "appointments/phrases.py"])
    ]


def test_no_value_is_written_into_sql() -> None:
    assert [place for file in CODE for place in assembled_statements(file)] == []


def assembled_statements(file: pathlib.Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Call(func=function, args=[statement, *_]) if name_of(function) in ("text", "execute", "SQL"):
                if is_assembled(statement):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}"


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_assembled(value: ast.expr) -> bool:
    """An f-string, `… % …`, `"…" + …` or `"…".format(…)`."""
    match value:
        case ast.JoinedStr():
            return True
        case ast.BinOp(left=left, right=right):
            return any(isinstance(side, ast.Constant | ast.JoinedStr) for side in (left, right))
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="format")):
            return True
    return False


def test_no_template_has_a_script_or_a_style_of_its_own() -> None:
    assert results(r"""<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=["']|\shx-on|javascript:""", TEMPLATES) == []


def test_every_word_in_a_template_can_be_translated() -> None:
    bare = {str(file.relative_to(ROOT)): words for file in TEMPLATES if (words := untranslated(file))}
    assert bare == {}


def untranslated(file: pathlib.Path) -> list[str]:
    """What a person would read, or hear, that does not go through gettext."""
    html = re.sub(
        r"\{% trans.*?\{% endtrans %\}|\{% block body_\w+ %\}.*?\{% endblock %\}", "", file.read_text(), flags=re.DOTALL
    )
    html = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", html, flags=re.DOTALL)
    spoken = [double or single for double, single in READ_ALOUD.findall(html)]
    # A macro may hold the attributes of a tag that is elsewhere.
    shown = re.sub(r"<[^>]*>|[\w-]+=\"[^\"]*\"", "\n", html).splitlines()
    return [word for words in [*spoken, *shown] for word in WORD.findall(words) if word not in SAME_IN_EVERY_LANGUAGE]


def test_every_word_in_an_expression_of_a_template_can_be_translated() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    trees = {file: environment.parse(file.read_text()) for file in TEMPLATES}
    bare = {str(file.relative_to(ROOT)): words for file, tree in trees.items() if (words := list(texts_in(tree)))}
    assert bare == {}


def texts_in(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Call) and getattr(node.node, "name", "") in GETTEXT:
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and FOR_PEOPLE.match(node.value):
        yield from {node.value} - KEYS
    for child in node.iter_child_nodes():
        yield from texts_in(child)


def test_every_word_that_python_says_to_people_can_be_translated() -> None:
    # What the egress refuses is only in the log.
    assert [place for file in CODE if file.name != "egress.py" for place in bare_texts(file)] == []


def bare_texts(file: pathlib.Path) -> Iterator[str]:
    """Flashes, labels, complaints of forms and refusals that do not go through gettext."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and any(
            re.search(r"[^\W\d_]{2,}", bare_words(part)) for part in shown_parts(node)
        ):
            yield f"{file.relative_to(ROOT)}:{node.lineno}"


def shown_parts(call: ast.Call) -> list[ast.expr]:
    name, named = name_of(call.func), {word.arg: word.value for word in call.keywords}
    if name == "Field":
        # Of the API's document, which is for programmers, and in English.
        return []
    first = name in ("flash", "Refused", "ValidationError", "StopValidation") or name.endswith(("Field", "Required"))
    parts = call.args[:1] if first else call.args[1:2] if name == "abort" else []
    parts = [*parts, *(named[word] for word in ("message", "label", "description", "title", "intro") if word in named)]
    looks = named.get("render_kw")
    if isinstance(looks, ast.Dict):
        pairs = zip(looks.keys, looks.values, strict=True)
        parts += [
            value for key, value in pairs if isinstance(key, ast.Constant) and key.value in ("title", "aria-label")
        ]
    return parts


def bare_words(value: ast.expr) -> str:
    match value:
        case ast.Constant(value=str(words)):
            return words
        case ast.JoinedStr(values=values):
            return "".join(bare_words(each) for each in values)
        case ast.BinOp(left=left, right=right):
            return bare_words(left) + bare_words(right)
    return ""


def test_everything_to_translate_is_collected(tmp_path: pathlib.Path) -> None:
    extract(tmp_path / "messages.pot")
    catalogue = (tmp_path / "messages.pot").read_text()
    in_template, marked, plural = "Reply here instead", "Missed call", 'msgid_plural "{count} contact cards"'
    for words in (in_template, marked, plural):
        assert words in catalogue, words


def test_every_setting_is_described() -> None:
    described = set(re.findall(r"^### `(\w+)`", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert described == {name.upper() for name in Settings.model_fields}


def test_the_readme_counts_the_steps_of_connecting() -> None:
    count = {10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen"}[len(STEPS)]
    assert f"Connecting a number is {count} steps" in (ROOT / "README.md").read_text()


def test_no_error_of_a_model_repeats_what_somebody_wrote(app: Flask) -> None:
    """Such errors are logged."""
    assert all(model_of(name) for name in event_types())  # made when first asked for
    waiting, telling = [BaseModel], set()
    while waiting:
        for model in waiting.pop().__subclasses__():
            waiting.append(model)
            is_ours = model.__module__.startswith("app.") and not model.__qualname__.startswith("RootModel[")
            if is_ours and not model.model_config.get("hide_input_in_errors"):
                telling.add(model.__qualname__)
    assert telling == set()


def test_a_worker_knows_every_job_and_the_clock_every_sweep() -> None:
    """Asked of a new process: in this one other tests have loaded them all."""
    written = {name for file in CODE for name in marked(file)}
    listing = "from app import *; from app.tenancy.queue import *; list(load_features()); print(*JOBS, *SWEEPS)"
    command = [sys.executable, "-c", listing]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert written
    assert set(done.stdout.split()) == written


def marked(file: pathlib.Path) -> Iterator[str]:
    """The names of the jobs and sweeps in a file."""
    module = ".".join(file.relative_to(APP).with_suffix("").parts)
    functions = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]
    for node in functions:
        for mark in node.decorator_list:
            match mark:
                case ast.Call(func=ast.Name("job"), args=[ast.Constant(value=str(name)), *_]):
                    yield name
                case ast.Call(func=ast.Name("sweep")):
                    yield f"{module}.{node.name}"


def test_every_name_that_is_enqueued_is_a_job() -> None:
    named = {name for file in CODE for name in enqueued_in(file)}
    assert named
    assert named - {name for file in CODE for name in marked(file)} == set()


def enqueued_in(file: pathlib.Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Call(
                func=ast.Name("later" | "enqueue" | "enqueue_each"), args=[ast.Constant(value=str(name)), *_]
            ):
                yield name


def test_amounts_are_whole_numbers() -> None:
    """A price is counted in micro-units; only where one is shown it becomes a decimal."""
    others = [file for file in (APP / "billing").rglob("*.py") if file.name != "money.py"]
    assert others and results(r"\bDecimal\b|\bfloat\b|\bround\(", [*others, APP / "people/costs.py"]) == []


def test_every_state_of_a_message_has_words() -> None:
    pieces = (APP / "inbox/templates/conversations/_ui.html").read_text()
    assert [state for state in STATES if state != "received" and f'"{state}": (' not in pieces] == []


def test_every_folder_of_templates_is_on_the_list_of_features() -> None:
    assert {folder.parent.name for folder in APP.glob("*/templates")} <= set(FEATURES)


def test_every_place_in_a_menu_names_a_page_with_a_permission_that_exists(app: Flask) -> None:
    listed = all_places(app)
    assert {place.menu for place in listed} == {"rail", "settings", "console", "records"}
    assert [place.endpoint for place in listed if place.permission not in {*PERMISSIONS, "platform"}] == []


def test_every_permission_a_page_asks_for_is_declared(app: Flask) -> None:
    requested = {getattr(view, "access", "") for name, view in app.view_functions.items() if name != "static"}
    assert requested - {*PERMISSIONS, "public", "stateless", "signed in", "platform", "api key"} == set()


def test_each_part_of_a_trigger_is_on_one_line() -> None:
    """htmx passes over one that a line break is in."""
    found = [one for file in TEMPLATES for one in re.findall(r'hx-trigger="([^"]*)"', file.read_text())]
    bare = [re.sub(r"{%.*?%}|{{.*?}}", "", one, flags=re.DOTALL) for one in found]
    assert len(bare) > 20 and [one for one in bare if any("\n" in part.strip() for part in one.split(","))] == []


def test_lines_of_templates_fit_on_a_screen() -> None:
    simulated = [file for file in (ROOT / "simulator/templates").rglob("*") if file.is_file()]
    assert len(simulated) > 30 and results(r"^.{121,}$", [*TEMPLATES, *simulated]) == []


def test_every_subscriber_is_in_the_table_of_the_architecture() -> None:
    table = (ROOT / "docs/architecture.md").read_text().partition("| subscriber |")[2].partition("\n\n")[0]
    declared = [name for file in CODE for name in re.findall(r'@subscriber\("([^"]+)"', file.read_text())]
    assert sorted(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)) == sorted(declared)
