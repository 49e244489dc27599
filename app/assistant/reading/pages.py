"""Reads the text of a web page, of which anybody may have written anything: its headings, paragraphs, lists, tables."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from urllib.parse import urljoin

from app.egress import Egress, Page, Refused, Unreachable

MOST_BYTES = 2_000_000
MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; Switchboard knowledge)",
    "Accept": "text/html, text/plain",
    "Accept-Encoding": "identity",
}
SKIPPED = frozenset(("script", "style", "noscript", "template", "svg", "nav", "footer", "iframe", "form", "head"))
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = HEADINGS.keys() | {
    *("p", "div", "section", "article", "main", "header", "li", "ul", "ol", "table", "tr", "td", "th"),
    *("br", "dt", "dd", "blockquote", "pre", "hr"),
}
VOID = frozenset(("br", "hr", "img", "input", "meta", "link", "source", "wbr", "area", "col", "embed", "track"))
CHARSET = re.compile(rb"""charset=["']?([a-zA-Z0-9_-]{1,40})""", re.IGNORECASE)
ROBOTS = re.compile(r"""<meta\s[^<>]{0,300}name=["']?robots["']?[^<>]{0,300}""", re.IGNORECASE)


class Unreadable(Exception):
    """There is no text to be had. `problem` is a key of `words.PROBLEMS`; `is_final` where trying again is no use."""

    def __init__(self, problem: str, *, is_final: bool) -> None:
        super().__init__(problem)
        self.problem, self.is_final = problem, is_final


def read_page(egress: Egress, url: str) -> str:
    """The page's text, with # before its headings. Raises `Unreadable`."""
    page = follow(egress, url)
    kind = page.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml", "text/plain", ""):
        raise Unreadable("not_a_page", is_final=True)
    text = decoded(page)
    if kind == "text/plain":
        return text
    if any("noindex" in tag.lower() or "none" in tag.lower().split() for tag in ROBOTS.findall(text[:20_000])):
        raise Unreadable("robots", is_final=True)
    return text_of(text)


def follow(egress: Egress, url: str) -> Page:
    """Follows a few redirects, checking each address."""
    for _ in range(MOST_REDIRECTS + 1):
        url = url.partition("#")[0]
        url = f"https://{url[7:]}" if url[:7].lower() == "http://" else url
        try:
            page = egress.get(url, HEADERS, MOST_BYTES)
        except Refused:
            raise Unreadable("address_refused", is_final=True) from None
        except Unreachable as error:
            raise Unreadable("timeout" if error.is_timeout else "unreachable", is_final=False) from None
        if page.status == 200:
            return page
        location = page.headers.get("location")
        if page.status not in REDIRECTS or not location:
            is_final = page.status in (401, 403, 404, 410)
            raise Unreadable("not_found" if is_final else "provider_error", is_final=is_final)
        try:
            url = urljoin(url, location)
        except ValueError:
            raise Unreadable("not_found", is_final=True) from None
    raise Unreadable("not_found", is_final=True)


def decoded(page: Page) -> str:
    named = re.search(r"charset=[\"']?([\w-]{1,40})", page.headers.get("content-type", ""))
    declared = CHARSET.search(page.body[:2_000])
    encoding = named[1] if named else declared[1].decode() if declared else "utf-8"
    try:
        return page.body.decode(encoding, "replace").replace("\x00", "")
    except LookupError:
        return page.body.decode("utf-8", "replace").replace("\x00", "")


class Reader(HTMLParser):
    """Collects the text that people see, a block a paragraph."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.words: list[str] = []
        self.skipping: list[str] = []
        self.level = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        hidden = any(name == "hidden" or (name == "aria-hidden" and value == "true") for name, value in attrs)
        if self.skipping or tag in SKIPPED or (hidden and tag not in VOID):
            if tag not in VOID and len(self.skipping) < 1_000:
                self.skipping.append(tag)
            return
        if tag in BLOCKS:
            self.end_block()
            self.level = HEADINGS.get(tag, 0)

    def handle_endtag(self, tag: str) -> None:
        if self.skipping:
            if tag in self.skipping:
                while self.skipping.pop() != tag:
                    pass
            return
        if tag in BLOCKS:
            self.end_block()
            self.level = 0

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.words.append(data)

    def end_block(self) -> None:
        if line := " ".join("".join(self.words).split()):
            self.blocks.append(f"{'#' * self.level} {line[:200]}" if self.level else line)
        self.words = []


def text_of(page: str) -> str:
    reader = Reader()
    reader.feed(page)
    reader.close()
    reader.end_block()
    return html.unescape("\n\n".join(reader.blocks))
