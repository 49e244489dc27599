"""Files and other types over the wire, from a customer's phone to the inbox."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from app.inbox.inbound.jobs import fetch
from app.tenancy import tenant_scope
from tests.arrivals import files
from tests.simulated import Road


def sent(road: Road, **more: Any) -> None:
    """What a customer sends, once it has arrived."""
    facts = {"phone_number_id": road.ids["phone_number_id"], "from": "16505551234", "name": "Carla"}
    wamid = road.meta.post("inbound", **facts, **more)["wamid"]

    def arrived() -> bool:
        with tenant_scope(road.world.bakery.id):
            return road.message_with(wamid) is not None

    road.until(arrived)


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_a_file_comes_from_the_phone_into_the_store(road: Road, kind: str) -> None:
    sent(road, type=kind)
    fetch(road.world.bakery.id, files(road.world)[0].id)
    (file,) = files(road.world)
    assert (file.state, file.error) == ("stored", None)
    assert file.size and file.content_type != "application/octet-stream"


def test_a_photo_has_its_thumbnail(road: Road) -> None:
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "teal").save(out, "JPEG")
    sent(road, type="image", file_base64=base64.b64encode(out.getvalue()).decode(), mime_type="image/jpeg")
    fetch(road.world.bakery.id, files(road.world)[0].id)
    (file,) = files(road.world)
    assert file.thumbnail_key and (file.width, file.height) == (900, 600)
