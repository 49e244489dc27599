"""The picture of the inbox on the first page, light and dark, of a running demo: `python -m dev.screenshots URL`."""

from __future__ import annotations

import io
import pathlib
import shutil
import sys
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from dev.demo import PASSWORD

ROOT = pathlib.Path(__file__).parent.parent
SIZE: ViewportSize = {"width": 1280, "height": 800}
# Not zoomed in on a wide screen, sharp on a fine one.
SCALE = 1.5


def take(browser: Browser, url: str, scheme: Literal["light", "dark"]) -> Image.Image:
    context = browser.new_context(viewport=SIZE, device_scale_factor=SCALE, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{url}/t/bakery/inbox/?view=all")
    page.get_by_role("link", name="Jonas Weber").click()
    page.get_by_test_id("bubble").first.wait_for()
    page.wait_for_timeout(800)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    return picture


def save(url: str) -> None:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    folder = ROOT / "assets/pictures"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        take(browser, url, "light").save(folder / "inbox-light.webp", quality=80, method=6)
        take(browser, url, "dark").save(folder / "inbox-dark.webp", quality=80, method=6)
        browser.close()


if __name__ == "__main__":
    save(sys.argv[1])
