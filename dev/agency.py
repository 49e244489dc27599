"""Agence Sahel, a site of somebody else's with the public button and widget: `python -m dev.agency PORT APP SLUG`.

Another origin, with a strict Content Security Policy of its own, in French and in Arabic. It knows of Switchboard what
an owner copies from the page of a link, and nothing more.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import urllib.parse
import urllib.request
from functools import cache

from flask import Flask, Response, abort, render_template_string, request
from werkzeug.serving import make_server

# The link that the demo's seed makes.
SLUG = "agence-sahel"
# id, picture (a colour), price in XOF, French and Arabic titles and places
VILLAS = (
    ("DKR-204", "sea", 500_000, "Villa à Dakar", "Almadies, jardin", "فيلا في داكار", "ألماديس، حديقة"),
    ("DKR-117", "sand", 350_000, "Appartement à Dakar", "Plateau, 3 pièces", "شقة في داكار", "بلاتو، ٣ غرف"),
    ("DKR-088", "leaf", 450_000, "Villa familiale à Ngor", "4 chambres", "فيلا عائلية في نغور", "٤ غرف نوم"),
)
WORDS = {
    "fr": {
        "name": "Agence Sahel",
        "lead": "Locations au Sénégal",
        "month": "F CFA par mois",
        "button": "Écrire sur WhatsApp",
        "greeting": "Une question ? Écrivez-nous.",
        "other": ("ar", "العربية"),
        "dir": "ltr",
    },
    "ar": {
        "name": "وكالة الساحل",
        "lead": "إيجارات في السنغال",
        "month": "فرنك في الشهر",
        "button": "راسلنا على واتساب",
        "greeting": "هل لديك سؤال؟ راسلنا.",
        "other": ("fr", "Français"),
        "dir": "rtl",
    },
}
PAGE = """<!doctype html><html lang="{{ language }}" dir="{{ words.dir }}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark light">
<title>{{ words.name }}</title><link rel="stylesheet" href="/style.css">
<link rel="stylesheet" href="{{ app }}/c/files/button-1.css" crossorigin="anonymous" integrity="{{ button }}"></head>
<body><header><h1>{{ words.name }}</h1><p>{{ words.lead }}</p>
{% set code, name = words.other %}
<nav><a href="/{{ code }}" lang="{{ code }}" hreflang="{{ code }}">{{ name }}</a></nav>
</header>
<main>
{% for villa in villas %}<article><div class="picture {{ villa.picture }}" aria-hidden="true"></div>
<h2>{{ villa.title }}</h2><p>{{ villa.place }}</p><p><strong>{{ villa.amount }}</strong> {{ words.month }}</p>
<a class="switchboard-chat" rel="nofollow" href="{{ villa.link }}">{{ words.button }}
<span class="unseen">: {{ villa.title }}</span></a></article>{% endfor %}</main>
<script src="{{ app }}/c/files/widget-1.js" defer crossorigin="anonymous" integrity="{{ widget }}"
data-link="{{ app }}/c/{{ slug }}" data-greeting="{{ words.greeting }}"></script></body></html>"""
STYLE = """:root{color-scheme:dark light;--line:#8886}
body{margin:0 auto;max-width:60rem;padding:1rem;font:16px/1.5 system-ui}
header{display:grid;gap:.25rem;margin-block-end:1.5rem}h1,h2,p{margin:0}nav a{color:inherit}
main{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,16rem),1fr))}
article{display:grid;gap:.5rem;align-content:start;padding:1rem;border:1px solid var(--line);border-radius:1rem}
.picture{block-size:9rem;border-radius:.6rem}.sea{background:linear-gradient(#58a,#245)}
.sand{background:linear-gradient(#db7,#a74)}.leaf{background:linear-gradient(#7a5,#353)}h2{font-size:1.2rem}
.unseen{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)}
@media(prefers-color-scheme:dark){body{background:#14171a;color:#eceff1}}"""


def create_app(switchboard: str, slug: str) -> Flask:
    app = Flask(__name__)

    @cache
    def digest(name: str) -> str:
        """What the owner copied with the snippet."""
        with urllib.request.urlopen(f"{switchboard}/c/files/{name}", timeout=5) as response:
            return "sha384-" + base64.b64encode(hashlib.sha384(response.read()).digest()).decode()

    @app.get("/")
    @app.get("/<language>")
    def page(language: str = "fr") -> str:
        words = WORDS.get(language) or abort(404)
        return render_template_string(
            PAGE,
            language=language,
            words=words,
            villas=[shown(villa, language) for villa in VILLAS],
            app=switchboard,
            slug=slug,
            button=digest("button-1.css"),
            widget=digest("widget-1.js"),
        )

    def shown(villa: tuple[str, str, int, str, str, str, str], language: str) -> dict[str, object]:
        id, picture, price, *texts = villa
        title, place = texts[2:] if language == "ar" else texts[:2]
        query = urllib.parse.urlencode(
            {"type": "property", "id": id, "title": title, "price": price, "currency": "XOF", "lang": language}
            | {"url": f"{request.host_url}{language}", "utm_source": "agence-sahel"}
        )
        link = f"{switchboard}/c/{slug}?{query}"
        amount = f"{price:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        return {"title": title, "place": place, "amount": amount, "picture": picture, "link": link}

    @app.get("/style.css")
    def style() -> Response:
        return Response(STYLE, mimetype="text/css")

    @app.get("/favicon.ico")
    def favicon() -> Response:
        abort(404)

    @app.after_request
    def be_strict(response: Response) -> Response:
        allowed = f"script-src {switchboard}; style-src 'self' {switchboard}"
        response.headers["Content-Security-Policy"] = f"default-src 'none'; {allowed}; base-uri 'none'"
        return response

    return app


if __name__ == "__main__":
    made = create_app(sys.argv[2], sys.argv[3])
    make_server("127.0.0.1", int(sys.argv[1]), made, threaded=True).serve_forever()
