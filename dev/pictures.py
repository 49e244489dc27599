"""The app's icons as PNG, drawn from the shapes of static/favicon.svg: two bubbles on a green tile."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

GREEN, WHITE, MINT = "#0f6b53", "#ffffff", "#9be3c8"
# The tile is 32 units wide; drawn this many times larger, then made smaller, which smoothes the edges.
UNITS, FINER = 32, 4
# Of the two bubbles.
MIDDLE = (17.6, 17.3)


class Picture:
    """A canvas in the units of the SVG. `zoom` is the size of the drawing on its tile."""

    def __init__(self, size: int, zoom: float) -> None:
        self.size, self.side = size, size * FINER
        self.scale = self.side / UNITS * zoom
        self.image = Image.new("RGBA", (self.side, self.side), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    def at(self, *units: float) -> list[float]:
        """Pairs of x and y, with the middle of the bubbles in the middle of the tile."""
        middles = MIDDLE * (len(units) // 2)
        return [(unit - middle) * self.scale + self.side / 2 for unit, middle in zip(units, middles, strict=True)]

    def tile(self, radius: float) -> Picture:
        whole = (0, 0, self.side - 1, self.side - 1)
        self.draw.rounded_rectangle(whole, radius * self.side / UNITS, fill=GREEN)
        return self

    def bubbles(self, front: str = WHITE, back: str = MINT) -> Picture:
        self.draw.rounded_rectangle(self.at(13.5, 14.5, 27.2, 21.5), 1.7 * self.scale, fill=back)
        self.draw.polygon(self.at(21.6, 21, 24.6, 24.1, 24.6, 21), fill=back)
        # The front one stands out from the back one by a rim of the tile's colour.
        rim = GREEN if front == WHITE and back == MINT else (0, 0, 0, 0)
        self.draw.rounded_rectangle(self.at(8, 9, 22.3, 19), 4.6 * self.scale, fill=rim)
        self.draw.rounded_rectangle(self.at(8, 10.5, 21, 17.5), 3.5 * self.scale, fill=front)
        self.draw.rectangle(self.at(8, 10.5, 12, 17.5), fill=front)
        self.draw.polygon(self.at(10.4, 17, 10.4, 20.5, 14.2, 17), fill=front)
        return self

    def png(self) -> bytes:
        file = io.BytesIO()
        self.image.resize((self.size, self.size), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
        return file.getvalue()


def pictures() -> dict[str, bytes]:
    return {
        "icon-192.png": Picture(192, zoom=1.1).tile(9).bubbles().png(),
        "icon-512.png": Picture(512, zoom=1.1).tile(9).bubbles().png(),
        # Systems cut their own shape out of this one.
        "icon-maskable.png": Picture(512, zoom=0.85).tile(0).bubbles().png(),
        # Android shows only the outline, in its own colour.
        "badge.png": Picture(96, zoom=1.5).bubbles(WHITE, WHITE).png(),
    }
