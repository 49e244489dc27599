import pytest

from app.meta.events import parse, preview

from .bodies import body, message, messages_value


def seen(*, type: str = "text", **content) -> str:
    (event,) = parse(body(messages_value(message(type, **content))))
    return preview(event)


@pytest.mark.parametrize(
    ("type", "content", "line"),
    [
        ("text", {"body": "Hello\n  there"}, "Hello there"),
        ("text", {"body": "  "}, "sent an empty message"),
        ("image", {"id": "1"}, "sent a photo"),
        ("image", {"caption": "Look"}, "sent a photo: Look"),
        ("audio", {"voice": True}, "sent a voice note"),
        ("audio", {}, "sent an audio file"),
        ("document", {"filename": "a.pdf"}, "sent a file (a.pdf)"),
        ("location", {"name": "HQ"}, "shared a location (HQ)"),
        ("location", {}, "shared a location"),
        ("contacts", [{"origin": "contact_request"}], "shared their phone number"),
        ("contacts", [{}, {}], "shared 2 contacts"),
        ("contacts", [{}], "shared a contact"),
        ("reaction", {"emoji": "👍"}, "reacted 👍"),
        ("reaction", {"emoji": ""}, "removed a reaction"),
        ("button", {"text": "Stop"}, "Stop"),
        ("interactive", {"type": "button_reply", "button_reply": {"title": "Yes"}}, "Yes"),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"body": "Sent"}}, "answered a form"),
        (
            "interactive",
            {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}},
            "agreed to be called",
        ),
        ("interactive", {}, "sent something this app cannot show yet (interactive)"),
        ("system", {"type": "user_changed_number"}, "changed their phone number"),
        ("edit", {"message": {"type": "text", "text": {"body": "new"}}}, "edited a message: new"),
        ("revoke", {}, "deleted a message"),
        ("unsupported", {"type": "poll"}, "sent something this app cannot show yet (poll)"),
        ("unsupported", {}, "sent something this app cannot show yet (unknown)"),
        ("hologram", {}, "sent something this app cannot show yet (hologram)"),
    ],
)
def test_every_type_has_an_honest_line(type, content, line):
    assert seen(type=type, **{type: content}) == line


def test_a_long_text_is_cut():
    line = seen(text={"body": "x" * 1_000})
    assert len(line) == 160
    assert line.endswith("…")


def test_words_can_be_translated():
    (event,) = parse(body(messages_value(message("location", location={"name": "HQ"}))))
    assert preview(event, {"shared a location ({name})": "Standort: {name}"}.__getitem__) == "Standort: HQ"
