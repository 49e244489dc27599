"""A page with the emails that the demo has sent: `python -m dev.mailbox PORT FOLDER`."""

from __future__ import annotations

import email
import email.policy
import pathlib
import sys

from flask import Flask, Response, abort, render_template_string
from werkzeug.serving import make_server

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Mail that was sent</title><link rel="stylesheet" href="/style.css"><h1>Mail that was sent</h1>
{% for mail in mails %}<article><h2>{{ mail.subject }}</h2><p>to {{ mail.to }} · {{ mail.date }}</p>
<div>{{ mail.body | urlize }}</div></article>
{% else %}<p>Nothing yet. Invitations and password links appear here.</p>{% endfor %}</html>"""
STYLE = """:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}
article{border:1px solid #8886;border-radius:.75rem;padding:1rem;margin:1rem 0}h2{margin:0;font-size:1.1rem}
p{margin:.2rem 0 .8rem;opacity:.7}div{white-space:pre-wrap;overflow-wrap:anywhere}"""


def read(file: pathlib.Path) -> dict[str, str]:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    return {
        "subject": str(message["Subject"]),
        "to": str(message["To"]),
        "date": str(message["Date"]),
        "body": body.get_content() if body else "",
    }


def create_app(folder: pathlib.Path) -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def mails() -> str:
        files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True)
        return render_template_string(PAGE, mails=[read(file) for file in files[:100]])

    @app.get("/style.css")
    def style() -> Response:
        return Response(STYLE, mimetype="text/css")

    @app.get("/favicon.ico")
    def favicon() -> Response:
        abort(404)

    return app


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), create_app(pathlib.Path(sys.argv[2])), threaded=True).serve_forever()
