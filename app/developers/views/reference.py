"""The pages for programmers: guides, the reference, problems. Each is there as Markdown too, for programs that read."""

from __future__ import annotations

import functools
import hashlib
import re

from flask import Response, abort, get_template_attribute, json, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from app.api import versions
from app.api.document import document
from app.api.problems import PROBLEMS, Kind
from app.developers.blueprint import bp
from app.developers.changelog import ENTRIES
from app.developers.guides import START, facts, guide, guide_names, title_of
from app.developers.prose import Block, blocks
from app.developers.reference import calls_with, deprecated, tag_pages
from app.extensions import settings
from app.tenancy import public, stateless

MARKDOWN = "text/markdown"
FRESH = "public, max-age=300"
# A fact that an advice fills in, such as {scope}.
FACT = re.compile(r"\{(\w+)\}")


@bp.get("/developers/")
@public
def start() -> str:
    return text_page(markdown_of("start"), url_for(".start_markdown"))


@bp.get("/developers.md")
@stateless
def start_markdown() -> Response:
    return as_markdown(markdown_of("start"))


@bp.get("/developers/<name>")
@public
def page(name: str) -> str:
    """Of a tag, or a text."""
    twin = url_for(".page_markdown", name=name)
    if name not in tag_pages():
        return text_page(markdown_of(name) or abort(404), twin)
    tag = tag_pages()[name]
    contents = [(call.name, call.summary) for call in tag.calls]
    body = tag_html(name, language())
    return render_template("developers/page.html", title=tag.title, body=body, contents=contents, twin=twin, **menu())


@bp.get("/developers/<name>.md")
@stateless
def page_markdown(name: str) -> Response:
    return as_markdown(markdown_of(name))


@bp.get("/developers/problems/<code>")
@public
def problem(code: str) -> str:
    twin = url_for(".problem_markdown", code=code)
    return text_page(problem_markdown_of(code, language()) or abort(404), twin)


@bp.get("/developers/problems/<code>.md")
@stateless
def problem_markdown(code: str) -> Response:
    return as_markdown(problem_markdown_of(code, language()))


@bp.get("/developers/openapi.json")
@stateless
def openapi() -> Response:
    body, etag = document_bytes()
    response = Response(body, mimetype="application/json")
    response.headers["Cache-Control"] = FRESH
    response.set_etag(etag)
    response.make_conditional(request)
    return response


@bp.get("/llms.txt")
@stateless
def llms() -> Response:
    pages = [(_("Start"), "/developers.md")]
    pages += [(title_of(markdown_of(name)), f"/developers/{name}.md") for name in names() if name != "start"]
    text = render_template("developers/llms.txt", base=settings.public_url, pages=pages)
    return as_markdown(text, "text/plain")


def names() -> list[str]:
    """Of all pages, in the order of the menu."""
    return ["start", *guide_names(), *tag_pages(), "problems", "changelog"]


def language() -> str:
    return str(get_locale() or "en")


def markdown_of(name: str) -> str:
    """Of the page with this name; empty where there is none."""
    return markdown_in(name, language()) if name in names() else ""


@functools.cache
def markdown_in(name: str, language: str) -> str:
    return tidy(rendered(name, language))


def tidy(markdown: str) -> str:
    """One empty line at most between two parts, where a template left more."""
    return re.sub(r"\n\s*\n+(?=\S| *- )", "\n\n", markdown).strip() + "\n"


def rendered(name: str, language: str) -> str:
    if name == "start":
        return guide(START, language)
    if name in guide_names():
        return guide(name, language)
    if name == "problems":
        kinds = sorted(PROBLEMS.values(), key=lambda kind: (kind.status, kind.code))
        return render_template("developers/problems.md", kinds=kinds)
    if name == "changelog":
        shown = {"changes": versions.CHANGES, "ending": versions.ENDING, "deprecated": deprecated()}
        return render_template("developers/changelog.md", entries=ENTRIES, **shown)
    return render_template("developers/tag.md", tag=tag_pages()[name], **facts())


def problem_markdown_of(code: str, language: str) -> str:
    return problem_markdown_in(code, language) if code in PROBLEMS else ""


@functools.cache
def problem_markdown_in(code: str, _language: str) -> str:
    kind = PROBLEMS[code]
    is_everywhere = len(calls_with(code)) == sum(len(tag.calls) for tag in tag_pages().values())
    shown = {"kind": kind, "advice": advice_of(kind), "is_everywhere": is_everywhere, "calls": calls_with(code)}
    return tidy(render_template("developers/problem.md", example=example_of(kind), **shown))


def advice_of(kind: Kind) -> str:
    """With the names of the facts that each case fills in."""
    return FACT.sub(r"`\1`", str(_(kind.advice)))


def example_of(kind: Kind) -> str:
    body = {
        "type": f"{settings.public_url}/developers/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": FACT.sub("…", kind.advice),
        "code": kind.code,
        "request_id": "req_5d1b0c6f2a7e4c0e9f3b8a1d6c2e7f40",
    }
    return json.dumps(body, indent=2, sort_keys=False, ensure_ascii=False)


def text_page(markdown: str, twin: str) -> str:
    parts = tuple(blocks(markdown))
    contents = [(part.anchor, part.text) for part in parts if part.kind == "heading" and part.level == 2]
    body = prose_html(parts[1:], language())
    title = title_of(markdown)
    return render_template("developers/page.html", title=title, body=body, contents=contents, twin=twin, **menu())


def menu() -> dict[str, list[tuple[str, str]]]:
    """The pages beside the one that is shown: texts, and the reference. Each is an address and its words."""
    texts = [(url_for(".start"), _("Start"))]
    texts += [(url_for(".page", name=name), title_of(markdown_of(name))) for name in guide_names()]
    texts += [(url_for(".page", name="problems"), _("Problems")), (url_for(".page", name="changelog"), _("Changelog"))]
    return {"texts": texts, "tags": [(url_for(".page", name=tag.name), tag.title) for tag in tag_pages().values()]}


@functools.cache
def prose_html(parts: tuple[Block, ...], _language: str) -> Markup:
    html: Markup = get_template_attribute("developers/_prose.html", "prose")(parts)
    return html


@functools.cache
def tag_html(name: str, _language: str) -> Markup:
    html: Markup = get_template_attribute("developers/_reference.html", "reference")(tag_pages()[name])
    return html


@functools.cache
def document_bytes() -> tuple[bytes, str]:
    """The document and the version of it."""
    body = json.dumps(document(), ensure_ascii=False).encode()
    return body, hashlib.sha256(body).hexdigest()[:32]


def as_markdown(text: str, mimetype: str = MARKDOWN) -> Response:
    if not text:
        return Response(_("There is no such page."), 404, mimetype="text/plain")
    response = Response(text, mimetype=mimetype)
    response.headers["Cache-Control"] = FRESH
    response.headers["Vary"] = "Accept-Language"
    return response
