from flask import request

from simulator.errors import invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.media import LARGEST_INBOUND, SENDABLE, Media
from simulator.phone_numbers import PhoneNumber


@edge(PhoneNumber, "POST", "media")
def upload(call: Call, number: PhoneNumber) -> Answer:
    """Accepts a file that is too large for its type; sending it fails later."""
    if call.require("messaging_product") != "whatsapp":
        raise invalid("Param messaging_product must be one of {WHATSAPP}")
    file = request.files.get("file")
    if file is None:
        raise invalid("The parameter file is required.")
    given = str(call.params.get("type") or "")
    # Some clients say only `image`; the file itself says which.
    mime_type = given if "/" in given else file.mimetype
    data = file.read(LARGEST_INBOUND + 1)
    if mime_type.partition(";")[0].strip() not in SENDABLE:
        allowed = ", ".join(sorted(SENDABLE))
        raise invalid(f"Param file must be a file with one of the following types: {allowed}. Received '{mime_type}'.")
    if not data or len(data) > LARGEST_INBOUND:
        raise invalid("Param file must hold 1 byte to 100 MB.")
    media = Media.save(call.world, number, "upload", mime_type, data, file.filename or "")
    return {"id": media.id}


@edge(Media, "GET")
def show(call: Call, media: Media) -> Answer:
    _guard(call, media)
    return {
        "messaging_product": "whatsapp",
        "url": media.temporary_url("getMedia"),
        "mime_type": media.mime_type,
        "sha256": media.sha256,
        "file_size": media.file_size,
        "id": media.id,
    }


@edge(Media, "DELETE")
def delete(call: Call, media: Media) -> Answer:
    _guard(call, media)
    media.delete()
    return SUCCESS


def _guard(call: Call, media: Media) -> None:
    """With `phone_number_id`, refuses a file of another number."""
    owner = call.params.get("phone_number_id")
    if owner and str(owner) != media.phone_number_id:
        raise invalid("Param phone_number_id is not the phone number this media belongs to.")
