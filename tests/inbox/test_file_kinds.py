"""What a file is, whatever it is called; and what is said of one that WhatsApp does not take."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from app.inbox.files.attachments import Attachment
from app.meta.outgoing import Refused

OLE, ZIP = b"\xd0\xcf\x11\xe0" + b"\x00" * 60, b"PK\x03\x04" + b"\x00" * 60


def box(name: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + name + body


def track(kind: bytes) -> bytes:
    return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + kind + bytes(12))))


def mp4(*kinds: bytes, brand: bytes = b"isom", index_first: bool = True) -> bytes:
    parts = [box(b"moov", b"".join(map(track, kinds))), box(b"mdat", bytes(500))]
    return box(b"ftyp", brand + bytes(4)) + b"".join(parts if index_first else parts[::-1])


@pytest.mark.parametrize(
    ("body", "name", "kind", "mime"),
    [
        ("item\tcount\n".encode("utf-16"), "list.csv", "document", "text/plain"),
        (b"\xfe\xff" + "hello".encode("utf-16-be"), "a.txt", "document", "text/plain"),
        ("hello".encode("utf-32"), "a.txt", "document", "text/plain"),
        (mp4(b"soun"), "memo.m4a", "audio", "audio/mp4"),
        (mp4(b"soun", brand=b"mp42", index_first=False), "memo.m4a", "audio", "audio/mp4"),
        (mp4(b"soun"), "memo.mp4", "audio", "audio/mp4"),
        (mp4(b"vide", b"soun"), "film.mp4", "video", "video/mp4"),
        (mp4(b"vide", b"soun", index_first=False), "film.m4a", "video", "video/mp4"),
        (b"\xef\xbb\xbf%PDF-1.7", "x.pdf", "document", "application/pdf"),
        (b"\r\n%PDF-1.7", "x.pdf", "document", "application/pdf"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.4", "x.pdf", "document", "application/pdf"),
        (b"A PDF begins with %PDF-", "notes.txt", "document", "text/plain"),
        (OLE, "secret.xlsx", "document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (OLE, "old.xls", "document", "application/vnd.ms-excel"),
    ],
)
def test_a_file_is_what_is_inside(app: Flask, body: bytes, name: str, kind: str, mime: str) -> None:
    results = Attachment.of(io.BytesIO(body), name)
    assert (results.kind, results.mime) == (kind, mime)


@pytest.mark.parametrize(
    ("body", "name", "words"),
    [
        (box(b"ftyp", b"qt  " + bytes(8)), "clip.mov", "QuickTime"),
        (box(b"wide") + box(b"mdat", bytes(50)), "clip.mov", "QuickTime"),
        (box(b"ftyp", b"heic" + bytes(8)), "photo.heic", "HEIC"),
        (box(b"ftyp", b"avif" + bytes(8)), "photo.avif", "AVIF"),
        (ZIP, "sums.xlsm", "macros"),
        (ZIP, "letter.odt", "OpenDocument"),
        (ZIP, "all.zip", "archive"),
        (ZIP, "new.doc", "another kind"),
        (rb"{\rtf1 hello", "letter.rtf", "Rich Text"),
        (b"<html><table>", "report.xls", "really a web page"),
        (b"\xef\xbb\xbf<!DOCTYPE html>", "report.xlsx", "really a web page"),
        (b"name;price", "prices.xls", "really plain text"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a.wav", "sound file"),
        (b"BM" + bytes(50), "a.bmp", "JPEG or PNG"),
        (b"\x00\x01\x02", "a.txt", "no plain text"),
    ],
)
def test_a_refusal_says_what_the_file_is(app: Flask, body: bytes, name: str, words: str) -> None:
    with pytest.raises(Refused) as problem:
        Attachment.of(io.BytesIO(body), name)
    assert words in problem.value.explain() and name in problem.value.explain()
