"""Why WhatsApp does not take a file: what it really is, by its first bytes and its name, and what to do about it."""

from __future__ import annotations

from app.sniffing import OLE, ZIP, is_web_page
from app.words import N_

HEIC = N_("“{name}” is a HEIC photo, which WhatsApp does not take. Save it as JPEG and send that.")
AVIF = N_("“{name}” is an AVIF picture, which WhatsApp does not take. Save it as JPEG and send that.")
GIF = N_("“{name}” is a GIF, which WhatsApp does not take from businesses. Save it as an MP4 video and send that.")
PICTURE = N_("“{name}” is a picture of a kind that WhatsApp does not take. Save it as JPEG or PNG and send that.")
MOV = N_("“{name}” is a QuickTime video, which WhatsApp does not take. Save it as MP4 and send that.")
WEBM = N_("“{name}” is a WebM or Matroska video, which WhatsApp does not take. Save it as MP4 and send that.")
VIDEO = N_("“{name}” is a video of a kind that WhatsApp does not take. Save it as MP4 and send that.")
SOUND = N_("“{name}” is a sound file of a kind that WhatsApp does not take. Save it as MP3 and send that.")
NOT_OPUS = N_("“{name}” is an OGG file without Opus sound in one channel, the only one WhatsApp takes. Save it as MP3.")
RTF = N_("“{name}” is a Rich Text document, which WhatsApp does not take. Save it as Word or PDF and send that.")
MACROS = N_("“{name}” is an Office file with macros, which WhatsApp does not take. Save it without macros or as PDF.")
OPEN_DOCUMENT = N_("“{name}” is an OpenDocument file, which WhatsApp does not take. Save it as Word, Excel or PDF.")
WEB_PAGE_AS_OFFICE = N_(
    "“{name}” is really a web page under the name of an Office file. Open it in Excel or Word, save it anew as .xlsx, "
    ".docx or PDF, and send that."
)
WEB_PAGE = N_("WhatsApp does not take “{name}”: it is a web page. Save it as PDF and send that.")
TEXT_AS_OFFICE = N_(
    "“{name}” is really plain text under the name of another kind of file. Rename it to end in .txt or .csv, and send "
    "it again."
)
OTHER_OFFICE = N_(
    "“{name}” is an Office file, but its name says another kind. Open it, save it anew under the right name, and send "
    "that."
)
ARCHIVE = N_("“{name}” is an archive, which WhatsApp does not take. Unpack it and send the files in it one by one.")
PROGRAM = N_("WhatsApp does not take “{name}”: it is a program. Send a link to where it can be downloaded instead.")
NO_TEXT = N_(
    "“{name}” has the name of a text file, but there is no plain text in it. Save it as text in UTF-8 and send that."
)
NOT_TAKEN = N_(
    "WhatsApp does not take “{name}”. It takes JPEG and PNG photos, MP4 videos, MP3, M4A, AAC, AMR and OGG sound, "
    "WebP stickers, PDF, Word, Excel and PowerPoint files, and plain text."
)

FIRST_BYTES = (
    (b"GIF8", GIF),
    (b"BM", PICTURE),
    (b"II*\x00", PICTURE),
    (b"MM\x00*", PICTURE),
    (b"8BPS", PICTURE),
    (b"\x1a\x45\xdf\xa3", WEBM),
    (b"\x30\x26\xb2\x75", VIDEO),
    (b"FLV", VIDEO),
    (b"fLaC", SOUND),
    (b"FORM", SOUND),
    (b"MThd", SOUND),
    (rb"{\rtf", RTF),
    (b"Rar!", ARCHIVE),
    (b"7z\xbc\xaf", ARCHIVE),
    (b"\x1f\x8b", ARCHIVE),
    (b"MZ", PROGRAM),
    (b"\x7fELF", PROGRAM),
)
RIFF = {b"WAVE": SOUND, b"AVI ": VIDEO}
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
QUICKTIME_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip")
MACRO_NAMES = ("xlsm", "docm", "pptm", "xlsb", "xltm", "dotm")
OPEN_NAMES = ("odt", "ods", "odp", "odg")
OFFICE_NAMES = ("doc", "docx", "xls", "xlsx", "ppt", "pptx")
TEXT_NAMES = ("csv", "txt")


def why_not(head: bytes, name: str) -> str:
    """The sentence for a file that is not taken. Its facts are {name}."""
    ending = name.rpartition(".")[2].lower()
    by_bytes = next((words for first, words in FIRST_BYTES if head.startswith(first)), None)
    return by_bytes or of_container(head) or of_office(head, ending) or of_text(head, ending) or NOT_TAKEN


def of_container(head: bytes) -> str | None:
    if head.startswith(b"RIFF"):
        return RIFF.get(head[8:12])
    if head[4:8] in QUICKTIME_BOXES or head[4:12] == b"ftypqt  ":
        return MOV
    if head[4:8] != b"ftyp":
        return None
    if head[8:12] in HEIC_BRANDS:
        return HEIC
    return AVIF if head[8:12] in (b"avif", b"avis") else VIDEO


def of_office(head: bytes, ending: str) -> str | None:
    is_office = head.startswith((ZIP, OLE))
    if is_office and ending in MACRO_NAMES:
        return MACROS
    if is_office and ending in OPEN_NAMES:
        return OPEN_DOCUMENT
    if is_office and (ending in OFFICE_NAMES or head.startswith(OLE)):
        return OTHER_OFFICE
    return ARCHIVE if head.startswith(ZIP) else None


def of_text(head: bytes, ending: str) -> str | None:
    if is_web_page(head):
        return WEB_PAGE_AS_OFFICE if ending in OFFICE_NAMES else WEB_PAGE
    if ending in TEXT_NAMES:
        return NO_TEXT
    is_text = b"\x00" not in head and ending in (*OFFICE_NAMES, "pdf", "json", "log", "md", "tsv", "xml")
    return TEXT_AS_OFFICE if is_text else None
