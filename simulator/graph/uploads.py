"""The resumable upload of samples and photos: a session, its bytes, and how many have arrived."""

from flask import current_app, request

from simulator.errors import invalid, nonexistent
from simulator.graph.access import App
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.uploads import LARGEST, TYPES, Upload
from simulator.world import World


@edge(App, "POST", "uploads")
def begin(call: Call, _: App) -> Answer:
    """Opens a session for a file of 1 byte to 100 MB of a type that Meta takes."""
    file_type, length = str(call.require("file_type")).lower(), str(call.require("file_length"))
    if file_type not in TYPES:
        raise invalid(f"Param file_type must be one of {{{', '.join(TYPES)}}}")
    if not length.isdecimal() or not 1 <= int(length) <= LARGEST:
        raise invalid("Param file_length must be a number of bytes between 1 and 104857600.")
    return {"id": Upload.begin(call.world, file_type, int(length), str(call.params.get("file_name") or "")).session}


def send(name: str) -> Answer:
    """Raw bytes from `file_offset` on; the last ones are answered with the handle."""
    upload = _session(name)
    data = request.get_data()
    # Some servers keep back headers with an underscore.
    if request.headers.get("file_offset", str(upload.offset)) != str(upload.offset):
        raise invalid("The file_offset is not where the upload has stopped.")
    if not data or upload.offset + len(data) > upload.file_length:
        raise invalid("The upload does not have the announced length.")
    upload.append(data)
    if upload.handle is None:
        return {"id": upload.session, "file_offset": str(upload.offset)}
    if not upload.looks_right:
        upload.update(handle=None)
        raise invalid(f"The file is not of the announced type {upload.file_type}.")
    return {"h": upload.handle}


def progress(name: str) -> Answer:
    """How many bytes have arrived, for whoever continues."""
    upload = _session(name)
    return {"id": upload.session, "file_offset": str(upload.offset)}


def _session(name: str) -> Upload:
    """The session of the address; a wrong signature is answered like an unknown session."""
    upload = Upload.find(World.of(current_app), f"upload:{name}")
    if upload is None or request.args.get("sig") != upload.sig:
        raise nonexistent(request.method, f"upload:{name}")
    return upload
