import struct

from simulator.samples import voice
from simulator.voice import OGG_OPUS, as_phone_sends_it

HEADER = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48000, 0, 0)


def element(id: int, payload: bytes) -> bytes:
    return id.to_bytes((id.bit_length() + 7) // 8, "big") + length(payload) + payload


def length(payload: bytes) -> bytes:
    return (len(payload) | 1 << 28).to_bytes(4, "big")


def recording(packets: list[bytes]) -> bytes:
    track = element(0x1654AE6B, element(0xAE, element(0x63A2, HEADER)))
    blocks = b"".join(element(0xA3, b"\x81\x00\x00\x80" + packet) for packet in packets)
    # A browser that is still recording cannot know how long anything will be.
    cluster = (0x1F43B675).to_bytes(4, "big") + b"\x01" + b"\xff" * 7 + blocks
    segment = (0x18538067).to_bytes(4, "big") + b"\x01" + b"\xff" * 7 + track + cluster
    return element(0x1A45DFA3, b"\x42\x86\x81\x01") + segment


def test_a_browsers_recording_becomes_what_a_phone_sends() -> None:
    packet = b"\xf8\xff\xfe"
    ogg, mime_type = as_phone_sends_it(recording([packet] * 25), "audio/webm;codecs=opus")
    assert mime_type == OGG_OPUS
    assert ogg.count(b"OggS") == 27
    assert ogg[28:36] == b"OpusHead"
    assert len(ogg.split(packet)) == 26


def test_the_last_page_tells_the_length() -> None:
    ogg, _ = as_phone_sends_it(recording([b"\xf8\xff\xfe"] * 25), "audio/webm")
    (position,) = struct.unpack_from("<q", ogg, ogg.rindex(b"OggS") + 6)
    assert position == 25 * 960


def test_what_is_ogg_already_stays_as_it_is() -> None:
    assert as_phone_sends_it(voice(), OGG_OPUS) == (voice(), OGG_OPUS)
