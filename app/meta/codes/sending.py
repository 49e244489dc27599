"""Sending a message: what went wrong on Meta's side, with the recipient, or with the message."""

from app.words import N_

from .explanation import Explanation, Kind

_BY_ITSELF = N_("No action needed. We'll retry automatically.")
_NOT_CONFIRMED = N_(
    "Wait a moment: if it arrived, its ticks appear automatically. If none appear, decide whether to send it again."
)
_META_TROUBLE = Explanation(
    Kind.UNKNOWN_OUTCOME,
    N_("Meta had a problem of its own and didn't confirm whether this was done."),
    _NOT_CONFIRMED,
)
CORRECT_MESSAGE = N_("Correct the message and send it again. The details from Meta name the part.")

CODES: dict[int, Explanation] = {
    1: Explanation(
        Kind.UNKNOWN_OUTCOME,
        N_("Meta responded with an unknown error and didn't confirm whether this was done."),
        _NOT_CONFIRMED,
    ),
    2: _META_TROUBLE,
    131000: _META_TROUBLE,
    131016: _META_TROUBLE,
    130429: Explanation(
        Kind.THROTTLE,
        N_("This number sends faster than Meta allows."),
        N_("No action needed. We slow down and send the rest automatically."),
    ),
    131057: Explanation(
        Kind.THROTTLE,
        N_("Meta is doing maintenance on this account. It usually takes less than a minute."),
        _BY_ITSELF,
        wait=60,
    ),
    131056: Explanation(
        Kind.PAIR,
        N_("Too many messages went to this one person in a short time."),
        N_("No action needed. We pause messages to this person for a moment, then continue."),
    ),
    131048: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta stopped this number's messages because too many people blocked or reported earlier ones."),
        N_(
            "Ask an owner to check the number's quality in WhatsApp Manager, send fewer and more relevant "
            "messages, and resume the number here."
        ),
    ),
    131064: Explanation(
        Kind.RETRY_LATER,
        N_("Meta limits this account's template messages because templates were in the wrong category."),
        N_("Ask an owner to correct the templates' categories. Meta lifts the limit after some days."),
        wait=86_400,
    ),
    100: Explanation(Kind.FINAL, N_("Meta didn't accept one of the details of this request."), CORRECT_MESSAGE),
    131008: Explanation(Kind.FINAL, N_("Something that Meta requires is missing."), CORRECT_MESSAGE),
    131009: Explanation(
        Kind.FINAL,
        N_("One of the details is not valid, or belongs to a message that is too old or was deleted."),
        CORRECT_MESSAGE,
    ),
    135000: Explanation(
        Kind.FINAL, N_("Meta didn't accept this message, probably because of its format."), CORRECT_MESSAGE
    ),
    130403: Explanation(
        Kind.FINAL,
        N_("This person is on your list of blocked people."),
        N_("Unblock them, then send the message again."),
    ),
    130472: Explanation(
        Kind.FINAL,
        N_("Meta did not deliver this because it keeps this person out of marketing messages for a study."),
        N_("This can't be changed. You can reply once they write."),
    ),
    130497: Explanation(
        Kind.FINAL,
        N_("Meta does not allow this business to message people in this country."),
        N_("This can't be changed here. See Meta's rules for the country."),
    ),
    130501: Explanation(
        Kind.FINAL,
        N_("This kind of message cannot be sent to a group."),
        N_("Send a text or a file instead."),
    ),
    131021: Explanation(
        Kind.FINAL,
        N_("A number cannot send a message to itself."),
        N_("Choose a different recipient instead."),
    ),
    131026: Explanation(
        Kind.FINAL,
        N_(
            "WhatsApp couldn't deliver this. The number may not be on WhatsApp, may have an old version "
            "of the app, or may not accept messages from you; Meta doesn't say which."
        ),
        N_("Check the number, or contact them another way. Sending it again won't help."),
    ),
    131030: Explanation(
        Kind.FINAL,
        N_("This is one of Meta's test numbers, and the recipient is not on its list of testers."),
        N_("Ask an owner to add the recipient to the testers in Meta's app settings."),
    ),
    131047: Explanation(
        Kind.FINAL,
        N_("The 24-hour reply window has closed, so WhatsApp accepts only templates."),
        N_("Send a template. Once they reply, you can write freely again."),
    ),
    131049: Explanation(
        Kind.FINAL,
        N_("Meta didn't deliver this, so that this person doesn't get too many marketing messages."),
        N_("Don't send it again within 24 hours: every attempt extends the pause."),
        wait=86_400,
    ),
    131050: Explanation(
        Kind.FINAL,
        N_("This person has stopped marketing messages from your business."),
        N_("Don't send them marketing until they turn it on again in WhatsApp."),
    ),
    131051: Explanation(
        Kind.FINAL,
        N_("WhatsApp does not support this type of message here."),
        N_("Ask them to send a text, a photo or a file instead."),
    ),
    131052: Explanation(
        Kind.RETRY,
        N_("The file couldn't be downloaded."),
        N_("We'll retry once. If that fails, ask the customer to send it again, below 100 MB."),
    ),
    131053: Explanation(
        Kind.FINAL,
        N_("WhatsApp couldn't use this file: it is too large or of a type that WhatsApp doesn't accept."),
        N_("Save the file in a common format, smaller if necessary, and send it again."),
    ),
    131055: Explanation(
        Kind.FINAL,
        N_("This number, or this kind of template, is not set up for this way of sending."),
        N_("Ask an owner to contact the Switchboard team about how the number is set up."),
    ),
    131060: Explanation(
        Kind.FINAL,
        N_("This message can be read only in the WhatsApp Business app on your phone."),
        N_("Open the WhatsApp Business app to read it."),
    ),
    131062: Explanation(
        Kind.FINAL,
        N_("A sign-in code can go only to a phone number, and this person's number is not known."),
        N_("Ask them for their phone number."),
    ),
    131063: Explanation(
        Kind.HUMAN,
        N_("Marketing templates are turned off on this way of sending for this WhatsApp account."),
        N_("Ask an owner to turn them on in WhatsApp Manager, or to send through Meta's marketing messages."),
    ),
    137000: Explanation(
        Kind.FINAL,
        N_("This person's WhatsApp identity has changed, so the message was not sent."),
        N_("Make sure it is still the same person, then send the message again."),
    ),
}
