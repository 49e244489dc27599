"""The page of CRM connections: a token for each, tried before it is saved; what is written; disconnecting."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.crm.blueprint import bp
from app.crm.calls import CrmFailure
from app.crm.forms import NotesForm, TokenForm
from app.crm.models import ADAPTERS, CrmConnection, try_token
from app.crm.notes import NO_CONTACT, CrmNote
from app.records.models import NAMES
from app.tenancy import commit, current_actor, in_menu, requires
from app.words import N_

Answer = str | tuple[str, int] | AnyResponse
# Why a token was not saved.
REFUSED = {
    "token": N_("This token was refused. Check that you copied all of it."),
    "permission": N_("This token may not read what Switchboard needs. Give it the permissions listed above."),
    "limited": N_("Too many requests were made with this account. Try again in a few minutes."),
    "unreachable": N_("It didn't respond, so nothing was saved. Try again in a moment."),
    "broken": N_("Its response couldn't be read, so nothing was saved. Try again in a moment."),
    "invalid": N_("The request was refused. Nothing was saved."),
}
# What is wrong with a connection.
PROBLEMS = {
    "token": N_("The token was refused. Enter a new one."),
    "permission": N_("The token lacks a permission. Give it the permissions listed above, and enter it again."),
    "limited": N_("It is limiting requests for a while. Switchboard continues automatically."),
    "unreachable": N_("It isn't responding. Switchboard retries automatically."),
    "broken": N_("It responds with errors. Switchboard retries automatically."),
}


@bp.get("/")
@in_menu(
    "settings",
    N_("CRM"),
    "handshake",
    order=197,
    group="developers",
    hint=N_("HubSpot and Pipedrive: deals beside the conversation, notes when it is resolved."),
)
@requires("crm.manage")
def index() -> str:
    return page()


def page(provider: str = "", form: TokenForm | None = None) -> str:
    connections = {one.provider: one for one in CrmConnection.all()}
    blocks: list[dict[str, Any]] = []
    for name in ADAPTERS:
        connection = connections.get(name)
        chosen = (
            {"writes_notes": connection.writes_notes, "quotes_messages": connection.quotes_messages}
            if connection
            else {}
        )
        blocks.append(
            {
                "provider": name,
                "name": NAMES[name],
                "connection": connection,
                "token": form if form and name == provider else TokenForm(formdata=None, prefix=name),
                "notes": NotesForm(formdata=None, data=chosen, prefix=f"{name}-notes"),
                "counts": CrmNote.counts(connection.id) if connection else {},
            }
        )
    return render_template("crm/index.html", blocks=blocks, problems=PROBLEMS, no_contact=NO_CONTACT)


@bp.post("/<provider>")
@requires("crm.manage")
def save(provider: str) -> Answer:
    """Tries the token first, without a transaction."""
    check_provider(provider)
    form, by = TokenForm(prefix=provider), current_actor()
    if not form.validate():
        return page(provider, form), 422
    commit()
    try:
        account = try_token(provider, form.token.data)
    except CrmFailure as failure:
        form.token.errors = [_(REFUSED[failure.kind])]
        return page(provider, form), 422
    connection = CrmConnection.save(provider, form.token.data, account, by=by)
    flash(_("Connected as “%(name)s”.", name=connection.account_name))
    return redirect(url_for(".index"), 303)


@bp.post("/<provider>/notes")
@requires("crm.manage")
def save_notes(provider: str) -> AnyResponse:
    form, connection = NotesForm(prefix=f"{provider}-notes"), connection_or_404(provider)
    connection.writes_notes = bool(form.writes_notes.data)
    connection.quotes_messages = bool(form.writes_notes.data and form.quotes_messages.data)
    flash(_("Saved."))
    return redirect(url_for(".index"), 303)


@bp.post("/<provider>/removal")
@requires("crm.manage")
def disconnect(provider: str) -> AnyResponse:
    connection = connection_or_404(provider)
    connection.disconnect()
    flash(_("Disconnected. What was copied from it is being deleted here. Nothing changes in the CRM."))
    return redirect(url_for(".index"), 303)


def check_provider(provider: str) -> None:
    if provider not in ADAPTERS:
        raise NotFound


def connection_or_404(provider: str) -> CrmConnection:
    check_provider(provider)
    if (connection := CrmConnection.of(provider)) is None:
        raise NotFound
    return connection
