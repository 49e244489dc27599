"""Makes the PDF of an invoice: reads what is on it as JSON from stdin, writes the file to stdout.

A program of its own, run by app/inbox/files/sandbox.py: it imports nothing of the app. What it needs takes a second to
load, which no other process should spend.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import Any

import fontpkg_arimo
import fontpkg_noto_sans_arabic
from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import TTFFont

MARGIN, LINE, SMALL_LINE = 20, 5.2, 4.4
AMOUNT, COUNT = 38, 26
# Arimo has Latin, Greek, Cyrillic and Hebrew.
FONTS = {
    "Arimo": fontpkg_arimo.ROOT / "files" / "Arimo[wght].ttf",
    "Arabic": fontpkg_noto_sans_arabic.ROOT / "files" / "NotoSansArabic[wdth,wght].ttf",
}
# Up to here letters are drawn one after the other; beyond, they join or run from the right.
PLAIN_UNTIL = 0x590
# What no font has is drawn as this.
UNKNOWN = "?"
GREY, BLACK = 110, 0


class Paper(FPDF):
    """A4, with the number of the invoice and of the page on each page."""

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(format="A4")
        self.facts = facts
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=MARGIN + 5)
        for name, file in FONTS.items():
            self.add_font(name, fname=str(file))
        self.set_fallback_fonts(["Arabic"])
        self.drawn = {code for font in self.fonts.values() if isinstance(font, TTFFont) for code in font.cmap}
        self.set_title(facts["title"])
        self.set_lang(facts["language"])
        self.face(10)

    def face(self, size: float, grey: int = BLACK) -> None:
        self.set_font("Arimo", size=size)
        self.set_text_color(grey)

    def footer(self) -> None:
        self.set_y(-MARGIN + 4)
        self.face(8, GREY)
        words = self.facts["page"].replace("{page}", str(self.page_no())).replace("{pages}", "{nb}")
        self.put(self.facts["title"], self.epw * 0.7, 4)
        self.set_xy(self.l_margin + self.epw * 0.7, -MARGIN + 4)
        self.cell(self.epw * 0.3, 4, words, align=Align.R)

    def put(self, text: str, width: float, height: float, align: Align = Align.L) -> float:
        """Writes text within a width, on as many lines as it needs. Returns where it ends."""
        text = self.drawable(text)
        self.set_text_shaping(
            not all(ord(letter) < PLAIN_UNTIL and not unicodedata.combining(letter) for letter in text)
        )
        self.multi_cell(width, height, text, align=align, new_x=XPos.LEFT, new_y=YPos.NEXT)
        self.set_text_shaping(False)
        return self.get_y()

    def drawable(self, text: str) -> str:
        return "".join(each if ord(each) in self.drawn or each in "\n " else UNKNOWN for each in text)

    def height_of(self, text: str, width: float, height: float) -> float:
        lines = self.multi_cell(width, height, self.drawable(text), dry_run=True, output="LINES")
        assert isinstance(lines, list)
        return max(1, len(lines)) * height


def main() -> None:
    facts = json.load(sys.stdin)
    paper = Paper(facts)
    paper.add_page()
    head(paper, facts)
    heads(paper, facts)
    for row in facts["rows"]:
        line(paper, facts, row)
    totals(paper, facts)
    sys.stdout.buffer.write(paper.output())


def head(paper: Paper, facts: dict[str, Any]) -> None:
    paper.face(18)
    paper.put(facts["title"], paper.epw, 9)
    paper.face(10, GREY)
    for text in facts["under"]:
        paper.put(text, paper.epw, LINE)
    paper.ln(6)
    top, ends, width = paper.get_y(), [], (paper.epw - 10) / 2
    for place, party in enumerate(facts["parties"]):
        x = paper.l_margin + place * (width + 10)
        paper.set_xy(x, top)
        paper.face(8, GREY)
        paper.put(party["title"], width, SMALL_LINE)
        paper.face(10)
        for text in party["lines"]:
            paper.set_x(x)
            paper.put(text, width, LINE)
        ends.append(paper.get_y())
    paper.set_xy(paper.l_margin, max(ends) + 8)
    if facts["reason"]:
        paper.put(facts["reason"], paper.epw, LINE)
        paper.ln(4)


def heads(paper: Paper, facts: dict[str, Any]) -> None:
    """What the columns are, at the top of each page."""
    paper.face(8, GREY)
    y = paper.get_y()
    name, count, amount = facts["columns"]
    paper.cell(paper.epw - COUNT - AMOUNT, SMALL_LINE, name)
    paper.cell(COUNT, SMALL_LINE, count, align=Align.R)
    paper.cell(AMOUNT, SMALL_LINE, amount, align=Align.R)
    paper.line(paper.l_margin, y + SMALL_LINE + 1, paper.l_margin + paper.epw, y + SMALL_LINE + 1)
    paper.set_xy(paper.l_margin, y + SMALL_LINE + 2.5)


def line(paper: Paper, facts: dict[str, Any], row: dict[str, str]) -> None:
    width = paper.epw - COUNT - AMOUNT - 4
    paper.face(10)
    height = paper.height_of(row["text"], width, LINE)
    height += paper.height_of(row["detail"], width, SMALL_LINE) if row["detail"] else 0
    if paper.will_page_break(height):
        paper.add_page()
        heads(paper, facts)
    y = paper.get_y()
    paper.face(10)
    end = paper.put(row["text"], width, LINE)
    if row["detail"]:
        paper.face(8, GREY)
        end = paper.put(row["detail"], width, SMALL_LINE)
    amounts(paper, y, row["count"], row["amount"])
    paper.set_xy(paper.l_margin, end + 1.5)


def amounts(paper: Paper, y: float, count: str, amount: str, size: float = 10) -> None:
    paper.face(size)
    paper.set_xy(paper.l_margin + paper.epw - COUNT - AMOUNT, y)
    paper.cell(COUNT, LINE, count, align=Align.R)
    paper.cell(AMOUNT, LINE, amount, align=Align.R)


def totals(paper: Paper, facts: dict[str, Any]) -> None:
    """Together on one page, the last one larger."""
    width = paper.epw - AMOUNT - 4
    paper.face(10)
    height = sum(paper.height_of(text, width, LINE) + 1.5 for text, _ in facts["totals"]) + 8
    if paper.will_page_break(height):
        paper.add_page()
    y = paper.get_y() + 1
    paper.line(paper.l_margin, y, paper.l_margin + paper.epw, y)
    paper.set_xy(paper.l_margin, y + 2)
    for place, (text, amount) in enumerate(facts["totals"], 1):
        size = 12 if place == len(facts["totals"]) else 10
        y = paper.get_y()
        paper.face(size)
        end = paper.put(text, width, LINE)
        amounts(paper, y, "", amount, size)
        paper.set_xy(paper.l_margin, end + 1.5)
    paper.ln(4)
    paper.face(8, GREY)
    for text in facts["notes"]:
        paper.put(text, paper.epw, SMALL_LINE)


if __name__ == "__main__":
    main()
