"""Sending a message: what went wrong on Meta's side, with the recipient, or with the message."""

from app.words import N_

from .explanation import Explanation, Kind

_BY_ITSELF = N_("Nobody has to do anything. The app tries again by itself.")
_NOT_CONFIRMED = N_(
    "Wait a little: if it did arrive, its ticks appear by themselves. If none come, an agent decides whether "
    "to send it again."
)
_META_TROUBLE = Explanation(
    Kind.UNKNOWN_OUTCOME,
    N_("Meta had a problem of its own and did not say whether this was done."),
    _NOT_CONFIRMED,
)
_CORRECT_MESSAGE = N_("An agent corrects the message and sends it again; Meta's own words below name the part.")

CODES: dict[int, Explanation] = {
    1: Explanation(
        Kind.UNKNOWN_OUTCOME,
        N_("Meta answered with an unknown error. It did not say whether this was done."),
        _NOT_CONFIRMED,
    ),
    2: _META_TROUBLE,
    131000: _META_TROUBLE,
    131016: _META_TROUBLE,
    130429: Explanation(
        Kind.THROTTLE,
        N_("This number sends faster than Meta allows."),
        N_("Nobody has to do anything. The app slows down and sends the rest by itself."),
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
        N_("Nobody has to do anything. The app waits a little with this person only, then goes on."),
    ),
    131048: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta stopped this number's messages because too many people blocked or reported earlier ones."),
        N_(
            "The owner looks at the number's quality in WhatsApp Manager, sends fewer and more welcome "
            "messages, and resumes the number here."
        ),
    ),
    131064: Explanation(
        Kind.RETRY_LATER,
        N_("Meta limits this account's template messages because templates were in the wrong category."),
        N_("The owner corrects the templates' categories. Meta lifts the limit by itself after some days."),
        wait=86_400,
    ),
    100: Explanation(Kind.FINAL, N_("Meta did not accept one of the details of this request."), _CORRECT_MESSAGE),
    131008: Explanation(Kind.FINAL, N_("Something that Meta requires is missing."), _CORRECT_MESSAGE),
    131009: Explanation(
        Kind.FINAL,
        N_("One of the details is not valid, or belongs to a message that is too old or was deleted."),
        _CORRECT_MESSAGE,
    ),
    135000: Explanation(
        Kind.FINAL, N_("Meta did not accept this message, probably because of its form."), _CORRECT_MESSAGE
    ),
    130403: Explanation(
        Kind.FINAL,
        N_("This person is on your list of blocked people."),
        N_("An agent unblocks the person, then sends the message again."),
    ),
    130472: Explanation(
        Kind.FINAL,
        N_("Meta did not deliver this because it keeps this person out of marketing messages for a study."),
        N_("Nobody can change this. An agent may answer once the person writes."),
    ),
    130497: Explanation(
        Kind.FINAL,
        N_("Meta does not allow this business to message people in this country."),
        N_("Nobody can change this here. The owner may read Meta's rules for the country."),
    ),
    130501: Explanation(
        Kind.FINAL,
        N_("This kind of message cannot be sent to a group."),
        N_("An agent sends a text or a file instead."),
    ),
    131021: Explanation(
        Kind.FINAL,
        N_("A number cannot send a message to itself."),
        N_("An agent chooses another recipient."),
    ),
    131026: Explanation(
        Kind.FINAL,
        N_(
            "WhatsApp could not deliver this. The number may not use WhatsApp, may have an old version of "
            "it, or may not accept messages from you; Meta does not say which."
        ),
        N_("An agent checks the number, or reaches the person some other way. Sending again will not help."),
    ),
    131030: Explanation(
        Kind.FINAL,
        N_("This is one of Meta's test numbers, and the recipient is not on its list of testers."),
        N_("The owner adds the recipient to the testers in Meta's app settings."),
    ),
    131047: Explanation(
        Kind.FINAL,
        N_("More than 24 hours have passed since this person last wrote, so WhatsApp takes only templates."),
        N_("An agent sends a template; once the person answers, free text works again."),
    ),
    131049: Explanation(
        Kind.FINAL,
        N_("Meta chose not to deliver this, so that this person does not get too many marketing messages."),
        N_("Do not send it again within 24 hours: every try makes the pause longer."),
        wait=86_400,
    ),
    131050: Explanation(
        Kind.FINAL,
        N_("This person has stopped marketing messages from your business."),
        N_("Nobody sends them marketing until they turn it on again in WhatsApp."),
    ),
    131051: Explanation(
        Kind.FINAL,
        N_("WhatsApp does not support this type of message here."),
        N_("Whoever sent it sends a text, a photo or a file instead."),
    ),
    131052: Explanation(
        Kind.RETRY,
        N_("The file could not be fetched."),
        N_("The app tries once more. If it fails again, ask for the file to be sent again, below 100 MB."),
    ),
    131053: Explanation(
        Kind.FINAL,
        N_("WhatsApp could not use this file: it is too large or of a type WhatsApp does not take."),
        N_("An agent saves the file in a common format, smaller if need be, and sends it again."),
    ),
    131055: Explanation(
        Kind.FINAL,
        N_("This number, or this kind of template, is not set up for this way of sending."),
        N_("The owner asks the people who run this platform how the number is set up."),
    ),
    131060: Explanation(
        Kind.FINAL,
        N_("This message can be read only in the WhatsApp Business app on your phone."),
        N_("An agent opens the WhatsApp Business app to read it."),
    ),
    131062: Explanation(
        Kind.FINAL,
        N_("A sign-in code can go only to a phone number, and this person's number is not known."),
        N_("An agent asks the person for their phone number."),
    ),
    131063: Explanation(
        Kind.HUMAN,
        N_("Marketing templates are turned off on this way of sending for this WhatsApp account."),
        N_("The owner turns them on in WhatsApp Manager, or sends through Meta's marketing messages."),
    ),
    137000: Explanation(
        Kind.FINAL,
        N_("This person's WhatsApp identity has changed, so the message was not sent."),
        N_("An agent makes sure it is still the same person, then sends the message again."),
    ),
}
