"""Short links and QR codes that open a chat with the number."""

from __future__ import annotations

import uuid

from flask import Response, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.meta import message_links
from app.numbers.asking import Problem, ask
from app.numbers.blueprint import bp
from app.numbers.forms import LinkForm
from app.qr import qr_svg
from app.tenancy import requires
from app.wabas.models import PhoneNumber

PICTURES = {"svg": "image/svg+xml", "png": "image/png"}


@bp.get("/<uuid:phone_number_id>/links")
@requires("numbers.manage")
def links(phone_number_id: uuid.UUID) -> str:
    return links_page(PhoneNumber.get_or_404(phone_number_id), LinkForm(formdata=None))


def links_page(number: PhoneNumber, form: LinkForm, problem: Problem | None = None, **changed: object) -> str:
    of_number, trouble = ask(number, message_links.of_number)
    return render_template(
        "numbers/links.html", number=number, links=of_number, form=form, problem=problem or trouble, **changed
    )


@bp.post("/<uuid:phone_number_id>/links")
@requires("numbers.manage")
def create_link(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number, form = PhoneNumber.get_or_404(phone_number_id), LinkForm()
    if not form.validate():
        return links_page(number, form), 422
    words = str(form.message.data)
    _made, problem = ask(number, lambda graph, token, meta_id: message_links.create(graph, token, meta_id, words))
    if problem:
        return links_page(number, form, problem), 422
    flash(_("The link is ready."))
    return redirect(url_for(".links", phone_number_id=number.id), 303)


@bp.post("/<uuid:phone_number_id>/links/<code>")
@requires("numbers.manage")
def change_link(phone_number_id: uuid.UUID, code: str) -> tuple[str, int] | AnyResponse:
    """Changes the text behind a link; printed codes still work."""
    number, form = PhoneNumber.get_or_404(phone_number_id), LinkForm()
    require_code(code)
    if not form.validate():
        return links_page(number, LinkForm(formdata=None), changed=code, changed_form=form), 422
    words = str(form.message.data)
    _done, problem = ask(number, lambda graph, token, meta_id: message_links.create(graph, token, meta_id, words, code))
    if problem:
        return links_page(number, LinkForm(formdata=None), problem, changed=code, changed_form=form), 422
    flash(_("Changed. The link and its code stay the same."))
    return redirect(url_for(".links", phone_number_id=number.id), 303)


@bp.post("/<uuid:phone_number_id>/links/<code>/removal")
@requires("numbers.manage")
def remove_link(phone_number_id: uuid.UUID, code: str) -> tuple[str, int] | AnyResponse:
    number = PhoneNumber.get_or_404(phone_number_id)
    require_code(code)
    _done, problem = ask(number, lambda graph, token, meta_id: message_links.delete(graph, token, meta_id, code))
    if problem:
        return links_page(number, LinkForm(formdata=None), problem), 422
    flash(_("Link deleted. It no longer works."))
    return redirect(url_for(".links", phone_number_id=number.id), 303)


def require_code(code: str) -> None:
    if not (code.isascii() and code.isalnum()):
        abort(404)


@bp.get("/<uuid:phone_number_id>/links/<code>/picture.<any(svg, png):drawn>")
@requires("numbers.manage")
def metas_picture(phone_number_id: uuid.UUID, code: str, drawn: str) -> AnyResponse:
    """Meta's QR code, fetched by our server so that Meta doesn't see the user's browser. A download, never
    opened here."""
    number = PhoneNumber.get_or_404(phone_number_id)
    require_code(code)
    content, problem = ask(
        number, lambda graph, token, meta_id: message_links.picture(graph, token, meta_id, code, drawn.upper())
    )
    if content is None:
        words = _("Meta's picture isn't available at the moment. Use ours: it opens the same chat.")
        flash(f"{words} {_(problem.title) if problem else ''}", "warning")
        return redirect(url_for(".links", phone_number_id=number.id), 303)
    answer = Response(content, mimetype=PICTURES[drawn])
    answer.headers["Content-Disposition"] = f'attachment; filename="whatsapp-{code}-meta.{drawn}"'
    return answer


@bp.get("/<uuid:phone_number_id>/links/<code>.svg")
@requires("numbers.manage")
def qr_code(phone_number_id: uuid.UUID, code: str) -> AnyResponse:
    """Draws a QR code here: a link of Meta's is its code, so Meta isn't asked. `number` is the number itself."""
    number = PhoneNumber.get_or_404(phone_number_id)
    address = number.wa_me if code == "number" else f"https://wa.me/message/{code[:64]}"
    return Response(qr_svg(address), mimetype="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"})
