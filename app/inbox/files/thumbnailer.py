"""A small picture of a big one: reads a file from stdin, writes its size as a line of JSON and then a WebP.

A program of its own, with limits on memory, time and what it may write, because the picture is a stranger's and
decoders have had holes. It imports nothing of the app and is given no environment.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import warnings

MAX_PIXELS = 40_000_000
EDGE = 640
MEMORY = 900 * 1024 * 1024
CPU_SECONDS = 10
WRITTEN = 4 * 1024 * 1024
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def confine() -> None:
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (limit, limit))
        except (OSError, ValueError):  # not every system has every limit
            continue


def main() -> None:
    confine()
    from PIL import Image, ImageOps  # noqa: PLC0415  (only inside the sandbox)

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error")
    with Image.open(sys.stdin.buffer, formats=FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            sys.exit("too many pixels")
        # The camera may have been turned: then what is wide is shown high.
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
