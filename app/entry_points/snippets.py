"""What owners copy into their pages: a link that needs no script, and the widget."""

from __future__ import annotations

from flask import render_template

from app.extensions import settings

from .models import EntryPoint
from .public_files import BUTTON, WIDGET, public_files

# What a button says, by language.
LABELS = {
    "ar": "راسلنا على واتساب",
    "de": "Auf WhatsApp schreiben",
    "en": "Chat on WhatsApp",
    "es": "Escribir por WhatsApp",
    "fa": "گفتگو در واتساپ",
    "fr": "Écrire sur WhatsApp",
    "hi": "WhatsApp पर लिखें",
    "it": "Scrivi su WhatsApp",
    "pt": "Conversar no WhatsApp",
    "tr": "WhatsApp'tan yazın",
}
RIGHT_TO_LEFT = ("ar", "fa")


def button_html(entry_point: EntryPoint, language: str, address: str = "") -> str:
    """A link with its stylesheet, as HTML: `address` where it is not the plain short link."""
    return render_template(
        "entry_points/snippets/button.html",
        address=address or f"{entry_point.address}?lang={language}",
        label=LABELS.get(language, LABELS["en"]),
        language=language if language in LABELS else "en",
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        base=settings.public_url,
        file=public_files()[BUTTON],
    ).strip()


def widget_html(entry_point: EntryPoint) -> str:
    return render_template(
        "entry_points/snippets/widget.html",
        address=entry_point.address,
        base=settings.public_url,
        file=public_files()[WIDGET],
    ).strip()
