"""The screens of the Facebook window, by Meta's `current_step`, and why people leave it there."""

from __future__ import annotations

from app.words import N_

# After "You left while …".
SCREENS = {
    "BUSINESS_ACCOUNT_SELECTION": N_("choosing your business"),
    "WABA_PHONE_PROFILE_PICKER": N_("choosing your WhatsApp account"),
    "WHATSAPP_BUSINESS_PROFILE_SETUP": N_("entering the details of your business"),
    "PHONE_NUMBER_SETUP": N_("adding your phone number"),
    "PHONE_NUMBER_VERIFICATION": N_("entering the code for your phone number"),
    "PERMISSIONS": N_("reviewing the permissions"),
}

# A likely cause, the way on, and the button for it: "app" connects together with the app, "ways" lists other ways.
Cause = tuple[str, str, str]

ON_THE_APP: Cause = (
    N_("The number is still in use in a WhatsApp app"),
    N_(
        "Delete its account there (Settings, Account, Delete account), wait three minutes and try again. Or keep it in "
        "the WhatsApp Business app and connect it together with the app."
    ),
    "app",
)
ELSEWHERE: Cause = (
    N_("The number is with another provider"),
    N_("Ask the old provider to turn off two-step verification for it first."),
    "ways",
)
LIMIT: Cause = (
    N_("Your business has as many numbers as Meta allows"),
    N_("Verify your business in Meta's business settings, or delete a number you no longer use in WhatsApp Manager."),
    "",
)
TOO_MANY_CODES: Cause = (
    N_("Too many codes were requested"),
    N_("Wait a few hours, then request one code. A call often works when a text message doesn't arrive."),
    "",
)
NO_CODE: Cause = (
    N_("The code doesn't arrive"),
    N_("The number has to receive text messages or calls from abroad, without a menu. Choose the call instead."),
    "",
)

CAUSES: dict[str, tuple[Cause, ...]] = {
    "WABA_PHONE_PROFILE_PICKER": (ELSEWHERE, LIMIT),
    "PHONE_NUMBER_SETUP": (ON_THE_APP, ELSEWHERE, LIMIT, TOO_MANY_CODES),
    "PHONE_NUMBER_VERIFICATION": (NO_CODE, TOO_MANY_CODES, ON_THE_APP, LIMIT),
}
