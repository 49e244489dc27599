"""An entry point's QR code, as a picture and as a printable sign in A6."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import segno

from .models import EntryPoint
from .snippets import LABELS

MIMETYPES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
# In points: A6, and the places on it.
WIDTH, HEIGHT, MARGIN = 298, 420, 24
CODE = 200
LONGEST_LINE = 40
# Widths of Helvetica-Bold, in thousandths of its size, of the characters from the space on (Adobe's metrics).
WIDTHS = (
    *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, *[556] * 10, 333, 333),
    *(584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556),
    *(611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778),
    *(556, 556, 500, 389, 280, 389, 584),
)
OTHER_WIDTH = 611


def code_of(entry_point: EntryPoint) -> segno.QRCode:
    """Of the short link; a quarter of it may be covered or scratched (level Q)."""
    return segno.make(entry_point.address, error="q", micro=False, boost_error=False)


def picture(entry_point: EntryPoint, kind: str) -> bytes:
    """The QR code as `svg` or `png`, or the sign as `pdf`."""
    if kind == "pdf":
        return sign(entry_point)
    file = io.BytesIO()
    options = {"xmldecl": False, "title": entry_point.heading} if kind == "svg" else {}
    code_of(entry_point).save(file, kind=kind, scale=16, border=4, light="white", **options)
    return file.getvalue()


def is_writable(words: str) -> bool:
    """Whether the PDF's own font has all of these letters. Others stay with the page that the browser prints."""
    try:
        words.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def sign(entry_point: EntryPoint) -> bytes:
    """One page of A6: the business, what to do, the code, the number, the short link."""
    drawing = "\n".join(draw(entry_point)).encode("cp1252")
    packed = zlib.compress(drawing)
    fonts = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>"
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents 5 0 R"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"{page} /Resources << /Font << /F 4 0 R >> >> >>".encode(),
        fonts.encode(),
        f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode() + packed + b"\nendstream",
    ]
    return assembled(objects)


def assembled(objects: list[bytes]) -> bytes:
    """A PDF 1.4 file of numbered objects, the first of which is the catalogue."""
    file, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(file))
        file += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(file)
    file += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    file += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    return bytes(file + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())


def draw(entry_point: EntryPoint) -> Iterator[str]:
    at = HEIGHT - MARGIN - 20
    for points, words in ((18, entry_point.heading), (14, invitation(entry_point))):
        for line in lines_of(words, points)[:2]:
            yield centred(line, at, points)
            at -= points + 4
    matrix = tuple(code_of(entry_point).matrix)
    size, left, top = CODE / len(matrix), (WIDTH - CODE) / 2, at - 2
    for row, modules in enumerate(matrix):
        for column, is_dark in enumerate(modules):
            if is_dark:
                x, y = left + column * size, top - (row + 1) * size
                yield f"{x:.3f} {y:.3f} {size:.3f} {size:.3f} re"
    yield "f"
    at = int(top - CODE - 28)
    yield centred(entry_point.phone_number.display_number, at, 16)
    yield centred(entry_point.address.partition("://")[2], at - 20, 9)


def invitation(entry_point: EntryPoint) -> str:
    """What whoever sees the sign can do, in its usual language."""
    usual = next(iter(entry_point.languages), "en")
    return LABELS.get(usual, LABELS["en"])


def lines_of(words: str, size: float) -> list[str]:
    """Words in lines; those that the font lacks are left out."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else ""
        if not is_writable(word):
            continue
        if longer and width_of(longer, size) <= WIDTH - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(word[:LONGEST_LINE])
    return lines


def width_of(words: str, size: float) -> float:
    places = (ord(letter) - 32 for letter in words)
    return sum(WIDTHS[place] if 0 <= place < len(WIDTHS) else OTHER_WIDTH for place in places) * size / 1000


def centred(words: str, at: float, size: float) -> str:
    """A line of text in the middle, smaller where it is too long."""
    size = min(size, size * (WIDTH - 2 * MARGIN) / max(width_of(words, size), 1))
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F {size:.2f} Tf {(WIDTH - width_of(words, size)) / 2:.2f} {at:.2f} Td ({escaped}) Tj ET"
