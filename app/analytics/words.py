"""What the figures are called, and how each is counted."""

from __future__ import annotations

from flask_babel import format_decimal
from flask_babel import gettext as _

from app.words import N_, pN_

TITLES = {
    "opened": N_("New conversations"),
    "reopened": pN_("of conversations", "Reopened"),
    "resolved": pN_("of conversations", "Resolved"),
    "received": N_("Messages received"),
    "sent": N_("Messages sent"),
    "first_response": N_("First response"),
    "next_response": N_("Next response"),
    "resolution": N_("Time to resolve"),
    "promise": N_("Missed targets"),
    "answer": N_("Who replied first"),
    "hours": N_("When customers write"),
    "survey": N_("Survey"),
    "responsible": N_("Time responsible"),
    "conversations": N_("Conversations"),
    "replies": N_("Replies"),
    "accepted": N_("Accepted"),
    "went_out": pN_("of messages", "Sent"),
    "delivered": pN_("of messages", "Delivered"),
    "read": pN_("of messages", "Read"),
    "replied": pN_("of messages", "Replied"),
    "failed": pN_("of messages", "Failed"),
    "unsettled": N_("Not settled"),
    "held": N_("Stayed resolved"),
}
FORMULAS = {
    "opened": N_("The first message ever between a customer and one of your numbers. Imported history is not counted."),
    "reopened": N_("How often a resolved or archived conversation was opened again, by the customer or by the team."),
    "resolved": N_("How often a conversation was resolved. One that is resolved twice counts twice."),
    "held": N_("Resolved and not reopened within 24 hours."),
    "received": N_(
        "Messages from customers, by the time at which they wrote them. Reactions, calls, imported history and "
        "notices of WhatsApp are not counted."
    ),
    "sent": N_(
        "Messages that WhatsApp accepted, and those written on the phone. Notes, reactions and imported history are "
        "not counted."
    ),
    "first_response": N_(
        "From the customer's first message until a person (or an API key) replied, for the first time since the "
        "conversation was opened or last resolved. Automatic replies don't end it. If the customer writes again after "
        "an automatic reply, or the assistant hands over, the time begins anew then. Counted when the reply was sent."
    ),
    "next_response": N_(
        "The same for every later reply until the conversation is resolved, and for conversations that you began."
    ),
    "resolution": N_(
        "From the first message since the conversation was last resolved until it was resolved. Counted when it was."
    ),
    "promise": N_(
        "Target response times that came in this period without a reply before: by the targets and business hours "
        "that held when they were counted. An automatic reply or resolving counts as in time, as in the inbox."
    ),
    "answer": N_(
        "Who or what replied first to a customer who waited. Out-of-office replies, greetings, campaigns and "
        "notifications are no replies."
    ),
    "hours": N_("Messages received, added up over the period by weekday and hour in the time zone of the business."),
    "survey": N_(
        "Ratings given in this period. The score is the share of “Good”. A rating belongs to whoever of the team "
        "replied last; one that was changed counts once."
    ),
    "responsible": N_(
        "How long conversations were with people, from the first reply or the handover until they were resolved or "
        "released, added up by who wrote first. Counted when it ended."
    ),
    "conversations": N_("Conversations in which this person replied to a customer who waited."),
    "replies": N_("Messages that this person sent and WhatsApp accepted."),
    "accepted": N_("WhatsApp took the message, whatever happened to it then. The other steps are a share of these."),
    "went_out": N_("WhatsApp reported that it sent the message, delivered it, or that it was read."),
    "delivered": N_("Reached the customer's phone, or was read."),
    "read": N_("The customer opened it. People who turn off read receipts are not among them."),
    "replied": N_("The customer wrote within 24 hours after it, whatever about."),
    "failed": N_("Not delivered, or the reply window closed before it could be sent."),
    "unsettled": N_("Queued, on its way, or of unconfirmed delivery."),
}
WHO_WORDS = {
    "people": N_("People"),
    "api": N_("API keys"),
    "automation": N_("Automations"),
    "assistant": N_("Assistant"),
    "campaigns": N_("Campaigns"),
    "system": N_("Switchboard"),
}
DIMENSIONS = {
    "number": N_("Number"),
    "team": N_("Team"),
    "agent": N_("Team member"),
    "tag": N_("Tag"),
    "entry_point": N_("Link or button"),
    "subject": N_("Subject"),
}
SCORE_WORDS = {"good": N_("Good"), "fair": N_("Fair"), "bad": N_("Bad")}
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def took(seconds: int | None) -> str:
    """45 s; 12 min; 1 h 20 min; 2 d 4 h."""
    if seconds is None:
        return "–"
    if seconds < MINUTE:
        return str(_("%(seconds)s s", seconds=seconds))
    if seconds < HOUR:
        return str(_("%(minutes)s min", minutes=seconds // MINUTE))
    if seconds < DAY:
        hours, minutes = divmod(seconds // MINUTE, 60)
        return str(_("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes))
    days, hours = divmod(seconds // HOUR, 24)
    return str(_("%(days)s d %(hours)s h", days=days, hours=hours))


def number(count: int) -> str:
    return str(format_decimal(count))


def compared(count: int, before: int) -> str:
    """How much more or less than in the period before; empty where there was nothing then either."""
    if not before:
        return str(_("none before")) if count else ""
    change = round(100 * (count - before) / before)
    if not change:
        return str(_("%(before)s before", before=number(before)))
    signed = f"+{number(change)}" if change > 0 else f"−{number(-change)}"
    return str(_("%(change)s%%, %(before)s before", change=signed, before=number(before)))
