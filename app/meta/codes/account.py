"""Tokens, permissions, the account's standing, call limits, signing up and registering a number."""

from app.words import N_

from .explanation import Explanation, Kind

MINUTE, HOUR = 60, 3_600

_RECONNECT = N_("Ask an owner to reconnect this number with Facebook. Waiting messages are sent afterwards.")
_PERMISSION = N_(
    "Ask an owner to reconnect this number with Facebook and grant every permission. "
    "Waiting messages are sent afterwards."
)
_WHATSAPP_MANAGER = N_(
    "Ask an owner to open WhatsApp Manager and do what Meta asks for there. Waiting messages are sent afterwards."
)
_BY_ITSELF = N_("No action needed. We'll retry automatically.")
_SIGN_UP_AGAIN = N_("Ask an owner to connect the number again from the beginning.")
_PLATFORM = N_("The Switchboard team has to correct its Meta app settings.")

_NO_PERMISSION = Explanation(
    Kind.PAUSE_NUMBER,
    N_("Meta doesn't allow Switchboard to work for this WhatsApp number."),
    _PERMISSION,
)
_TOKEN_DEAD = Explanation(
    Kind.PAUSE_NUMBER,
    N_("Facebook access has ended: it was revoked or is no longer valid."),
    _RECONNECT,
)
_TOKEN_EXPIRED = Explanation(
    Kind.PAUSE_NUMBER,
    N_("Facebook access has expired."),
    _RECONNECT,
)
_NOT_VISIBLE = Explanation(
    Kind.PAUSE_NUMBER,
    N_("Meta says that this doesn't exist, or that we no longer have access to it."),
    N_("Ask an owner to check in WhatsApp Manager that it still exists, then reconnect this number."),
)
_CALL_LIMIT = Explanation(
    Kind.RETRY_LATER,
    N_("Too many requests were made to Meta for this account in the last hour."),
    N_("No action needed. We wait for as long as Meta asks, then continue automatically."),
    wait=5 * MINUTE,
)
_MIGRATION = Explanation(
    Kind.HUMAN,
    N_("Meta refused to move this phone number to another WhatsApp account."),
    N_(
        "Ask an owner to check that two-step verification is off at the old provider, that the display name "
        "is approved and that both accounts are verified and have a payment method. Then try again."
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
        N_("Ask an owner to add the number again in WhatsApp Manager, or to connect another number."),
    ),
    101: Explanation(
        Kind.HUMAN,
        N_("Meta doesn't recognise our app."),
        _PLATFORM,
    ),
    368: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta has temporarily blocked this WhatsApp account because of a policy violation."),
        _WHATSAPP_MANAGER,
    ),
    2500: Explanation(
        Kind.HUMAN,
        N_("The request reached Meta without an access token, or at an address that doesn't exist."),
        _PLATFORM,
    ),
    131031: Explanation(
        Kind.PAUSE_NUMBER,
        N_(
            "Meta has locked this WhatsApp account: it is restricted or disabled, or a wrong PIN or other"
            " wrong details were entered."
        ),
        _WHATSAPP_MANAGER,
    ),
    131037: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta must approve this number's display name before it can send messages."),
        _WHATSAPP_MANAGER,
    ),
    131042: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta didn't send this because this WhatsApp account has no valid payment method."),
        N_(
            "The Switchboard team checks the credit line. Ask an owner to check payment, currency and "
            "time zone in WhatsApp Manager. Waiting messages are sent afterwards."
        ),
    ),
    131044: Explanation(
        Kind.PAUSE_NUMBER,
        N_("Meta didn't place this call because this WhatsApp account has no valid payment method."),
        N_(
            "The Switchboard team checks the credit line. Ask an owner to check payment, currency and "
            "time zone in WhatsApp Manager."
        ),
    ),
    4: _CALL_LIMIT,
    80007: _CALL_LIMIT,
    613: Explanation(Kind.THROTTLE, N_("We sent requests of this kind faster than Meta allows."), _BY_ITSELF),
    131045: Explanation(
        Kind.PAUSE_NUMBER,
        N_("This number's registration with WhatsApp is broken."),
        N_("Ask an owner to register the number again. Waiting messages are sent afterwards."),
    ),
    133000: Explanation(
        Kind.RETRY,
        N_("An earlier removal of this number from WhatsApp was not finished."),
        N_("We finish removing the number first, then register it again."),
    ),
    133004: Explanation(Kind.RETRY, N_("Meta's registration service is unavailable for a moment."), _BY_ITSELF),
    133005: Explanation(
        Kind.HUMAN,
        N_("The PIN does not match the one this number already has."),
        N_("Enter the number's two-step PIN, or set a new one in WhatsApp Manager."),
    ),
    133006: Explanation(
        Kind.HUMAN,
        N_("This number has to be verified before it can be registered."),
        N_("Request a code by text message or call, and enter it."),
    ),
    133008: Explanation(
        Kind.HUMAN,
        N_("A wrong PIN was given too many times, so Meta refuses more tries for a while."),
        N_("Wait for as long as Meta says, then enter the right PIN."),
    ),
    133009: Explanation(
        Kind.HUMAN,
        N_("The PIN was tried again too soon."),
        N_("Wait for as long as Meta says, then enter the PIN."),
    ),
    133010: Explanation(
        Kind.PAUSE_NUMBER,
        N_("This number is not registered with WhatsApp, so it can neither send nor receive here."),
        N_("Ask an owner to register the number. Waiting messages are sent afterwards."),
    ),
    133015: Explanation(
        Kind.RETRY_LATER,
        N_("This number was removed from WhatsApp a moment ago and Meta has not finished doing so."),
        N_("No action needed. We'll retry in five minutes."),
        wait=5 * MINUTE,
    ),
    133016: Explanation(
        Kind.HUMAN,
        N_("This number was registered or removed too often, so Meta refuses it for 72 hours."),
        N_("Wait 72 hours, then register the number once."),
        wait=72 * HOUR,
    ),
    136024: Explanation(
        Kind.HUMAN,
        N_("Meta could not send a verification code to this number."),
        N_("Wait for as long as Meta says, then request a code again, by call instead of text message."),
    ),
    136025: Explanation(
        Kind.HUMAN,
        N_("The verification code was not accepted."),
        N_("Enter the latest code, or request a new one."),
    ),
    1752041: Explanation(
        Kind.HUMAN,
        N_("Another provider has already asked Meta to take on this business."),
        N_("Decline the other provider's request in Meta Business settings, then try again."),
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
        N_("No action needed. To request them again, disconnect the number and connect it again."),
    ),
    2593108: Explanation(
        Kind.FINAL,
        N_("History from the WhatsApp Business app can be fetched only within 24 hours of connecting."),
        N_("To request it after all, disconnect the number and connect it again."),
    ),
    2593109: Explanation(
        Kind.FINAL,
        N_("The business chose in the WhatsApp Business app not to share its history."),
        N_("No action needed. New messages arrive as usual."),
    ),
    **dict.fromkeys(
        range(2494164, 2494180),
        Explanation(
            Kind.HUMAN,
            N_("Meta refused a step of signing up inside WhatsApp."),
            N_("See the details from Meta, correct what they name and try again."),
        ),
    ),
    **dict.fromkeys(
        (147001, 147002, 147003, 147004),
        Explanation(
            Kind.HUMAN,
            N_("Meta did not accept this username for the number."),
            N_("Choose a different username instead."),
        ),
    ),
    147005: Explanation(
        Kind.HUMAN,
        N_("Another number of the same business already has this username."),
        N_("Choose another username, or move this one over from the other number."),
    ),
}

SUBCODES: dict[tuple[int, int], Explanation] = {
    (100, 33): _NOT_VISIBLE,
    (190, 460): _TOKEN_DEAD,
    (190, 463): _TOKEN_EXPIRED,
    (190, 467): _TOKEN_DEAD,
    (100, 36007): Explanation(
        Kind.HUMAN, N_("Signing in with Facebook took too long, and its code has expired."), _SIGN_UP_AGAIN
    ),
    (100, 36008): Explanation(
        Kind.HUMAN,
        N_("Facebook's sign-in didn't come from the address that our Meta app expects."),
        _PLATFORM,
    ),
    (100, 36009): Explanation(Kind.HUMAN, N_("Facebook's sign-in code was already used once."), _SIGN_UP_AGAIN),
}
