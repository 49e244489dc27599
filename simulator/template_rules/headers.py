"""Headers: a text, a file with a sample, a place or a product."""

from typing import Any, Protocol

from simulator.template_rules.examples import check_examples
from simulator.template_rules.refusals import WRONG_FILE, misplaced, refusal, without_example
from simulator.template_rules.texts import Wording, check_header, is_blank

Json = dict[str, Any]
FILES = {
    "IMAGE": {"image/jpeg", "image/jpg", "image/png"},
    "VIDEO": {"video/mp4"},
    "GIF": {"video/mp4"},
    "DOCUMENT": {"application/pdf"},
}
BARE = ("LOCATION", "PRODUCT")
OF_CATEGORY = {
    "MARKETING": ("TEXT", "IMAGE", "VIDEO", "GIF", "DOCUMENT", "LOCATION", "PRODUCT"),
    "UTILITY": ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"),
}


class Handles(Protocol):
    """The uploads that a sample may name."""

    def type_of(self, handle: str) -> str | None:
        """The MIME type of an upload whose handle still works, or None."""


def check(part: Json, formats: tuple[str, ...], wording: Wording, handles: Handles) -> str:
    """Returns the format of a header that Meta takes."""
    format = str(part.get("format") or "").upper()
    if format not in formats:
        raise misplaced(f"The format of this header must be one of {', '.join(formats)}.")
    if format == "TEXT":
        if is_blank(str(part.get("text") or "")):
            raise without_example("HEADER", "text")
        check_header(str(part["text"]), wording)
        check_examples("HEADER", part, wording.named)
    elif format in FILES:
        _check_sample(part, format, handles)
    return format


def check_products(parts: dict[str, Json]) -> None:
    """Which headers go with the buttons that open products, in a template or on a card."""
    kinds = [str(one.get("type") or "").upper() for one in parts.get("BUTTONS", {}).get("buttons") or []]
    format = str(parts["HEADER"].get("format") or "").upper() if "HEADER" in parts else ""
    if (format == "PRODUCT") != ("SPM" in kinds):
        raise misplaced("A header with a product and a button of type SPM need each other.")
    if "CATALOG" in kinds and format:
        raise misplaced("A template with a catalog button can't have a header.")
    if "MPM" in kinds and format not in ("", "TEXT"):
        raise misplaced("The header of a template with several products is a text.")


def _check_sample(part: Json, format: str, handles: Handles) -> None:
    example = part.get("example")
    given = example.get("header_handle") if isinstance(example, dict) else None
    first = given[0] if isinstance(given, list) and given else given
    if not isinstance(first, str) or not first.strip():
        raise without_example("HEADER")
    # An upload of several parts has one handle per line.
    mime_type = handles.type_of(first.strip().splitlines()[0])
    if mime_type is None:
        raise refusal(None, "The sample file doesn't exist or its handle has expired. Upload it again.", "Invalid file")
    if mime_type not in FILES[format]:
        raise refusal(WRONG_FILE, f"A header of format {format} can't have a sample of type {mime_type}.")
