"""Previews of the pages behind links: fetched by us, once, from the open internet only."""

from __future__ import annotations

import datetime as dt
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from PIL import Image

from app.egress import Egress
from app.extensions import outside
from app.inbox.conversations import Conversation
from app.inbox.desk.jobs import forget_previews, preview_link
from app.inbox.files.link_previews import LinkPreview
from app.inbox.files.web_pages import facts_of
from app.tenancy import db, now, platform_scope, tenant_scope
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.inbox.conftest import written
from tests.push.push_services import NAME, ToThisMachine, serving
from tests.world import World

LINK = f"https://{NAME}/cake"
PAGE = """<html><head><title>Cake</title><meta property="og:title" content="Cakes &amp; more">
<meta name='description' content='All the cakes'><meta property="og:image" content="/cake.png"></head>"""


class Site:
    """Answers every path with what `pages` holds for it."""

    def __init__(self) -> None:
        self.pages: dict[str, Response | str] = {}
        self.requested: list[str] = []
        self.app = Flask(__name__)
        self.app.add_url_rule("/<path:path>", view_func=self.answer)

    def answer(self, path: str) -> Response | str | tuple[str, int]:
        self.requested.append(path)
        return self.pages.get(path, ("", 404))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Any]]:
    site, folder = Site(), Path(tmp_path_factory.mktemp("site"))
    with serving(site, folder) as egress:  # type: ignore[arg-type]
        yield site, egress


@pytest.fixture
def site(app: Flask, running: tuple[Site, Any]) -> Iterator[Site]:
    """A site of the open internet, and the app reaches it."""
    site, egress = running
    site.pages, site.requested = {"cake": PAGE, "cake.png": picture()}, []
    before, outside().egress = outside().egress, egress
    yield site
    outside().egress = before


def picture() -> Response:
    out = io.BytesIO()
    Image.new("RGB", (800, 400), "peru").save(out, "PNG")
    return Response(out.getvalue(), content_type="image/png")


def look(world: World, ben: Browser, talk: Conversation) -> str:
    """The conversation, once what its page asked for is there."""
    ben.get(f"~/inbox/{talk.id}")
    for preview in previews(world):
        preview_link(str(world.bakery.id), str(preview.id), str(talk.id))
    return ben.get(f"~/inbox/{talk.id}").text


def previews(world: World) -> list[LinkPreview]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(db.select(LinkPreview)))


def test_the_page_behind_a_link_is_shown_without_asking_the_site(
    world: World, ben: Browser, carla: Conversation, site: Site
) -> None:
    written(world, carla, f"Like this? {LINK}")
    page = look(world, ben, carla)
    assert "Cakes &amp; more" in page and "All the cakes" in page and f">{NAME}<" in page
    (address,) = re.findall(r'<img src="([^"]+/link-previews/[^"]+)"', page)
    image = ben.get(address)
    assert image.content_type == "image/webp" and Image.open(io.BytesIO(image.data)).size == (640, 320)
    assert site.requested == ["cake", "cake.png"] and not re.search(rf'src="https://{NAME}', page)


def test_a_page_is_fetched_once_for_a_business(world: World, ben: Browser, carla: Conversation, site: Site) -> None:
    written(world, carla, f"{LINK} and")
    written(world, carla, f"again {LINK}#top")
    assert look(world, ben, carla).count('data-testid="link-preview"') == 2
    look(world, ben, carla)
    assert site.requested.count("cake") == 1 and previews(world)[0].url == ""


def test_redirects_are_followed_and_checked_each(world: World, ben: Browser, carla: Conversation, site: Site) -> None:
    site.pages["a"] = Response("", 302, {"Location": f"http://{NAME}/cake"})
    site.pages["b"] = Response("", 302, {"Location": "http://127.0.0.1/secret"})
    site.pages["c"] = Response("", 302, {"Location": "/c"})
    for name in "abc":
        written(world, carla, f"{name} https://{NAME}/{name}")
    assert look(world, ben, carla).count('data-testid="link-preview"') == 1
    assert site.requested.count("c") == 4


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1"])
def test_nothing_inside_is_ever_asked(
    world: World, ben: Browser, carla: Conversation, site: Site, address: str
) -> None:
    wire = ToThisMachine(1)
    outside().egress = Egress(lambda _host, _port: [address], wire)
    written(world, carla, "https://intranet.example/x")
    look(world, ben, carla)
    assert previews(world)[0].state == "empty" and wire.dialled == [] and site.requested == []


@pytest.mark.parametrize(
    "page",
    [
        Response("x" * 100, content_type="text/plain"),
        Response(PAGE, content_type="text/html", headers={"Content-Encoding": "gzip"}),
        Response(PAGE, 500),
        Response("<title> \u202e </title>"),
        Response(b"\xff\xfe\x00"),
        Response("<p>" + "x" * 600_000 + PAGE),
    ],
)
def test_what_shows_nothing_is_remembered_as_empty(
    world: World, ben: Browser, carla: Conversation, site: Site, page: Response
) -> None:
    site.pages["cake"] = page
    written(world, carla, LINK)
    assert 'link-preview"' not in look(world, ben, carla)
    assert previews(world)[0].state == "empty"


@pytest.mark.parametrize("picture", ["https://[", "/none.png", "/cake", "data:image/png;base64,AAAA"])
def test_a_page_whose_picture_is_none_is_shown_without(
    world: World, ben: Browser, carla: Conversation, site: Site, picture: str
) -> None:
    site.pages["cake"] = PAGE.replace("/cake.png", picture)
    written(world, carla, LINK)
    page = look(world, ben, carla)
    assert "Cakes &amp; more" in page and "/link-previews/" not in page


def test_a_business_turns_previews_off(
    world: World, ann: Browser, ben: Browser, carla: Conversation, site: Site, enqueued: Enqueued
) -> None:
    ann.post("~/inbox/settings", {"shows_typing": "1"})
    written(world, carla, LINK)
    assert 'link-preview"' not in look(world, ben, carla)
    assert "desk.preview_link" not in enqueued.names and site.requested == []


def test_nothing_is_fetched_for_spam(world: World, ben: Browser, carla: Conversation, site: Site) -> None:
    written(world, carla, LINK)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).state = "spam"
    look(world, ben, carla)
    assert previews(world) == [] and site.requested == []


def test_old_previews_are_forgotten_with_their_pictures(
    world: World, ben: Browser, carla: Conversation, site: Site, enqueued: Enqueued
) -> None:
    written(world, carla, LINK)
    address = re.findall(r'<img src="([^"]+/link-previews/[^"]+)"', look(world, ben, carla))[0]
    forget_previews()
    assert "desk.forget_previews" not in enqueued.names
    assert ben.get(address).status_code == 200 and site.requested
    with platform_scope("tests"):
        db.session.execute(db.update(LinkPreview).values(asked_at=now() - dt.timedelta(days=31)))
    forget_previews()
    enqueued.run("desk.forget_previews")
    assert previews(world) == [] and "files.delete" in enqueued.names and ben.get(address).status_code == 404


@pytest.mark.parametrize("text", ["<meta ", '<meta a="', "<title", "<title>", "a='", '<meta x="1" ', "<" * 9])
def test_any_page_is_read_in_little_time(text: str) -> None:
    started = time.process_time()
    facts_of(text * (500_000 // len(text)))
    assert time.process_time() - started < 1
