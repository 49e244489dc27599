"""heyoo: what its README shows, against a number of our own."""

from __future__ import annotations

import json
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

from heyoo import WhatsApp

from conformance.clients.setting import Setting

BREAD = "https://bakery.example/bread"
MENU = {
    "header": "Bread",
    "body": "Which one?",
    "footer": "Until noon",
    "action": {
        "button": "Choose",
        "sections": [
            {
                "title": "Today",
                "rows": [
                    {"id": "row 1", "title": "Rye bread", "description": ""},
                    {"id": "row 2", "title": "Croissant", "description": ""},
                ],
            }
        ],
    },
}
YES_OR_NO = {
    "type": "button",
    "body": {"text": "Fresh bread?"},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
            {"type": "reply", "reply": {"id": "no", "title": "No"}},
        ]
    },
}
CARD = [
    {
        "addresses": [{"street": "1 High Street", "city": "London", "country": "United Kingdom", "type": "HOME"}],
        "emails": [{"email": "ann@bakery.example", "type": "WORK"}],
        "name": {"formatted_name": "Ann Li", "first_name": "Ann", "last_name": "Li"},
        "phones": [{"phone": "+16505550100", "type": "WORK", "wa_id": "16505550100"}],
        "urls": [{"url": "https://bakery.example", "type": "WORK"}],
    }
]


def examples(setting: Setting) -> dict[str, Callable[[], object]]:
    """The library keeps Meta's address in attributes; only they are changed."""
    messenger = WhatsApp(setting.token, phone_number_id=setting.phone_number_id)
    messenger.base_url = messenger.v15_base_url = f"{setting.url}/{setting.version}"
    messenger.url = f"{messenger.base_url}/{setting.phone_number_id}/messages"
    to = setting.customer

    def image_by_id() -> None:
        media_id = uploaded()
        sent(messenger.send_image(image=media_id, recipient_id=to, link=False))

    def uploaded() -> str:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "bread.png"
            file.write_bytes(b"\x89PNG\r\n\x1a\n")
            answer = messenger.upload_media(media=str(file))
        assert answer, "the upload was refused"
        return str(answer["id"])

    def received_image() -> None:
        data = json.loads(setting.webhooks["image"].body)
        image = messenger.get_image(data)
        address = messenger.query_media_url(image["id"])
        assert address, "the address of the file was refused"
        with tempfile.TemporaryDirectory() as folder:
            saved = messenger.download_media(address, image["mime_type"], f"{folder}/bread")
            assert saved and pathlib.Path(saved).read_bytes().startswith(b"\x89PNG")

    def received_text() -> None:
        data = json.loads(setting.webhooks["text"].body)
        assert messenger.changed_field(data) == "messages"
        assert messenger.is_message(data)
        assert messenger.get_mobile(data) == to
        assert messenger.get_name(data) == "Carla"
        assert messenger.get_message_type(data) == "text"
        assert messenger.get_message(data) == "Hello"
        assert messenger.get_message_id(data) == setting.wamid

    def received_tap() -> None:
        response = messenger.get_interactive_response(json.loads(setting.webhooks["interactive"].body))
        assert response[response["type"]]["title"] == "Yes"

    def received_place() -> None:
        assert messenger.get_location(json.loads(setting.webhooks["location"].body))["latitude"] == 51.5

    def received_file() -> None:
        assert messenger.get_document(json.loads(setting.webhooks["document"].body))["mime_type"] == "application/pdf"

    def received_status() -> None:
        data = json.loads(setting.webhooks["status"].body)
        assert messenger.get_delivery(data) in ("sent", "delivered", "read")

    def deleted_file() -> None:
        assert messenger.delete_media(uploaded()) == {"success": True}

    return {
        "send a text": lambda: sent(messenger.send_message("Fresh bread", to)),
        "reply to a message": lambda: sent(messenger.reply_to_message(setting.wamid, to, "Yes")),
        "react to a message": lambda: sent(messenger.send_reaction("👍", setting.wamid, to)),
        "mark as read": lambda: expect(messenger.mark_as_read(setting.wamid), {"success": True}),
        "send an image by link": lambda: sent(messenger.send_image(image=f"{BREAD}.jpeg", recipient_id=to)),
        "upload and send an image": image_by_id,
        "delete a file": deleted_file,
        "send a sticker by link": lambda: sent(messenger.send_sticker(f"{BREAD}.webp", to)),
        "send a video": lambda: sent(messenger.send_video(video=f"{BREAD}.mp4", recipient_id=to)),
        "send a sound": lambda: sent(messenger.send_audio(audio=f"{BREAD}.mp3", recipient_id=to)),
        "send a document over http": lambda: sent(
            messenger.send_document(document="http://bakery.example/prices.pdf", recipient_id=to)
        ),
        "send a place": lambda: sent(
            messenger.send_location(lat=1.29, long=103.85, name="Bakery", address="Singapore", recipient_id=to)
        ),
        "send a contact": lambda: sent(messenger.send_contacts(CARD, to)),
        "send a list": lambda: sent(messenger.send_button(recipient_id=to, button=MENU)),
        "send reply buttons": lambda: sent(messenger.send_reply_button(recipient_id=to, button=YES_OR_NO)),
        "send a template": lambda: sent(messenger.send_template("hello_world", to, components=[], lang="en_US")),
        "read a text from a webhook": received_text,
        "read an image from a webhook and download it": received_image,
        "read a tapped button from a webhook": received_tap,
        "read a place from a webhook": received_place,
        "read a document from a webhook": received_file,
        "read a status from a webhook": received_status,
    }


def sent(answer: Any) -> None:
    """heyoo returns refusals like answers."""
    assert answer.get("messages", [{}])[0].get("id", "").startswith("wamid."), answer


def expect(answer: Any, expected: object) -> None:
    assert answer == expected, answer
