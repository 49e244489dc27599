"""vCard 2.1 (vCard), 3.0 (RFC 2426) and 4.0 (RFC 6350): a row for each card."""

from __future__ import annotations

import binascii
import codecs
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .table import Row, Table, bounded

HEADER = ("Name", "Phone", "Labels", "Email", "Organization", "Title", "Birthday", "Address", "Website", "Note")
# Python's own codecs, which make characters that no database can hold, or take as long as they like.
NO_CHARSETS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
PLAIN = {"EMAIL": 3, "TITLE": 5, "BDAY": 6, "URL": 8, "NOTE": 9}
# Possessive: what it would return to takes gigabytes for a line of semicolons.
LINE = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)((?:;(?:\"[^\"]*\"|[^:\";])*+)*+):(.*)", re.DOTALL)


def is_vcard(text: str) -> bool:
    return bool(re.match(r"\s*BEGIN:VCARD\s", text[:200], re.IGNORECASE))


def unfolded_bytes(data: bytes) -> bytes:
    """Cards in whole lines where a line was cut within a character, as RFC 2426 allowed; other files as they are."""
    if not data[:200].lstrip(b"\xef\xbb\xbf \r\n").upper().startswith(b"BEGIN:VCARD"):
        return data
    whole = re.sub(rb"(?<=[\x80-\xff])(?:\r\n|\n|\r)[ \t](?=[\x80-\xbf])", b"", data)
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        return data
    return whole


def read_vcards(text: str) -> Table:
    rows = [Row(1, list(HEADER)), *(Row(number, card.cells) for number, card in enumerate(cards_of(text), 2))]
    return Table("vcard", bounded(rows), has_header=True)


@dataclass(slots=True)
class Card:
    cells: list[str] = field(default_factory=lambda: [""] * len(HEADER))
    name_parts: str = ""
    labels: list[str] = field(default_factory=list)
    # Numbers with how likely each is to use WhatsApp: the likeliest goes first.
    phones: list[tuple[int, str]] = field(default_factory=list)

    def take(self, name: str, parameters: str, value: str) -> None:
        kinds = parameters.upper()
        if name == "TEL":
            waid = re.search(r"(?i);waid=\"?(\d+)", parameters)
            if number := f"+{waid[1]}" if waid else value.strip():
                likely = 0 if waid else 1 if re.search(r"CELL|IPHONE|MOBILE", kinds) else 2
                self.phones.append(
                    (9 if "FAX" in kinds or "PAGER" in kinds else likely * 2 - ("PREF" in kinds), number)
                )
        elif name == "FN":
            self.cells[0] = self.cells[0] or plain(value)
        elif name == "N":
            family, given, middle, *_ = [*(plain(part) for part in split(value, ";")), "", "", ""]
            self.name_parts = " ".join(filter(None, (given, middle, family)))
        elif name == "CATEGORIES":
            self.labels += filter(None, (plain(part) for part in split(value, ",")))
        elif name == "ORG":
            self.cells[4] = self.cells[4] or ", ".join(filter(None, (plain(part) for part in split(value, ";"))))
        elif name == "ADR":
            self.cells[7] = self.cells[7] or ", ".join(filter(None, (plain(part) for part in split(value, ";"))))
        elif name in PLAIN:
            self.cells[PLAIN[name]] = self.cells[PLAIN[name]] or plain(value)

    def close(self) -> Card:
        self.cells[0] = self.cells[0] or self.name_parts or self.cells[4]
        usable = [number for rank, number in sorted(self.phones, key=lambda each: each[0]) if rank < 9]
        self.cells[1] = " ::: ".join(dict.fromkeys(usable))
        self.cells[2] = "; ".join(self.labels)
        return self


def cards_of(text: str) -> Iterator[Card]:
    """A card that isn't closed ends where the next one begins, or the file."""
    card: Card | None = None
    depth = 0
    for line in unfolded(text):
        upper = line.strip().upper()
        if upper == "BEGIN:VCARD":
            if card and depth == 1:
                yield card.close()
                depth = 0
            card, depth = card if depth else Card(), depth + 1
        elif upper == "END:VCARD":
            if card and depth <= 1:
                yield card.close()
                card = None
            depth = max(0, depth - 1)
        elif card and depth == 1 and (match := LINE.fullmatch(line)):
            card.take(match[1].upper(), match[2], unencoded(match[3], match[2]))
    if card:
        yield card.close()


def unfolded(text: str) -> Iterator[str]:
    """Whole lines: folded ones begin with a space, quoted-printable ones end with `=`."""
    parts: list[str] = []
    is_quoted = False
    for line in re.split(r"\r\n|\n|\r", text):
        if parts and is_quoted and parts[-1].endswith("="):
            parts.append("\n" + line)
        elif parts and line[:1] in (" ", "\t"):
            parts.append(line[1:])
        else:
            if parts:
                yield "".join(parts)
            parts = [line]
            is_quoted = "QUOTED-PRINTABLE" in line.partition(":")[0].upper()
    if parts:
        yield "".join(parts)


def unencoded(value: str, parameters: str) -> str:
    upper = parameters.upper()
    if "QUOTED-PRINTABLE" in upper:
        charset = re.search(r"(?i)charset=\"?([\w.-]+)", parameters)
        raw = quopri.decodestring(value.encode("utf-8", "surrogatepass"))
        return decoded(raw, charset[1] if charset else "utf-8")
    if re.search(r"ENCODING=(?:B|BASE64)\b", upper):
        # Photos, and names that some phones write so.
        try:
            return decoded(binascii.a2b_base64(value[:4_000].encode()), "utf-8") if len(value) < 4_000 else ""
        except (binascii.Error, ValueError):
            return ""
    return value


def decoded(raw: bytes, charset: str) -> str:
    for encoding in (charset, "utf-8", "cp1252"):
        try:
            if codecs.lookup(encoding).name not in NO_CHARSETS:
                return raw.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return raw.decode("cp1252", "replace")


def split(value: str, separator: str) -> list[str]:
    """At separators that aren't escaped."""
    return re.split(rf"(?<!\\)(?:\\\\)*{separator}", value)


def plain(value: str) -> str:
    unescaped = re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value, flags=re.DOTALL)
    return unescaped.replace("\x00", "").strip()
