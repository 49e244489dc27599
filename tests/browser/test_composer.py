"""Everything the composer sends beside words, from an agent's screen to a customer's phone."""

from __future__ import annotations

import io
import pathlib
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, write_as_customer

BUSINESS = "Composer"


@pytest.fixture(scope="module")
def talk(stack: Stack, chromium: Browser) -> Any:
    """Ann at an open conversation with Edda, who looks at her phone."""
    ann, edda = Person(chromium, viewport={"width": 1280, "height": 800}), Person(chromium)
    begin(ann.page, stack, BUSINESS)
    connect(ann.page, BUSINESS)
    write_as_customer(edda.page, stack, "Edda", "Which cake is it?", BUSINESS)
    expect(ann.page.get_by_text("It works.")).to_be_visible()
    ann.page.get_by_role("link", name="Open the inbox").click()
    ann.page.wait_for_load_state()
    ann.page.get_by_role("link", name="Edda").click()
    expect(ann.page.get_by_test_id("bubble")).to_have_count(1)
    yield ann.page, edda.page
    ann.close()
    edda.close()


@pytest.fixture
def cake(tmp_path: pathlib.Path) -> pathlib.Path:
    Image.new("RGB", (400, 300), "peru").save(tmp_path / "cake.jpg")
    return tmp_path / "cake.jpg"


def mine(page: Page) -> Locator:
    return page.locator("#messages [data-direction=outbound]").last


def arrived(bubble: Locator) -> None:
    expect(bubble.locator("[data-state=read]")).to_be_visible()


def test_a_photo_goes_out_with_its_caption(talk: tuple[Page, Page], cake: pathlib.Path) -> None:
    ann, edda = talk
    ann.locator("#files").set_input_files(cake)
    ann.get_by_label("Caption").fill("This one")
    ann.get_by_test_id("send").click()
    arrived(mine(ann))
    expect(mine(ann).locator(".picture img")).to_be_visible()
    expect(edda.get_by_text("This one")).to_be_visible()


def test_what_is_too_large_or_of_another_kind_is_refused_before_it_is_uploaded(talk: tuple[Page, Page]) -> None:
    ann, _ = talk
    large = b"\xff\xd8\xff" + bytes(6 * 1024 * 1024)
    files: list[FilePayload] = [
        {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": large},
        {"name": "a.gif", "mimeType": "image/gif", "buffer": b"GIF89a"},
    ]
    ann.locator("#files").set_input_files(files)
    expect(ann.get_by_text("“large.jpg” is 6 MB")).to_be_visible()
    expect(ann.get_by_text("does not accept “a.gif”")).to_be_visible()
    expect(ann.locator("[data-tray]")).to_be_hidden()


def test_a_picture_can_be_pasted_and_taken_out_again(talk: tuple[Page, Page]) -> None:
    ann, _ = talk
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    ann.evaluate(
        """(bytes) => {
            const clipboardData = new DataTransfer()
            clipboardData.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }))
            document.querySelector("#body").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }))
        }""",
        list(out.getvalue()),
    )
    expect(ann.get_by_text("pasted.png")).to_be_visible()
    ann.get_by_role("button", name="Remove").click()
    expect(ann.locator("[data-tray]")).to_be_hidden()


def test_without_a_connection_a_file_is_stored_and_sent_later(talk: tuple[Page, Page], cake: pathlib.Path) -> None:
    ann, _ = talk
    ann.route("**/messages", lambda route: route.abort())
    ann.locator("#files").set_input_files(cake)
    ann.get_by_test_id("send").click()
    expect(mine(ann).get_by_text("Not sent yet.")).to_be_visible()
    ann.unroute("**/messages")
    mine(ann).get_by_role("button", name="Retry").click()
    arrived(mine(ann))


def test_a_voice_note_is_recorded_listened_to_and_sent(talk: tuple[Page, Page]) -> None:
    ann, _ = talk
    ann.get_by_test_id("record").click()
    expect(ann.locator("[data-elapsed]")).to_have_text("0:01")
    ann.get_by_role("button", name="Stop").click()
    expect(ann.get_by_label("Your recording")).to_be_visible()
    ann.get_by_role("button", name="Send voice note").click()
    expect(mine(ann).get_by_label("Voice message")).to_be_visible()
    expect(mine(ann).locator(".waveform")).to_be_visible()
    mine(ann).get_by_role("button", name="Playback speed: 1×").click()
    assert mine(ann).locator("audio").evaluate("sound => sound.playbackRate") == 1.5
    expect(ann.get_by_test_id("send")).to_be_visible()


def test_a_message_is_answered_and_reacted_to_by_keyboard(talk: tuple[Page, Page]) -> None:
    ann, edda = talk
    hers = ann.locator("#messages [data-direction=inbound]").first
    hers.get_by_label("Message actions").press("Enter")
    ann.get_by_role("button", name="React with 👍").press("Enter")
    expect(hers.locator(".chips")).to_contain_text("👍")
    expect(edda.get_by_text("👍").first).to_be_visible()
    hers.get_by_label("Message actions").press("Enter")
    ann.locator("#message-actions").get_by_role("link", name="Reply").press("Enter")
    expect(ann.locator(".quote-bar")).to_contain_text("Which cake is it?")
    ann.get_by_label("Message", exact=True).fill("The brown one")
    ann.keyboard.press("Enter")
    expect(mine(ann).locator(".quote")).to_contain_text("Which cake is it?")
    expect(ann.locator(".quote-bar")).to_have_count(0)


def test_buttons_are_written_tapped_and_answered(talk: tuple[Page, Page]) -> None:
    ann, edda = talk
    ann.get_by_test_id("attach").click()
    ann.locator("#attach-menu").get_by_text("Buttons", exact=True).click()
    form = ann.get_by_role("dialog")
    form.get_by_label("Text").fill("Shall I keep it?")
    form.get_by_label("First button").fill("Yes please")
    form.get_by_role("button", name="Send").click()
    expect(form).to_have_count(0)
    edda.get_by_role("button", name="Yes please").click()
    answer = ann.locator("#messages [data-direction=inbound]").last
    expect(answer).to_contain_text("Tapped")
    expect(answer).to_contain_text("Yes please")


def test_an_emoji_is_found_by_its_name_while_typing(talk: tuple[Page, Page]) -> None:
    ann, _ = talk
    field = ann.get_by_label("Message", exact=True)
    field.press_sequentially("Done :tad")
    expect(ann.locator("#suggestions").get_by_role("option")).to_have_text(["🎉 tada"])
    field.press("Enter")
    expect(field).to_have_value("Done 🎉")
    ann.get_by_test_id("emoji").click()
    ann.get_by_role("button", name="thumbs up").click()
    expect(field).to_have_value("Done 🎉👍")
    field.press("Enter")
    expect(mine(ann)).to_contain_text("Done 🎉👍")
    field.press("ArrowUp")
    expect(field).to_have_value("Done 🎉👍")
    field.fill("")


def test_a_hand_is_found_by_category_in_the_chosen_colour(talk: tuple[Page, Page]) -> None:
    ann, _ = talk
    field = ann.get_by_label("Message", exact=True)
    field.fill("")
    ann.get_by_test_id("emoji").click()
    ann.get_by_label("Skin tone").select_option("🏽")
    ann.get_by_role("button", name="People").click()
    ann.locator(".emoji-face").first.click()
    expect(field).to_have_value("👋🏽")
    field.fill("")


def test_a_canned_reply_brings_its_file_along(talk: tuple[Page, Page], cake: pathlib.Path) -> None:
    ann, edda = talk
    here = ann.url
    ann.goto(f"{here.split('/inbox/')[0]}/inbox/canned-replies")
    ann.get_by_label("Shortcut", exact=True).fill("cake")
    ann.get_by_label("Reply", exact=True).fill("This cake, {{first_name}}?")
    ann.locator("#file").set_input_files(cake)
    ann.get_by_role("button", name="Save").click()
    ann.goto(here)
    ann.get_by_label("Message", exact=True).type("/cak")
    ann.get_by_role("option", name="/cake").click()
    expect(ann.locator(".tray-item")).to_contain_text("cake.jpg")
    ann.get_by_label("Message", exact=True).press("Enter")
    arrived(mine(ann))
    expect(mine(ann).locator(".picture img")).to_be_visible()
    expect(edda.get_by_text("This cake, Edda?")).to_be_visible()


PASTE = """(field, table) => {
  const clipboardData = new DataTransfer()
  clipboardData.setData("text/plain", table)
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
}"""


def test_a_range_of_a_spreadsheet_is_pasted_as_text_that_lines_up(talk: tuple[Page, Page]) -> None:
    ann, _ = talk
    field = ann.get_by_label("Message", exact=True)
    field.fill("")
    field.evaluate(PASTE, "Bread\tLeft\nRye\t12\nSpelt, dark\t4\n")
    expect(field).to_have_value("```\nBread        Left\nRye            12\nSpelt, dark     4\n```")
    field.fill("")
