"""Sending a message: what went wrong on Meta's side, with the recipient, or with the message."""

from app.words import N_

from .explanation import Explanation, Kind

_BY_ITSELF = N_("No action needed. We'll retry automatically.")
_NOT_CONFIRMED = N_(
    "Wait a few minutes: if it was delivered, its ticks will appear. If none appear, decide whether to send it again."
)
_META_TROUBLE = Explanation(
    Kind.UNKNOWN_OUTCOME,
    N_("Meta had an internal problem and didn't say whether this was done."),
    _NOT_CONFIRMED,
)
_CORRECT_MESSAGE = N_("Correct the message and send it again. The details from Meta below name the problem.")

CODES: dict[int, Explanation] = {
    1: Explanation(
        Kind.UNKNOWN_OUTCOME,
        N_("Meta responded with an unknown error and didn't say whether this was done."),
        _NOT_CONFIRMED,
    ),
    2: _META_TROUBLE,
    131000: _META_TROUBLE,
    131016: _META_TROUBLE,
    130429: Explanation(
        Kind.THROTTLE,
        N_("This number is sending messages faster than Meta allows."),
        N_("No action needed. We'll slow down and send the rest automatically."),
    ),
    131057: Explanation(
        Kind.THROTTLE,
        N_("Meta is doing maintenance on this account. It usually takes less than a minute."),
        _BY_ITSELF,
        wait=60,
    ),
    131056: Explanation(
        Kind.PAIR,
        N_("Too many messages were sent to this person in a short time."),
        N_("No action needed. We'll wait a little before sending more to this person."),
    ),
    131048: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta stopped this number's messages because too many people blocked or reported earlier ones."),
        N_(
            "Ask an owner to check the number's quality in WhatsApp Manager. Send fewer, more relevant "
            "messages, then resume the number here."
        ),
    ),
    131064: Explanation(
        Kind.RETRY_LATER,
        N_("Meta limits this account's template messages because templates were in the wrong category."),
        N_("Ask an owner to correct the templates' categories. Meta lifts the limit after some days."),
        wait=86_400,
    ),
    100: Explanation(Kind.FINAL, N_("Meta didn't accept one of the details of this request."), _CORRECT_MESSAGE),
    131008: Explanation(Kind.FINAL, N_("Something that Meta requires is missing."), _CORRECT_MESSAGE),
    131009: Explanation(
        Kind.FINAL,
        N_("One of the details is not valid, or belongs to a message that is too old or was deleted."),
        _CORRECT_MESSAGE,
    ),
    135000: Explanation(
        Kind.FINAL, N_("Meta didn't accept this message, probably because of its format."), _CORRECT_MESSAGE
    ),
    130403: Explanation(
        Kind.FINAL,
        N_("This person is on your list of blocked people."),
        N_("Unblock the person, then send the message again."),
    ),
    130472: Explanation(
        Kind.FINAL,
        N_("Meta didn't deliver this because this person is in a study without marketing messages."),
        N_("This can't be changed. You can reply once the person writes to you."),
    ),
    130497: Explanation(
        Kind.FINAL,
        N_("Meta doesn't allow this business to send messages to people in this country."),
        N_("This can't be changed here. Check Meta's rules for the country."),
    ),
    130501: Explanation(
        Kind.FINAL,
        N_("This kind of message can't be sent to a group."),
        N_("Send a text or a file instead."),
    ),
    131021: Explanation(
        Kind.FINAL,
        N_("A number can't send a message to itself."),
        N_("Choose a different recipient."),
    ),
    131026: Explanation(
        Kind.FINAL,
        N_(
            "WhatsApp couldn't deliver this. The number may not be on WhatsApp, may have an old version "
            "of the app, or may not accept messages from you; Meta doesn't say which."
        ),
        N_("Check the number, or contact the person another way. Sending it again won't help."),
    ),
    131030: Explanation(
        Kind.FINAL,
        N_("This is one of Meta's test numbers, and the recipient isn't on its list of testers."),
        N_("Ask an owner to add the recipient as a tester in Meta's app settings."),
    ),
    131047: Explanation(
        Kind.FINAL,
        N_("The 24-hour reply window has closed, so WhatsApp accepts only templates."),
        N_("Send a template instead. Once the customer replies, you can send any message again."),
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
        N_("Don't send them marketing messages until they turn them on again in WhatsApp."),
    ),
    131051: Explanation(
        Kind.FINAL,
        N_("WhatsApp doesn't support this type of message here."),
        N_("Send a text, a photo or a file instead."),
    ),
    131052: Explanation(
        Kind.RETRY,
        N_("The file couldn't be downloaded."),
        N_("We'll retry once. If it fails again, ask for the file to be sent again, smaller than 100 MB."),
    ),
    131053: Explanation(
        Kind.FINAL,
        N_("WhatsApp couldn't use this file: it is too large, or its type isn't supported."),
        N_("Save the file in a common format, smaller if necessary, and send it again."),
    ),
    131055: Explanation(
        Kind.FINAL,
        N_("This number, or this kind of template, isn't set up to be sent this way."),
        N_("Contact support about how this number is set up."),
    ),
    131060: Explanation(
        Kind.FINAL,
        N_("This message can be read only in the WhatsApp Business app on your phone."),
        N_("Open the WhatsApp Business app to read it."),
    ),
    131062: Explanation(
        Kind.FINAL,
        N_("A sign-in code can be sent only to a phone number, and we don't have this person's number."),
        N_("Ask the person for their phone number."),
    ),
    131063: Explanation(
        Kind.HUMAN,
        N_("Marketing templates sent this way are turned off for this WhatsApp account."),
        N_("Ask an owner to turn them on in WhatsApp Manager, or send through Meta's marketing messages."),
    ),
    137000: Explanation(
        Kind.FINAL,
        N_("This person's WhatsApp identity has changed, so the message wasn't sent."),
        N_("Check that it is still the same person, then send the message again."),
    ),
}
