"""Draws QR codes on our server, so that no other site learns what a user views."""

from __future__ import annotations

import base64

import segno


def qr_svg(address: str) -> str:
    """A picture of the address as an SVG file, black on white in either theme."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(scale=8, border=2, light="white")
    return str(drawn).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def qr_image(address: str) -> str:
    """The same as the address of an image, for pages that hold it themselves."""
    return f"data:image/svg+xml;base64,{base64.b64encode(qr_svg(address).encode()).decode()}"
