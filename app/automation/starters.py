"""Automations to begin with. Tags and fields that they need are made when one is chosen (`@tag:…`, `@field:…`)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.contacts.fields import ContactField
from app.contacts.tags import Tag
from app.languages import main_language
from app.tenancy import db
from app.words import N_

from .definitions import Definition, with_new_ids
from .parts import Step

Json = dict[str, Any]
# A text in the language that was chosen.
Words = Callable[[str], str]
LONGEST_NAME = 40
# Each in its own words.
LANGUAGES = {
    "en_US": "English",
    "fr": "Français",
    "es": "Español",
    "pt_BR": "Português",
    "de": "Deutsch",
    "ar": "العربية",
}
_FOLDER = Path(__file__).with_suffix("")


@dataclass(frozen=True, slots=True)
class Starter:
    """`make` writes it in a language: the texts are the customer's to read, and yours to change."""

    name: str
    title: str
    about: str
    make: Callable[[Words], Json]
    settings: Json = field(default_factory=dict)

    def definition(self, language: str = "en_US", also: Iterable[str] = ()) -> Definition:
        """In a language, with what customers read in others beside it."""
        made = self.make(words_in(language))
        for code in also:
            if code != language:
                word(made, self.make(words_in(code)), main_language(code))
        return Definition.read(resolved(with_new_ids(made)))

    def title_in(self, language: str) -> str:
        return words_in(language)(self.title)[:LONGEST_NAME]


def word(made: Any, other: Any, language: str) -> None:
    """Gives each step of a definition its wording from the same definition in another language."""
    if isinstance(made, list):
        for one, its in zip(made, other, strict=True):
            word(one, its, language)
    elif isinstance(made, dict):
        for name in made.keys() & other.keys():
            word(made[name], other[name], language)
        spoken = {one.name for one in Step.of_kind(made["kind"]).spoken()} if "id" in made else set()
        if texts := {name: other[name] for name in spoken & made.keys() if made[name]}:
            made.setdefault("wordings", {})[language] = texts


def translated(text: str, language: str) -> str:
    """What a starter says in another language; "" for words that are no starter's."""
    code, wanted = nearest(language), text.strip()
    if main_language(code) != language:
        return ""
    # A keyword, in small letters, may be written like a choice: capitals come first.
    english = min((key for texts in TEXTS.values() for key, words in texts.items() if words == wanted), default=wanted)
    if code == "en_US":
        return english if any(english in texts for texts in TEXTS.values()) else ""
    return TEXTS[code].get(english, "")


def words_in(language: str) -> Words:
    """How starters say something in a language; English where it has no words."""
    texts = TEXTS.get(language, {})
    return lambda words: texts.get(words, words)


def nearest(language: str) -> str:
    """The language of the starters for one that is written in another way, such as fr-SN."""
    spoken = language.replace("-", "_").partition("_")[0].lower()
    return next((code for code in LANGUAGES if code.partition("_")[0] == spoken), "en_US")


def read_texts(language: str) -> Mapping[str, str]:
    texts: dict[str, str] = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return texts


def resolved(value: Any) -> Any:
    """With the ids of the tags and fields that it names."""
    if isinstance(value, dict):
        return {name: resolved(one) for name, one in value.items()}
    if isinstance(value, list):
        return [resolved(one) for one in value]
    if isinstance(value, str) and value.startswith("@tag:"):
        return str(Tag.get_or_make(value.removeprefix("@tag:")[:LONGEST_NAME]).id)
    if isinstance(value, str) and value.startswith("@date:"):
        return str(date_field(value.removeprefix("@date:")[:LONGEST_NAME]).id)
    if isinstance(value, str) and value.startswith("@field:"):
        return str(ContactField.get_or_make(value.removeprefix("@field:")[:LONGEST_NAME]).id)
    return value


def date_field(name: str) -> ContactField:
    """The field of that name, made as a date where there is none."""
    is_new = ContactField.named(name) is None
    field = ContactField.get_or_make(name)
    if is_new:
        field.kind = "date"
        db.session.flush()
    return field


def step(kind: str, **fields: Any) -> Json:
    return {"kind": kind, "id": "", **fields}


def reply(text: str) -> Json:
    return step("reply", text=text)


def rule(trigger: Json, *steps: Json, conditions: list[Json] | None = None, mode: str = "all") -> Json:
    group = {"kind": "group", "mode": mode, "items": conditions or []}
    return {"trigger": trigger, "conditions": group, "steps": list(steps)}


def keywords(*words: str, mode: str = "word") -> Json:
    return {"kind": "keyword", "mode": mode, "words": list(words)}


def branch(condition: Json, yes: list[Json], no: list[Json]) -> Json:
    return step("branch", conditions={"kind": "group", "mode": "all", "items": [condition]}, yes=yes, no=no)


def answer_is(value: str) -> Json:
    return {"kind": "value", "name": "answer", "operator": "is", "value": value}


def welcome(_: Words) -> Json:
    return rule(
        {"kind": "first_message"},
        reply(_("Hello {{first_name|there}}, thanks for writing to {{business}}. How can we help?")),
    )


def out_of_office(_: Words) -> Json:
    words = _("Thanks for your message. We are closed at the moment and will reply as soon as we are back.")
    return rule({"kind": "message"}, reply(words), conditions=[{"kind": "hours", "when": "closed"}])


def keyword_answer(_: Words) -> Json:
    return rule(keywords(_("hours"), _("opening times")), reply(_("We are open Monday to Friday from 9 to 17.")))


def property_inquiry(_: Words) -> Json:
    budget = step(
        "ask",
        question=_("What is your budget?"),
        answer="number",
        retry=_("Please write it as a number, such as 1500."),
        field="@field:" + _("Budget"),
        name="budget",
    )
    area = step(
        "ask", question=_("Which area are you looking in?"), answer="text", field="@field:" + _("Area"), name="area"
    )
    kinds = [_("Buy"), _("Rent")]
    what = step(
        "ask",
        question=_("Would you like to buy or to rent?"),
        answer="choice",
        choices=kinds,
        field="@field:" + _("Interest"),
    )
    thanks = _("Thank you. A colleague will send you matching properties in {{area}} shortly.")
    first = reply(_("Thanks for your interest in our properties, {{first_name|and welcome}}. Three short questions:"))
    tag, done = step("tag", what="add", tag="@tag:" + _("Property inquiry")), step("hand_over", text=thanks)
    words = keywords(_("property"), _("apartment"), _("house"), _("viewing"))
    return rule(words, first, what, area, budget, tag, done)


def opt_in(_: Words) -> Json:
    yes, no = _("Yes, please"), _("No, thanks")
    question = step(
        "buttons", text=_("May we send you offers now and then? You can stop at any time."), buttons=[yes, no]
    )
    decide = branch(
        answer_is(yes),
        [step("tag", what="add", tag="@tag:" + _("Wants offers")), reply(_("Great, thank you."))],
        [reply(_("Understood. We won't send you offers."))],
    )
    return rule({"kind": "conversation", "what": "resolved"}, question, step("wait_reply", replied=[decide]))


def site_inquiry(_: Words) -> Json:
    hello = reply(
        _(
            "Thank you for your interest in {{subject.title|our offer}} {{subject.price}}, {{first_name|and welcome}}. "
            "A colleague will reply to you here shortly. Would you like to visit it?"
        )
    )
    return rule({"kind": "entry_point", "which": "first"}, hello)


def appointment(_: Words) -> Json:
    day = step("ask", question=_("Which day suits you? Please write it like 24.12.2026."), answer="date", name="day")
    time = step("ask", question=_("And at what time? Please write it like 14:30."), answer="time", name="time")
    person = step("hand_over", text=_("I couldn't book that. A colleague will find a time with you here."))
    book = step("book_appointment", about=_("Appointment"), day="{{day}}", time="{{time}}", failed=[person])
    done = reply(_("Thank you. Your appointment is booked: {{appointment.day}}, {{appointment.time}}."))
    tag = step("tag", what="add", tag="@tag:" + _("Appointment"))
    return rule(keywords(_("appointment"), _("booking")), day, time, book, tag, done)


def feedback(_: Words) -> Json:
    good, bad = _("Good"), _("Not so good")
    question = step("buttons", text=_("How was it with us, {{first_name|dear customer}}?"), buttons=[good, bad])
    sorry = step("hand_over", text=_("We're sorry to hear that. A colleague will get in touch with you."))
    decide = branch(answer_is(bad), [sorry], [reply(_("Thank you. We're glad to hear that."))])
    return rule({"kind": "conversation", "what": "resolved"}, question, step("wait_reply", replied=[decide]))


def reminder(_: Words) -> Json:
    words = _("Are you still interested, {{first_name|hello}}? Just reply to this message.")
    return rule({"kind": "no_reply", "side": "customer", "minutes": 240}, reply(words))


def late_reply(_: Words) -> Json:
    note = step("note", text=_("This customer has been waiting for two hours."))
    words = _("Sorry for the wait. We'll reply as soon as we can.")
    return rule({"kind": "no_reply", "side": "team", "minutes": 120}, reply(words), note)


def by_language(_: Words) -> Json:
    portuguese = {"kind": "language", "operator": "is", "languages": ["pt"]}
    spanish = {"kind": "language", "operator": "is", "languages": ["es"]}
    team = step("assign", to="team")
    return rule(
        {"kind": "conversation", "what": "opened"}, branch(portuguese, [team], [branch(spanish, [dict(team)], [])])
    )


def vip(_: Words) -> Json:
    is_vip = {"kind": "tag", "has": "has", "tag": "@tag:" + _("VIP")}
    note = step("note", text=_("A VIP has written."))
    return rule({"kind": "message"}, step("assign", to="turn"), note, conditions=[is_vip])


def talk_to_person(_: Words) -> Json:
    words = keywords(_("person"), _("human"), _("agent"), _("help"))
    return rule(words, step("hand_over", text=_("One moment, please. A colleague will reply to you here.")))


def menu(_: Words) -> Json:
    hours, prices, person = _("Opening times"), _("Prices"), _("Talk to a person")
    question = step("ask", question=_("What can we do for you?"), answer="choice", choices=[hours, prices, person])
    decide = branch(
        answer_is(hours),
        [reply(_("We are open Monday to Friday from 9 to 17."))],
        [branch(answer_is(prices), [reply(_("You'll find our prices on our website."))], [step("hand_over")])],
    )
    return rule(keywords(_("menu"), _("start"), mode="exact"), question, decide)


def birthday(_: Words) -> Json:
    return rule(
        {"kind": "date", "field": "@date:" + _("Birthday"), "when": "on", "days": 0, "at": "09:00"},
        step("note", text=_("It is {{first_name|this customer}}'s birthday. Send a greeting as a template.")),
    )


def order_status(_: Words) -> Json:
    number = step("ask", question=_("What is your order number?"), answer="text", name="order")
    call = step(
        "http",
        url="https://example.com/orders",
        send=["order = {{order}}"],
        take=["status = status"],
        failed=[step("hand_over", text=_("I couldn't find that order. A colleague will look for it."))],
    )
    return rule(keywords(_("order")), number, call, reply(_("Your order {{order}}: {{status|on its way}}.")))


def after_payment(_: Words) -> Json:
    note = step("note", text=_("{{payment.amount}} received: {{payment.title|no purpose given}}."))
    return rule({"kind": "payment"}, note, step("tag", what="add", tag="@tag:" + _("Paid")))


def ending_subscription(_: Words) -> Json:
    note = step("note", text=_("{{subscription.title|The subscription}} ends on {{subscription.date}}. Call?"))
    return rule({"kind": "subscription", "what": "3"}, note, step("tag", what="add", tag="@tag:" + _("Ending soon")))


def inquiry_reply(_: Words) -> Json:
    """The owner hears of it by the notification that the listing settings name."""
    facts = reply(
        _("Hello {{first_name|there}}, about {{listing.title}}: {{listing.price|price on request}}. {{listing.link}}")
    )
    person = reply(
        _("A colleague will write to you here shortly. Would you like to view it? Tell us when it suits you.")
    )
    gone = reply(_("Hello {{first_name|there}}, {{listing.title}} is no longer available. We will suggest others."))
    is_free = {"kind": "value", "name": "listing.status", "operator": "is", "value": "available"}
    return rule({"kind": "inquiry"}, branch(is_free, [facts, person], [gone]), step("hand_over"))


def alerts_stopped(_: Words) -> Json:
    note = step("note", text=_("This customer has stopped the alerts about a saved search."))
    return rule({"kind": "alert_stopped"}, note, step("tag", what="add", tag="@tag:" + _("Stopped alerts")))


def owner_of_listing(_: Words) -> Json:
    words = _("Your listing {{listing.title}} is no longer on offer. Tell us if that is a mistake.")
    return rule({"kind": "listing", "what": "withdrawn"}, reply(words))


def after_appointment(_: Words) -> Json:
    good, bad = _("Good"), _("Not so good")
    words = _("Thank you for coming, {{first_name|dear customer}}. How was it? ({{appointment.title}})")
    question = step("buttons", text=words, buttons=[good, bad])
    sorry = step("hand_over", text=_("We're sorry to hear that. A colleague will get in touch with you."))
    decide = branch(answer_is(bad), [sorry], [reply(_("Thank you. We're glad to hear that."))])
    pause = step("wait", amount=2, unit="hours")
    return rule({"kind": "appointment", "what": "done"}, pause, question, step("wait_reply", replied=[decide]))


def missed_appointment(_: Words) -> Json:
    words = _(
        "We missed you today, {{first_name|dear customer}}. Shall we find another time for {{appointment.title}}?"
    )
    return rule(
        {"kind": "appointment", "what": "no_show"},
        reply(words),
        step("tag", what="add", tag="@tag:" + _("No-show")),
        step("note", text=_("Didn't come to {{appointment.title}}, {{appointment.when}}.")),
    )


def deal_won(_: Words) -> Json:
    thanks = _("Thank you for your trust, {{first_name|and welcome}}. “{{record_title}}” is yours. We'll be in touch.")
    reminder = step("note", text=_("“{{record_title}}” was won. Thank the customer with a template."))
    decide = branch({"kind": "window", "state": "open"}, [reply(thanks)], [reminder])
    return rule({"kind": "record_stage", "type": "deal", "to": "won"}, decide)


TEXTS = {code: read_texts(code) for code in LANGUAGES if code != "en_US"}
STARTERS = (
    Starter(
        "welcome",
        N_("Welcome message"),
        N_("Greets a customer who writes for the first time."),
        welcome,
        # Who begins with a question gets its answer too.
        {"stops": False},
    ),
    Starter(
        "out-of-office",
        N_("Out-of-office reply"),
        N_("Replies outside business hours, once a day for each customer."),
        out_of_office,
        # Who asks something gets an answer at night, too.
        {"repeats": "days", "repeat_days": 1, "stops": False},
    ),
    Starter("keyword", N_("Keyword answer"), N_("Answers a question that contains certain words."), keyword_answer),
    Starter("menu", N_("Menu of choices"), N_("Offers choices, and answers each or hands over to people."), menu),
    Starter(
        "property-inquiry",
        N_("Property inquiry"),
        N_("Asks for interest, area and budget, saves the answers and hands over."),
        property_inquiry,
    ),
    Starter(
        "site-inquiry",
        N_("Auto-reply to an inquiry from the site"),
        N_("Greets a customer who comes through a link or button, with what it is about."),
        site_inquiry,
    ),
    Starter(
        "inquiry",
        N_("Inquiry about a listing"),
        N_("Replies with the listing's facts, and hands over. Its owner gets the notification you chose."),
        inquiry_reply,
    ),
    Starter(
        "listing-withdrawn",
        N_("Listing withdrawn"),
        N_("Tells the owner that a listing is no longer on offer."),
        owner_of_listing,
    ),
    Starter(
        "alerts-stopped",
        N_("Alerts stopped"),
        N_("Leaves a note and a tag when a customer stops alerts."),
        alerts_stopped,
    ),
    Starter(
        "appointment",
        N_("Appointment request"),
        N_("Asks for day and time and books the appointment. Hands over where it can't be booked."),
        appointment,
    ),
    Starter(
        "after-appointment",
        N_("After a viewing: ask how it was"),
        N_("Two hours after an appointment took place, asks how it was, and hands over if it wasn't good."),
        after_appointment,
    ),
    Starter(
        "missed-appointment",
        N_("After a missed appointment"),
        N_("Offers another time, adds the tag No-show and leaves a note."),
        missed_appointment,
    ),
    Starter("opt-in", N_("Opt-in question"), N_("Asks after a conversation whether offers are welcome."), opt_in),
    Starter("feedback", N_("Feedback"), N_("Asks how it was once a conversation is resolved."), feedback),
    Starter("reminder", N_("Reminder"), N_("Reminds a customer who has not replied to you for 4 hours."), reminder),
    Starter(
        "late-reply",
        N_("Late reply"),
        N_("Apologises after a wait of 2 business hours, and leaves a note for the team."),
        late_reply,
    ),
    Starter("language", N_("Route by language"), N_("Assigns new conversations to a team by language."), by_language),
    Starter("vip", N_("VIPs to a team"), N_("Assigns customers with the tag VIP to whoever is online."), vip),
    Starter("person", N_("Talk to a person"), N_("Hands over to people when a customer asks for one."), talk_to_person),
    Starter("deal-won", N_("Deal won: say thank you"), N_("Thanks the customer when a deal is won."), deal_won),
    Starter("birthday", N_("Birthday"), N_("Reminds the team on the date in a customer's field."), birthday),
    Starter(
        "order-status", N_("Order status"), N_("Asks for the number and looks it up in your own program."), order_status
    ),
    Starter(
        "after-payment",
        N_("After a payment"),
        N_("Leaves a note with the amount and adds the tag Paid when a payment is received."),
        after_payment,
    ),
    Starter(
        "ending-subscription",
        N_("Subscription ends soon"),
        N_("Three days before the end, leaves a note for the team and adds the tag Ending soon."),
        ending_subscription,
    ),
)


def starter(name: str) -> Starter | None:
    return next((one for one in STARTERS if one.name == name), None)
