"""What Meta's refusals mean while a number is added or verified, where the code alone does not say it."""

from __future__ import annotations

import re

from app.meta.errors import MetaError, explain
from app.words import N_

Words = tuple[str, str]

IN_LIST, IN_USE, NOT_ELSEWHERE, NOT_MOVABLE = 2388012, 2388001, {2388091, 2388093}, 2388103
NO_CODE_SENT, WRONG_CODE = 136024, 136025
# Words of Meta's by which a limit is recognised: it has no code of its own.
LIMIT = re.compile(r"maximum|limit of|number limit|too many (phone )?numbers|reached the limit", re.IGNORECASE)
TOO_MANY_CODES = re.compile(r"too many|too often|try again later|wait", re.IGNORECASE)

IN_USE_ON_WHATSAPP = (
    N_("This number is already in use on WhatsApp."),
    N_(
        "If it is in the WhatsApp app, delete its account there first (Settings, Account, Delete account), or start "
        "again and connect it together with the WhatsApp Business app. If it is with another provider, select the "
        "box to move it here. Then try again."
    ),
)
PROTECTED = (
    N_("This number can't be moved yet."),
    N_(
        "Ask the old provider to turn off two-step verification for it. If it is also in the WhatsApp Business app, "
        "disconnect it there first. Then try again."
    ),
)
NOT_WITH_A_PROVIDER = (
    N_("This number isn't with another provider."),
    N_("Clear the box to move it here, and add it as a new number."),
)
MOVE_REFUSED = (
    N_("Meta doesn't let this number move to this account yet."),
    N_(
        "In WhatsApp Manager, check that the number's display name is approved, that your business is verified and "
        "that the account can pay. Meta's own words are below. Then try again."
    ),
)
OVER_LIMIT = (
    N_("Your business has as many phone numbers as Meta allows."),
    N_(
        "Verify your business in Meta's business settings to be allowed more, or delete a number you no longer use in "
        "WhatsApp Manager. Then try again."
    ),
)
NOT_ACCEPTED = (
    N_("Meta didn't accept this phone number or name."),
    N_("Check the country code, the number and the name, and try again. Meta's own words are below."),
)
CODES_USED_UP = (
    N_("Meta has sent too many codes to this number."),
    N_("Wait a few hours, then request one code. A call often works when a text message doesn't arrive."),
)
CODE_NOT_SENT = (
    N_("Meta couldn't send a code to this number."),
    N_(
        "Check that the number can receive text messages or calls from abroad, without a menu or an extension. "
        "Then request the code again, as a call."
    ),
)
CODE_WRONG = (
    N_("That code isn't right."),
    N_("Enter the latest code, or request a new one."),
)
REFUSED_STEP = (
    N_("Meta refused this step."),
    N_("Meta's own words are below. Fix what they name, then try again."),
)
# What the codes say of a message that was refused makes no sense where no message was sent.
ABOUT_A_MESSAGE = explain(100).fix


def of_step(error: MetaError) -> Words:
    """Our words for any refusal during onboarding."""
    return REFUSED_STEP if error.fix == ABOUT_A_MESSAGE else (error.title, error.fix)


def of_new_number(error: MetaError, *, migrate: bool) -> Words | None:
    """Why a number could not be added, or with `migrate` moved; None where the code says it."""
    code = error.subcode if error.code == 100 and error.subcode else error.code
    if LIMIT.search(error.details or ""):
        return OVER_LIMIT
    if code == IN_USE:
        return PROTECTED if migrate else IN_USE_ON_WHATSAPP
    if code in NOT_ELSEWHERE:
        return NOT_WITH_A_PROVIDER
    if code == NOT_MOVABLE:
        return MOVE_REFUSED if migrate else NOT_ACCEPTED
    return NOT_ACCEPTED if error.code == 100 else None


def of_code(error: MetaError) -> Words | None:
    """Why no code could be sent, or the code was refused; None where Meta's code says it."""
    if error.code == NO_CODE_SENT:
        return CODES_USED_UP if TOO_MANY_CODES.search(error.details or "") else CODE_NOT_SENT
    return CODE_WRONG if error.code == WRONG_CODE else None
