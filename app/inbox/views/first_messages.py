"""Writing to somebody first: choose who, from which number, and the template; the conversation opens with it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.contacts import countries
from app.contacts.listing import ContactListing
from app.contacts.models import Contact
from app.contacts.refusals import Refusal
from app.contacts.settings import ContactSettings
from app.inbox.blueprint import bp
from app.inbox.compose.compose_forms import FORMS
from app.inbox.compose.first_messages import Recipient, save_contact
from app.inbox.compose.forms import WritingForm
from app.inbox.compose.problems import NOT_SENT, explain
from app.inbox.compose.template_files import TemplateFiles
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.fields import one_line
from app.inbox.desk.preferences import DeskPreference
from app.inbox.files.attachments import LARGEST
from app.inbox.outbound.reach import LIMIT_REACHED, Reach
from app.inbox.outbound.replies import hold_replies
from app.message_templates.models import MessageTemplate
from app.meta.contents import Card
from app.meta.outgoing import Refused
from app.meta.written_numbers import SHORTEST, NotRead, formatted
from app.meta.written_numbers import read as read_number
from app.tenancy import as_uuid, current_actor, db, now, requires, takes_files
from app.tenancy.guard import is_fragment
from app.wabas.models import PhoneNumber

from .compose import shown_message_or_404
from .templates import form_context, header_file, list_context, queue_filled

SHOWN = 20
LONGEST_QUERY = 100

Page = str | AnyResponse | tuple[str, int]


@bp.get("/new")
@requires("inbox.reply")
def write_first() -> Page:
    """The page for a first message, by recipient and number; redirects to an existing conversation.

    With `choose` it shows our numbers, also where only one can be written from.
    """
    recipient, number = recipient_of(request.args), number_of(request.args)
    if recipient is None:
        return render_search()
    if "choose" in request.args:
        return render_numbers(recipient)
    if number and number.id in recipient.conversations:
        return to_conversation(recipient.conversations[number.id])
    if number is None or recipient.obstacle_on(number):
        return render_numbers(recipient)
    context = first_context(recipient, number) | {"back_address": url_for("inbox.write_first", **recipient.address)}
    # Where the keyboard begins. A list that is loaded again leaves the focus where it is.
    context["is_whole_page"] = not is_fragment()
    context |= list_context(number, recipient.terms(number), recipient.refused_purposes)
    context["direct_address"] = url_for("inbox.first_direct_send", **recipient.address, number=number.id)
    return render_first("templates", **context)


@bp.get("/new/<uuid:template_id>")
@requires("inbox.reply")
def first_template(template_id: uuid.UUID) -> Page:
    """The form of a template, with a preview of what is filled in so far."""
    return with_template(template_id, request.args)


@bp.post("/new/<uuid:template_id>")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def send_first(template_id: uuid.UUID) -> Page:
    """Sends the template, and opens the conversation with it."""
    return with_template(template_id, request.args, sends="preview" not in request.form)


@bp.route("/new/direct-send", methods=["GET", "POST"])
@requires("inbox.reply")
def first_direct_send() -> Page:
    """The form for a first message without a template; posted, it sends that and opens the conversation."""
    recipient, number = recipient_of(request.args), number_of(request.args)
    if recipient is None or number is None:
        return redirect(url_for("inbox.write_first", **(recipient.address if recipient else {})), 303)
    # One that somebody opened meanwhile gets what was written here.
    if request.method == "GET" and number.id in recipient.conversations:
        return to_conversation(recipient.conversations[number.id])
    form, problem, name = FORMS["direct-send"](), "", one_line(request.form.get("save_as"))
    if request.method == "POST" and form.validate():
        try:
            send = partial(Conversation.send, outgoing=form.build(), by=current_actor(), client_id=form.id)
            return to_first(recipient.write(number, send, by=current_actor(), assignee=current_user, name=name))
        except NOT_SENT as refusal:
            problem = explain(refusal)
    if not form.client_id.data:
        form.client_id.data = uuid.uuid4()
    context = first_context(recipient, number)
    context |= {"form": form, "kind": "direct-send", "problem": problem, "save_as": name}
    context |= {"address": url_for(".first_direct_send", **recipient.address, number=number.id)}
    context["back_address"] = context["list_address"]
    context["estimate"] = recipient.terms(number).price_of(form.category, now())
    context["obstacle"] = context["ways"].obstacle
    return render_first("compose", **context), 422 if problem else 200


def with_template(template_id: uuid.UUID, arguments: Mapping[str, str], *, sends: bool = False) -> Page:
    chosen, recipient, number = MessageTemplate.get_or_404(template_id), recipient_of(arguments), number_of(arguments)
    if recipient is None or number is None or chosen.waba_id != number.waba_id:
        return redirect(url_for("inbox.write_first", **(recipient.address if recipient else {})), 303)
    problem: Exception | None = None
    files = TemplateFiles(chosen, request.values)
    if sends:
        form = WritingForm()
        form.validate()
        name = one_line(request.form.get("name"))
        try:
            files.take(request.files)
            if obstacle := recipient.obstacle_on(number):
                raise Refused(obstacle)
            existing = recipient.conversations.get(number.id)
            media = header_file(chosen, is_stored=bool(existing and existing.message_with(form.id)))
            send = partial(queue_filled, chosen=chosen, form=form, files=files, media=media)
            message = recipient.write(number, send, by=current_actor(), assignee=current_user, name=name)
        except NOT_SENT as refusal:
            problem = refusal
        else:
            return to_first(message)
    context = first_context(recipient, number)
    context["back_address"] = context["list_address"]
    context |= form_context(chosen, files, recipient.person, number, recipient.terms(number), problem)
    return render_first("template_form", **context), 422 if problem else 200


def recipient_of(arguments: Mapping[str, str]) -> Recipient | None:
    """The recipient in the address: `contact`, or a whole number in `to`; None if it doesn't exist."""
    if contact := Contact.find(as_uuid(arguments.get("contact"))):
        return Recipient.of_contact(contact)
    try:
        return Recipient.of_number(arguments.get("to", "")) if arguments.get("to") else None
    except NotRead:
        return None


def number_of(arguments: Mapping[str, str]) -> PhoneNumber | None:
    """The number to write from: the one chosen, else the only one."""
    if chosen := PhoneNumber.find(as_uuid(arguments.get("number"))):
        return chosen
    connected = [number for number in all_numbers() if number.takes_messages]
    return connected[0] if len(connected) == 1 else None


def all_numbers() -> list[PhoneNumber]:
    query = select(PhoneNumber).where(PhoneNumber.state != "disconnected")
    return list(db.session.scalars(query.order_by(PhoneNumber.created_at, PhoneNumber.id)))


def render_search() -> Page:
    """The contacts that match, and the number that was typed where no contact has it.

    With `choose`, which Enter sends, the only result is taken.
    """
    typed = one_line(request.args.get("q") or request.args.get("to"))[:LONGEST_QUERY]
    country = request.args.get("country", ContactSettings.default_country())
    country = country if countries.is_country(country) else ""
    recipient: Recipient | None = None
    problem, candidates = "", tuple[str, ...]()
    if is_number := sum(map(str.isdecimal, typed)) >= SHORTEST:
        try:
            recipient = Recipient.of_number(typed, country)
        except NotRead as refusal:
            problem, candidates = Refusal.of(refusal).explain(_), refusal.candidates or with_code(typed)
            has_one = [contact for wa_id in candidates if (contact := Contact.with_number(wa_id))]
            if len(candidates) == 1 and has_one:
                recipient, problem, candidates = Recipient.of_contact(has_one[0]), "", ()
    matching = ContactListing.read({"q": typed}).load().contacts
    contacts = matching[:SHOWN]
    if recipient and recipient.contact and recipient.contact not in contacts:
        contacts.insert(0, recipient.contact)
    contacts = [one for one in contacts if one.identity("group") is None]
    new_number = recipient if recipient and not recipient.contact else None
    if typed and "choose" in request.args and len(contacts) + bool(new_number) == 1:
        chosen = new_number.address if new_number else {"contact": contacts[0].id}
        return go_to(url_for(".write_first", **chosen, number=request.args.get("number") or None))
    context = {
        "typed": typed,
        "contacts": contacts,
        "has_more": len(matching) > SHOWN,
        "new_number": new_number,
        "new_place": countries.country_of(recipient.wa_id) if recipient else "",
        "problem": problem,
        "candidates": [(f"+{wa_id}", formatted(wa_id), countries.country_of(wa_id)) for wa_id in candidates],
        "is_number": is_number,
        "country": country,
        "countries": countries.choices(),
        "has_number": any(number.takes_messages for number in all_numbers()),
    }
    page = "inbox/compose/_recipients.html" if is_fragment() else "inbox/compose/recipients.html"
    return render_template(page, **context)


def with_code(typed: str) -> tuple[str, ...]:
    """The number that it is where its first digits are the country code: offered, never assumed."""
    try:
        return (read_number(typed, is_whole=True),)
    except NotRead:
        return ()


def render_numbers(recipient: Recipient) -> str:
    """Our numbers: on which of them they have a conversation, and from which they can be written to."""
    numbers = all_numbers()
    context = {"recipient": recipient, "numbers": numbers, "back_address": url_for("inbox.write_first")}
    context["obstacles"] = {number.id: recipient.obstacle_on(number) for number in numbers}
    return render_first("first_numbers", **context)


def first_context(recipient: Recipient, number: PhoneNumber) -> dict[str, Any]:
    here = {**recipient.address, "number": number.id}
    return {
        "recipient": recipient,
        "number": number,
        "ways": recipient.ways_to_write(number),
        "has_choice": len(all_numbers()) > 1,
        "limit_reached": LIMIT_REACHED if Reach(number).left() <= 0 else None,
        "list_address": url_for("inbox.write_first", **here),
        "address_of": partial(url_for, "inbox.first_template", **here),
    }


def render_first(part: str, **context: Any) -> str:
    """Renders one step of the page; for htmx the part alone."""
    if is_fragment():
        return render_template(f"inbox/compose/_{part}.html", **context)
    return render_template("inbox/compose/first_message.html", part=part, **context)


def to_first(message: Message) -> AnyResponse:
    """Sends the message that opened a conversation, and shows that."""
    hold_replies(message.conversation, [message], undo=DeskPreference.undo_of(current_user))
    return to_conversation(message.conversation)


def to_conversation(conversation: Conversation) -> AnyResponse:
    return go_to(url_for("inbox.show", conversation_id=conversation.id))


def go_to(address: str) -> AnyResponse:
    if is_fragment():
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)


@bp.get("/phone")
@requires("inbox.reply")
def phone() -> Page:
    """What can be done with a phone number in a text (`to`): write to it, call it, save it."""
    recipient = recipient_of(request.args)
    if recipient is None or not recipient.wa_id:
        return redirect(url_for("inbox.write_first", q=request.args.get("to", "")), 303)
    page = "inbox/compose/_phone.html" if is_fragment() else "inbox/compose/phone.html"
    return render_template(page, recipient=recipient)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/contacts")
@requires("inbox.reply")
def save_card(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse:
    """Saves a contact card that a customer sent (`card`, `phone`: which one, which of its numbers).

    A number that can't be read alone is shown where its country can be chosen.
    """
    message = shown_message_or_404(conversation_id, message_id)
    card, phone = chosen_phone(message.holds)
    name = card.name if card else ""
    if not phone:
        return redirect(url_for("inbox.show", conversation_id=conversation_id), 303)
    try:
        wa_id = read_number(phone, ContactSettings.default_country())
    except NotRead:
        if request.form.get("then") == "message":
            return redirect(url_for("inbox.write_first", q=phone), 303)
        return redirect(url_for("contacts.new", name=name, phone=phone), 303)
    contact = save_contact(name, wa_id, by=current_actor())
    if request.form.get("then") == "message":
        return redirect(url_for("inbox.write_first", contact=contact.id), 303)
    flash(_("%(name)s is in your contacts.", name=contact.name))
    return redirect(url_for("contacts.show", contact_id=contact.id), 303)


def chosen_phone(cards: Any) -> tuple[Card | None, str]:
    """The card and the number that a form names by their places."""
    places = request.form.get("card", "0"), request.form.get("phone", "0")
    try:
        card = [one for one in cards if isinstance(one, Card)][int(places[0])]
        return card, card.phones[int(places[1])]
    except (IndexError, ValueError, TypeError):
        return None, ""
