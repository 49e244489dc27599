"""Tokens, permissions, the account's standing, call limits, signing up and registering a number."""

from app.words import N_

from .explanation import Explanation, Kind

MINUTE, HOUR = 60, 3_600

_RECONNECT = N_("The owner connects this number with Facebook again. Waiting messages are kept and go out afterwards.")
_PERMISSION = N_(
    "The owner connects this number with Facebook again and grants every permission it asks for. "
    "Waiting messages are kept and go out afterwards."
)
_WHATSAPP_MANAGER = N_(
    "The owner opens WhatsApp Manager, reads what Meta asks for and settles it there. "
    "Waiting messages are kept and go out afterwards."
)
_BY_ITSELF = N_("Nobody has to do anything. The app tries again by itself.")
_SIGN_UP_AGAIN = N_("The owner starts connecting the number once more from the beginning.")
_PLATFORM = N_("The people who run this platform correct its Meta app settings.")

_NO_PERMISSION = Explanation(
    Kind.PAUSE_NUMBER,
    N_("Meta says this app is not, or no longer, allowed to work for this WhatsApp number."),
    _PERMISSION,
)
_TOKEN_DEAD = Explanation(
    Kind.PAUSE_NUMBER,
    N_("The connection to Meta has ended: its access was withdrawn or is no longer valid."),
    _RECONNECT,
)
_TOKEN_EXPIRED = Explanation(
    Kind.PAUSE_NUMBER,
    N_("The connection to Meta has expired."),
    _RECONNECT,
)
_NOT_VISIBLE = Explanation(
    Kind.PAUSE_NUMBER,
    N_("Meta says this does not exist, or that this connection may no longer see it."),
    N_("The owner checks in WhatsApp Manager that it still exists, then connects this number again."),
)
_CALL_LIMIT = Explanation(
    Kind.RETRY_LATER,
    N_("Too many requests were made to Meta for this account in the last hour."),
    N_("Nobody has to do anything. The app waits for as long as Meta asks, then goes on by itself."),
    wait=5 * MINUTE,
)
_MIGRATION = Explanation(
    Kind.HUMAN,
    N_("Meta refused to move this phone number to another WhatsApp account."),
    N_(
        "The owner makes sure that two-step verification is off at the old provider, that the display name "
        "is approved and that both accounts are verified and have a payment method, then tries again."
    ),
)

CODES: dict[int, Explanation] = {
    0: _TOKEN_DEAD,
    190: _TOKEN_DEAD,
    3: _NO_PERMISSION,
    10: _NO_PERMISSION,
    131005: _NO_PERMISSION,
    **dict.fromkeys(range(200, 300), _NO_PERMISSION),
    803: _NOT_VISIBLE,
    33: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta says this phone number was deleted from its WhatsApp account."),
        N_("The owner adds the number again in WhatsApp Manager, or connects another number."),
    ),
    101: Explanation(
        Kind.HUMAN,
        N_("Meta does not recognise the app this platform signs in with."),
        _PLATFORM,
    ),
    368: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta has blocked this WhatsApp account for a while because of its policies."),
        _WHATSAPP_MANAGER,
    ),
    2500: Explanation(
        Kind.HUMAN,
        N_("The request reached Meta without an access token, or at an address Meta does not have."),
        _PLATFORM,
    ),
    131031: Explanation(
        Kind.PAUSE_NUMBER,
        N_(
            "Meta has locked this WhatsApp account: it is restricted or disabled, or wrong details such as "
            "a wrong PIN were given."
        ),
        _WHATSAPP_MANAGER,
    ),
    131037: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta must approve this number's display name before it may send."),
        _WHATSAPP_MANAGER,
    ),
    131042: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta did not send this because nothing valid is set up to pay for this WhatsApp account."),
        N_(
            "The people who run this platform check the credit line; the owner checks payment, currency and "
            "time zone in WhatsApp Manager. Waiting messages are kept and go out afterwards."
        ),
    ),
    131044: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta did not place this call because nothing valid is set up to pay for this WhatsApp account."),
        N_(
            "The people who run this platform check the credit line; the owner checks payment, currency and "
            "time zone in WhatsApp Manager."
        ),
    ),
    4: _CALL_LIMIT,
    80007: _CALL_LIMIT,
    613: Explanation(Kind.THROTTLE, N_("Requests of this sort came too fast for Meta."), _BY_ITSELF),
    131045: Explanation(
        Kind.PAUSE_NUMBER,
        N_("This number's registration with WhatsApp is broken."),
        N_("The owner registers the number again. Waiting messages are kept and go out afterwards."),
    ),
    133000: Explanation(
        Kind.RETRY,
        N_("An earlier removal of this number from WhatsApp was not finished."),
        N_("The app finishes removing the number first, then registers it again."),
    ),
    133004: Explanation(Kind.RETRY, N_("Meta's registration service is away for a moment."), _BY_ITSELF),
    133005: Explanation(
        Kind.HUMAN,
        N_("The PIN does not match the one this number already has."),
        N_("The owner enters the number's two-step PIN, or sets a new one in WhatsApp Manager."),
    ),
    133006: Explanation(
        Kind.HUMAN,
        N_("This number has to be verified before it can be registered."),
        N_("The owner asks for a code by SMS or call and enters it."),
    ),
    133008: Explanation(
        Kind.HUMAN,
        N_("A wrong PIN was given too many times, so Meta refuses more tries for a while."),
        N_("The owner waits for as long as Meta says, then enters the right PIN."),
    ),
    133009: Explanation(
        Kind.HUMAN,
        N_("The PIN was tried again too soon."),
        N_("The owner waits for as long as Meta says, then enters the PIN."),
    ),
    133010: Explanation(
        Kind.PAUSE_NUMBER,
        N_("This number is not registered with WhatsApp, so it can neither send nor receive here."),
        N_("The owner registers the number. Waiting messages are kept and go out afterwards."),
    ),
    133015: Explanation(
        Kind.RETRY_LATER,
        N_("This number was removed from WhatsApp a moment ago and Meta has not finished doing so."),
        N_("Nobody has to do anything. The app tries again in five minutes."),
        wait=5 * MINUTE,
    ),
    133016: Explanation(
        Kind.HUMAN,
        N_("This number was registered or removed too often, so Meta refuses it for 72 hours."),
        N_("The owner waits 72 hours, then registers the number once."),
        wait=72 * HOUR,
    ),
    136024: Explanation(
        Kind.HUMAN,
        N_("Meta could not send a verification code to this number."),
        N_("The owner waits for as long as Meta says, then asks for a code again, by call instead of SMS."),
    ),
    136025: Explanation(
        Kind.HUMAN,
        N_("The verification code was not accepted."),
        N_("The owner enters the newest code, digits only, or asks for another one."),
    ),
    1752041: Explanation(
        Kind.HUMAN,
        N_("Another provider has already asked Meta to take on this business."),
        N_("The owner declines the other provider's request in Meta Business settings, then tries again."),
    ),
    **dict.fromkeys((2388001, 2388012, 2388091, 2388093, 2388103), _MIGRATION),
    2494100: Explanation(
        Kind.RETRY_LATER,
        N_("Meta is doing maintenance on this number. It takes a few minutes."),
        _BY_ITSELF,
        wait=5 * MINUTE,
    ),
    2593107: Explanation(
        Kind.FINAL,
        N_("Contacts or history from the WhatsApp Business app can be fetched only once, and already were."),
        N_("Nobody has to do anything. To fetch them anew, the owner disconnects and connects the number."),
    ),
    2593108: Explanation(
        Kind.FINAL,
        N_("History from the WhatsApp Business app can be fetched only within 24 hours of connecting."),
        N_("To fetch it after all, the owner disconnects the number and connects it again."),
    ),
    2593109: Explanation(
        Kind.FINAL,
        N_("The business chose in the WhatsApp Business app not to share its history."),
        N_("Nobody has to do anything. New messages arrive as usual."),
    ),
    **dict.fromkeys(
        range(2494164, 2494180),
        Explanation(
            Kind.HUMAN,
            N_("Meta refused a step of signing up inside WhatsApp."),
            N_("The owner reads Meta's own words below, corrects what they name and tries again."),
        ),
    ),
    **dict.fromkeys(
        (147001, 147002, 147003, 147004),
        Explanation(
            Kind.HUMAN,
            N_("Meta did not accept this username for the number."),
            N_("The owner chooses another username."),
        ),
    ),
    147005: Explanation(
        Kind.HUMAN,
        N_("Another number of the same business already has this username."),
        N_("The owner chooses another username, or moves this one over from the other number."),
    ),
}

SUBCODES: dict[tuple[int, int], Explanation] = {
    (100, 33): _NOT_VISIBLE,
    (190, 460): _TOKEN_DEAD,
    (190, 463): _TOKEN_EXPIRED,
    (190, 467): _TOKEN_DEAD,
    (100, 36007): Explanation(
        Kind.HUMAN, N_("Facebook's sign-in took too long and its code has run out."), _SIGN_UP_AGAIN
    ),
    (100, 36008): Explanation(
        Kind.HUMAN,
        N_("Facebook's sign-in did not come from the address this platform's Meta app expects."),
        _PLATFORM,
    ),
    (100, 36009): Explanation(Kind.HUMAN, N_("Facebook's sign-in code was already used once."), _SIGN_UP_AGAIN),
}
