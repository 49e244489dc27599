"""Reads of a web page what a preview shows: title, description, picture. Anybody may have written it."""

from __future__ import annotations

import html
import re
import tempfile
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from app.egress import Egress, Page, Refused, Unreachable

from .thumbnails import Thumbnail, make_thumbnail

MOST_BYTES = 512_000
MOST_PICTURE_BYTES = 3_000_000
MOST_REDIRECTS = 3
LONGEST_TITLE, LONGEST_DESCRIPTION = 200, 300
REDIRECTS = (301, 302, 303, 307, 308)
# As sent, so that a small body cannot become a large one.
HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; link preview)", "Accept-Encoding": "identity"}
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif")

# Of bounded length, so that any page is read in a time that grows with its size only.
META = re.compile(r"<meta\s[^<>]{1,2000}>", re.IGNORECASE)
TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{1,1000})", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([a-z:-]{1,30})\s{0,5}=\s{0,5}(?:"([^"]{0,1500})"|'([^']{0,1500})')""", re.IGNORECASE)
CHARSET = re.compile(rb"""charset=["']?([a-zA-Z0-9_-]{1,40})""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WebPage:
    title: str
    description: str
    picture: Thumbnail | None


def read_page(egress: Egress, url: str) -> WebPage | None:
    """The page behind a link; None where there is none, or it has nothing to show."""
    followed = follow(egress, url, "text/html", MOST_BYTES)
    if followed is None or "html" not in followed[1].headers.get("content-type", ""):
        return None
    address, page = followed
    facts = facts_of(decoded(page))
    titles = (short(facts.get(name, ""), LONGEST_TITLE) for name in ("og:title", "twitter:title", "title"))
    if not (title := next(filter(None, titles), "")):
        return None
    description = short(facts.get("og:description") or facts.get("description") or "", LONGEST_DESCRIPTION)
    picture = read_picture(egress, joined(address, facts["og:image"])) if facts.get("og:image") else None
    return WebPage(title, description, picture)


def read_picture(egress: Egress, url: str) -> Thumbnail | None:
    followed = follow(egress, url, "image/*", MOST_PICTURE_BYTES)
    if (
        followed is None
        or not followed[1].is_whole
        or not followed[1].headers.get("content-type", "").startswith(PICTURES)
    ):
        return None
    with tempfile.TemporaryFile() as file:
        file.write(followed[1].body)
        file.flush()
        return make_thumbnail(file)


def follow(egress: Egress, url: str, accept: str, most_bytes: int) -> tuple[str, Page] | None:
    """Follows a few redirects, checking each address. Returns the final address and the response."""
    for _ in range(MOST_REDIRECTS + 1):
        url = secured(url)
        try:
            page = egress.get(url, HEADERS | {"Accept": accept}, most_bytes)
        except (Refused, Unreachable):
            return None
        if page.status == 200 and page.headers.get("content-encoding", "identity") == "identity":
            return url, page
        if page.status not in REDIRECTS or not page.headers.get("location"):
            return None
        url = joined(url, page.headers["location"])
    return None


def joined(address: str, url: str) -> str:
    try:
        return urljoin(address, url)
    except ValueError:
        return ""


def secured(url: str) -> str:
    """Over TLS, and without the part that stays in the browser."""
    address = url.partition("#")[0]
    return f"https://{address[7:]}" if address[:7].lower() == "http://" else address


def host_of(url: str) -> str:
    """The name that people know a site by."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")[:200]
    except ValueError:
        return ""


def decoded(page: Page) -> str:
    """The beginning of the page, in the encoding that it names."""
    named = re.search(r"charset=[\"']?([\w-]{1,40})", page.headers.get("content-type", ""))
    declared = CHARSET.search(page.body[:2_000])
    encoding = named[1] if named else declared[1].decode() if declared else "utf-8"
    try:
        return page.body.decode(encoding, "replace")
    except LookupError:
        return page.body.decode("utf-8", "replace")


def facts_of(text: str) -> dict[str, str]:
    """The values of `<meta>` by name, and the title; the first of each counts."""
    facts: dict[str, str] = {}
    for tag in META.finditer(text):
        values = {one[1].lower(): one[2] or one[3] or "" for one in ATTRIBUTE.finditer(tag[0])}
        name = (values.get("property") or values.get("name") or "").lower()
        if name and values.get("content"):
            facts.setdefault(name, html.unescape(values["content"]))
    if title := TITLE.search(text):
        facts.setdefault("title", html.unescape(title[1]))
    return facts


def short(text: str, most: int) -> str:
    """One line without anything that cannot be seen."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: most * 4]).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
