"""Repackages Opus from WebM, as browsers record it, into Ogg, as phones send it, without re-encoding."""

import struct
from collections.abc import Iterator

SEGMENT, CLUSTER, SIMPLE_BLOCK, BLOCK_GROUP, BLOCK = 0x18538067, 0x1F43B675, 0xA3, 0xA0, 0xA1
TRACKS, TRACK_ENTRY, CODEC_PRIVATE = 0x1654AE6B, 0xAE, 0x63A2
CONTAINERS = {SEGMENT, CLUSTER, BLOCK_GROUP, TRACKS, TRACK_ENTRY}
WEBM, OGG_OPUS = b"\x1a\x45\xdf\xa3", "audio/ogg; codecs=opus"
SAMPLES_PER_SECOND = 48000
SERIAL = 1
FIRST, LAST = 2, 4
# Frame lengths in samples at 48 kHz, by the configuration in the first byte of a packet (RFC 6716, 3.1).
SILK, HYBRID, CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)


def as_phone_sends_it(data: bytes, mime_type: str) -> tuple[bytes, str]:
    if not data.startswith(WEBM):
        return data, mime_type
    header, packets = _unwrap(data)
    return (wrap(header, packets), OGG_OPUS) if header and packets else (data, mime_type)


def _unwrap(data: bytes) -> tuple[bytes, list[bytes]]:
    header, packets = b"", []
    for id, payload in _elements(data, 0, len(data)):
        if id == CODEC_PRIVATE:
            header = payload
        elif id in (SIMPLE_BLOCK, BLOCK):
            packets.append(payload[4:])
    return header, packets


def _elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yields the leaves of the EBML tree; containers of a live recording have no length."""
    while at < end:
        id, at = _number(data, at, with_marker=True)
        length, after = _number(data, at, with_marker=False)
        unknown = length == (1 << (7 * (after - at))) - 1
        at, stop = after, end if unknown else min(end, after + length)
        if id in CONTAINERS:
            yield from _elements(data, at, stop)
        else:
            yield id, data[at:stop]
        at = stop


def _number(data: bytes, at: int, with_marker: bool) -> tuple[int, int]:
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    return (value if with_marker else value & ((1 << (7 * length)) - 1)), at + length


def wrap(header: bytes, packets: list[bytes]) -> bytes:
    vendor = b"simulator"
    tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)
    pages = [_page(header, 0, 0, FIRST), _page(tags, 0, 1, 0)]
    position = 0
    for number, packet in enumerate(packets, 2):
        position += _samples(packet)
        pages.append(_page(packet, position, number, LAST if number == len(packets) + 1 else 0))
    return b"".join(pages)


def _samples(packet: bytes) -> int:
    config, frames = packet[0] >> 3, packet[0] & 3
    count = {0: 1, 1: 2, 2: 2}.get(frames, packet[1] & 63 if len(packet) > 1 else 1)
    if config < 12:
        return SILK[config % 4] * count
    return (HYBRID[config % 2] if config < 16 else CELT[config % 4]) * count


def _page(packet: bytes, position: int, number: int, flags: int) -> bytes:
    lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, SERIAL, number, 0, len(lacing)) + lacing
    checksum = struct.pack("<I", _crc(head + packet))
    return head[:22] + checksum + head[26:] + packet


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        register = byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x04C11DB7 if register & 0x80000000 else 0)
        table.append(register & 0xFFFFFFFF)
    return table


CRC = _crc_table()


def _crc(data: bytes) -> int:
    register = 0
    for byte in data:
        register = (register << 8 & 0xFFFFFFFF) ^ CRC[(register >> 24) ^ byte]
    return register
