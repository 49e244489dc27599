from urllib.parse import urlsplit

from simulator.graph.contents.part import Part

LONGEST_CAPTION = 1024


def captioned(given: Part) -> None:
    given.only("id", "link", "caption", "provider")
    source(given)
    given.optional_text("caption", LONGEST_CAPTION)


def audio(given: Part) -> None:
    given.only("id", "link", "voice", "provider")
    source(given)
    if given.get("voice") not in (None, True, False):
        raise given.wrong("voice", "must be true or false")


def document(given: Part) -> None:
    given.only("id", "link", "caption", "filename", "provider")
    source(given)
    given.optional_text("caption", LONGEST_CAPTION)
    given.optional_text("filename", 240)


def sticker(given: Part) -> None:
    given.only("id", "link", "provider")
    source(given)


def source(given: Part) -> None:
    """Either an id or a link, which may also do without TLS. What cannot be fetched fails later."""
    if "id" in given and "link" in given:
        raise given.wrong("link", "cannot be given together with an id")
    if "id" in given:
        given.value["id"] = str(given.get("id"))
        return
    address = urlsplit(given.text("link", 2048))
    if address.scheme not in ("http", "https") or not address.hostname:
        raise given.wrong("link", "must be an http or https address")
