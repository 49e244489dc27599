"""Makes a thumbnail: reads a picture from stdin, writes its size as a line of JSON and then a WebP.

A program of its own, run by sandbox.py: it imports nothing of the app.
"""

from __future__ import annotations

import io
import json
import sys
import warnings

from PIL import Image, ImageOps

MAX_PIXELS = 40_000_000
EDGE = 640
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def main() -> None:
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error")
    with Image.open(sys.stdin.buffer, formats=FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            sys.exit("too many pixels")
        # EXIF orientations of 5 and more swap width and height.
        turned = picture.getexif().get(0x0112, 1) >= 5
        size = (picture.height, picture.width) if turned else picture.size
        picture.draft("RGB", (EDGE, EDGE))
        small = picture.copy()
        small.thumbnail((EDGE, EDGE))
        small = ImageOps.exif_transpose(small)
    out = io.BytesIO()
    small.convert("RGBA" if small.has_transparency_data else "RGB").save(out, "WEBP", quality=80)
    sys.stdout.buffer.write(json.dumps(size).encode() + b"\n" + out.getvalue())


if __name__ == "__main__":
    main()
