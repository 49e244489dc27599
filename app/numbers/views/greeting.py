"""The welcome screen of an empty chat: questions to tap, and commands."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.meta import conversational_components
from app.meta.conversational_components import Components
from app.numbers.asking import ask
from app.numbers.blueprint import bp
from app.numbers.forms import GreetingForm, lines
from app.tenancy import requires
from app.wabas.models import PhoneNumber


@bp.get("/<uuid:phone_number_id>/greeting")
@requires("numbers.manage")
def greeting(phone_number_id: uuid.UUID) -> str:
    number = PhoneNumber.get_or_404(phone_number_id)
    components, problem = ask(number, conversational_components.fetch)
    form = GreetingForm(formdata=None, data=as_typed(components)) if components else None
    return render_template("numbers/greeting.html", number=number, form=form, problem=problem)


def as_typed(components: Components) -> dict[str, str]:
    commands = "\n".join(f"{name} {words}" for name, words in components.commands)
    return {"prompts": "\n".join(components.prompts), "commands": commands}


@bp.post("/<uuid:phone_number_id>/greeting")
@requires("numbers.manage")
def change_greeting(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number, form, problem = PhoneNumber.get_or_404(phone_number_id), GreetingForm(), None
    if form.validate():
        prompts, commands = lines(form.prompts.data), form.listed
        _done, problem = ask(
            number,
            lambda graph, token, meta_id: conversational_components.update(graph, token, meta_id, prompts, commands),
        )
        if not problem:
            flash(_("Saved. New chats show it."))
            return redirect(url_for(".greeting", phone_number_id=number.id), 303)
    return render_template("numbers/greeting.html", number=number, form=form, problem=problem), 422
