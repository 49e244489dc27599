"""Everything a customer can send, as an agent sees it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.arrivals import arrive, conversation, failures, messages
from tests.client import Browser
from tests.posts import message, status
from tests.world import World

NOW = time.time()


@pytest.fixture(autouse=True)
def numbers(world: World) -> None:
    world.connect_numbers()


def shown(ann: Browser, world: World) -> str:
    """The open conversation, without what differs by chance."""
    return ann.get(f"~/inbox/{conversation(world).id}?latest=1").text


CARD = {"name": {"formatted_name": "Rosa Ruiz"}, "phones": [{"phone": "+34 600 000 000"}], "org": {"company": "Mill"}}
FORM = {"type": "nfm_reply", "nfm_reply": {"response_json": '{"flow_token":"secret","screen_0_First_name_1":"Ada"}'}}
PRODUCTS = [{"product_retailer_id": "rye-1", "quantity": 3, "item_price": 4.5, "currency": "EUR"}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"type": "location", "location": {"latitude": 1.5, "longitude": -2, "name": "Mill"}}, ["Mill", "mlat=1.5"]),
        ({"type": "contacts", "contacts": [CARD]}, ["Rosa Ruiz", "+34 600 000 000", "Mill"]),
        ({"type": "button", "button": {"payload": "p", "text": "Call me"}}, ["Tapped", "Call me"]),
        (
            {
                "type": "interactive",
                "interactive": {"type": "list_reply", "list_reply": {"title": "A", "description": "B1"}},
            },
            ["Tapped", "B1"],
        ),
        ({"type": "interactive", "interactive": FORM}, ["First name", "Ada"]),
        ({"type": "order", "order": {"text": "soon?", "product_items": PRODUCTS}}, ["rye-1", "€13.50", "soon?"]),
        ({"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [{"code": 131051}]}, ["(poll)", "131051"]),
        ({"type": "hologram", "hologram": {"depth": 3}}, ["hologram"]),
        ({"type": "text", "text": {"body": "x"}, "context": {"forwarded": True}}, ["Forwarded"]),
        (
            {
                "type": "text",
                "text": {"body": "x"},
                "referral": {"source_type": "ad", "headline": "Fresh", "source_url": "https://fb.me/1"},
            },
            ["Came from an ad", "Fresh", "https://fb.me/1"],
        ),
        ({"type": "media_placeholder"}, ["has not arrived yet"]),
    ],
)
def test_each_type_is_shown_for_what_it_is(
    ann: Browser, world: World, content: dict[str, Any], words: list[str]
) -> None:
    arrive(message(**content))
    page = shown(ann, world)
    assert [word for word in words if word not in page] == []
    assert "secret" not in page


def test_what_cannot_be_shown_is_reported_once(ann: Browser, world: World) -> None:
    arrive(message(type="unsupported", unsupported={"type": "poll"}, errors=[{"code": 131051}]))
    page = shown(ann, world)
    assert "does not support this type of message here" in page and "does not pass this on" not in page


NONSENSE: list[Any] = [None, 0, -1, True, "", "x" * 5000, [], {}, [[]], [None], {"a": [1]}, 1e400, "1e999", "<b>", "🎉"]


@pytest.mark.parametrize(
    "kind", ["location", "contacts", "button", "interactive", "order", "reaction", "edit", "image"]
)
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_no_content_is_so_strange_that_the_page_breaks(ann: Browser, world: World, kind: str, nonsense: Any) -> None:
    keys = (
        "latitude",
        "longitude",
        "text",
        "product_items",
        "type",
        "nfm_reply",
        "message_id",
        "id",
        "message",
        "emoji",
    )
    inside = [dict.fromkeys(("phones", "name", "org", "quantity", "item_price", "currency"), nonsense)]
    contents = [
        nonsense,
        dict.fromkeys(keys, nonsense),
        {"contacts": inside, "product_items": inside, "type": "nfm_reply"},
    ]
    arrive(message("hello"), *(message(type=kind, **{kind: content}) for content in contents))
    assert ann.get(f"~/inbox/{conversation(world).id}").status_code == 200
    assert failures() == []


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("*bold* _it_ ~s~", "<strong>bold</strong> <em>it</em> <s>s</s>"),
        ("a `b*c*` d", "a <code>b*c*</code> d"),
        ("```x\ny```", '<code class="code-lines">x\ny</code>'),
        ("2*3*4 snake_case_name", "2*3*4 snake_case_name"),
        ("*<script>*", "<strong>&lt;script&gt;</strong>"),
        ("see https://x.example/a_b_.", 'see <a href="https://x.example/a_b" target'),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ('https://x"onclick=1', "https://x</a>&#34;onclick=1"),
        ("***", "***"),
    ],
)
def test_whatsapps_marks_are_shown_and_nothing_else(ann: Browser, world: World, written: str, html: str) -> None:
    arrive(message(written))
    assert html in shown(ann, world)


def test_a_reply_quotes_what_it_answers_and_leads_there(ann: Browser, world: World) -> None:
    arrive(message("Rye or wheat?", wamid="wamid.q", at=NOW - 60))
    arrive(message(type="text", text={"body": "Both"}, context={"id": "wamid.q"}))
    question, _ = messages(world)
    page = shown(ann, world)
    assert f"#message-{question.id}" in page and page.count("Rye or wheat?") >= 2


def test_a_quote_of_an_older_page_opens_the_conversation_from_there(ann: Browser, world: World) -> None:
    arrive(message("first of all", wamid="wamid.q", at=NOW - 9000))
    arrive(*(message(f"number {n}", at=NOW - 8000 + n) for n in range(60)))
    arrive(message(type="text", text={"body": "that"}, context={"id": "wamid.q"}))
    page = shown(ann, world)
    link = page.partition('class="quote" href="')[2].partition("#")[0].replace("&amp;", "&")
    opened = ann.get(link).text
    assert opened.count('data-testid="bubble"') == 62 + 1
    assert "Show older messages" not in opened


def test_a_quote_of_something_unknown_says_so(ann: Browser, world: World) -> None:
    arrive(message(type="text", text={"body": "that one"}, context={"id": "wamid.elsewhere"}))
    assert "Reply to a message that isn" in shown(ann, world)


def reaction(emoji: str | None, to: str = "wamid.t", **more: Any) -> dict[str, Any]:
    facts = {"message_id": to} | ({"emoji": emoji} if emoji is not None else {})
    return message(type="reaction", reaction=facts, **more)


def test_a_reaction_is_a_chip_under_its_message_and_nothing_unread(ann: Browser, world: World) -> None:
    arrive(message("Fresh rye!", wamid="wamid.t", at=NOW - 60))
    arrive(reaction("👍"))
    talk = conversation(world)
    assert (talk.unread_count, talk.last_line) == (1, "Reacted 👍 to “Fresh rye!”")
    assert [chip.emoji for chip in messages(world)[0].chips] == ["👍"]
    assert shown(ann, world).count('data-testid="bubble"') == 1 + 1


@pytest.mark.parametrize("removal", [None, ""])
def test_a_reaction_changes_and_goes_away(world: World, removal: str | None) -> None:
    arrive(message(wamid="wamid.t", at=NOW - 60))
    arrive(reaction("👍", at=NOW - 50), reaction("🎉", at=NOW - 40))
    assert [chip.emoji for chip in messages(world)[0].chips] == ["🎉"]
    arrive(reaction(removal, at=NOW - 30))
    assert messages(world)[0].chips == []


def test_a_reaction_reported_twice_and_late_does_not_come_back(world: World) -> None:
    liked = reaction("👍", at=NOW - 50, wamid="wamid.r")
    arrive(message(wamid="wamid.t", at=NOW - 60), liked, reaction("", at=NOW - 40), liked)
    arrive(liked)
    assert messages(world)[0].chips == []


def test_a_reaction_to_something_unknown_is_a_bubble_of_its_own(ann: Browser, world: World) -> None:
    arrive(reaction("👍", to="wamid.elsewhere"))
    assert "Reacted 👍" in shown(ann, world)


def test_a_reaction_to_a_photo_is_described_without_its_words(world: World) -> None:
    arrive(message(type="image", image={"id": "1"}, wamid="wamid.t", at=NOW - 60), reaction("👍"))
    assert conversation(world).last_line == "Reacted 👍 to a photo"


def edit(body: str, of: str = "wamid.t", **more: Any) -> dict[str, Any]:
    return message(
        type="edit", edit={"original_message_id": of, "message": {"type": "text", "text": {"body": body}}}, **more
    )


def revoke(of: str = "wamid.t", **more: Any) -> dict[str, Any]:
    return message(type="revoke", revoke={"original_message_id": of}, **more)


def test_an_edit_shows_the_newest_words_and_has_the_old(ann: Browser, world: World) -> None:
    arrive(message("Two loafs", wamid="wamid.t", at=NOW - 60))
    arrive(edit("Three loaves", at=NOW - 50), edit("Two loaves", at=NOW - 55))
    (incoming,) = messages(world)
    assert (incoming.words, [words for _, words in incoming.versions]) == ("Three loaves", ["Two loafs", "Two loaves"])
    assert conversation(world).last_message_preview == "Three loaves"
    assert conversation(world).unread_count == 1
    assert "Edited" in shown(ann, world)


def test_what_the_customer_deleted_is_not_shown_any_more(ann: Browser, world: World) -> None:
    arrive(
        message("my secret", wamid="wamid.t", at=NOW - 60),
        message("ok", at=NOW - 59, context={"id": "wamid.t"}, type="text", text={"body": "ok"}),
    )
    arrive(revoke())
    page = shown(ann, world)
    assert "Deleted by the customer" in page and "my secret" not in page


def test_the_list_does_not_tell_what_was_deleted(world: World) -> None:
    arrive(message("my secret", wamid="wamid.t"))
    arrive(revoke())
    assert conversation(world).last_line == "Deleted message"


def test_a_deletion_that_comes_before_its_message_counts(ann: Browser, world: World) -> None:
    arrive(revoke(at=NOW - 50))
    arrive(message("my secret", wamid="wamid.t", at=NOW - 40))
    assert "my secret" not in shown(ann, world)
    assert conversation(world).last_line == "Deleted message"


def test_an_edit_of_something_unknown_is_not_lost(ann: Browser, world: World) -> None:
    arrive(edit("Three loaves", of="wamid.elsewhere"))
    assert "Three loaves" in shown(ann, world)


@pytest.mark.parametrize("kind", ["reaction", "edit"])
def test_what_overtook_its_message_is_shown_and_counted_once(world: World, kind: str) -> None:
    incoming = message("Two loaves", wamid="wamid.t", at=NOW - 60)
    about = (
        edit("Three loaves", at=NOW - 50, wamid="wamid.x")
        if kind == "edit"
        else reaction("👍", at=NOW - 50, wamid="wamid.x")
    )
    arrive(about)
    arrive(incoming)
    arrive(about)
    assert [one.type for one in messages(world)] == ["text"]
    assert conversation(world).unread_count == 1


def system(**facts: Any) -> dict[str, Any]:
    change = message(type="system", system={"body": "changed", "type": "user_changed_number"} | facts)
    change["value"].pop("contacts")
    change["value"]["messages"][0].pop("from_user_id")
    return change


def test_a_changed_number_stays_the_same_customer(ann: Browser, world: World) -> None:
    arrive(message("before", at=NOW - 60))
    arrive(system(wa_id="16505559876", user_id="US.new", previous_user_id="US.16505551234"))
    after = message("after", wa_id="16505559876")
    after["value"]["messages"][0]["from_user_id"] = after["value"]["contacts"][0]["user_id"] = "US.new"
    arrive(after)
    assert [incoming.body for incoming in messages(world)] == ["before", "", "after"]
    talk = conversation(world)
    assert talk.unread_count == 2
    page = shown(ann, world)
    assert "Changed their phone number" in page and "+16505559876" not in page
    assert "+1 650-555-9876" in page


def test_a_system_message_opens_no_window(world: World) -> None:
    arrive(system(wa_id="16505559876"))
    talk = conversation(world)
    assert (talk.unread_count, talk.last_inbound_at) == (0, None)


@pytest.mark.parametrize(
    ("first", "second"),
    [("5511987654321", "551187654321"), ("5215512345678", "525512345678"), ("5491123456789", "541123456789")],
)
def test_a_number_spelt_in_two_ways_is_one_conversation(world: World, first: str, second: str) -> None:
    for wa_id in (first, second):
        incoming = message(f"from {wa_id}", wa_id=wa_id)
        for part in (incoming["value"]["messages"][0], incoming["value"]["contacts"][0]):
            part.pop("from_user_id", None), part.pop("user_id", None)
        arrive(incoming)
    assert conversation(world).unread_count == 2


def test_a_fixed_line_in_brazil_has_no_second_spelling(world: World) -> None:
    from app.meta.spellings import other_spellings

    assert [list(other_spellings(wa_id)) for wa_id in ("551133334444", "16505551234", "55", "", "5219")] == [[]] * 5


def test_a_deleted_message_still_shows_its_ticks_and_reactions_apart(world: World) -> None:
    """A status for a customer's own message means nothing, and must not break."""
    arrive(message(wamid="wamid.t"), revoke())
    arrive(status("wamid.t", "read"))
    assert messages(world)[0].state == "received"


def test_what_is_being_sent_has_a_bubble_to_put_its_words_in(ann: Browser, world: World) -> None:
    arrive(message("hello"))
    draft = shown(ann, world).partition('<template id="bubble-draft">')[2].partition("</template>")[0]
    assert '<p class="bubble-text" dir="auto"></p>' in draft
    assert "Ann" in draft and "Former team member" not in draft
