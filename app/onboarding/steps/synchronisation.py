"""A number that stays in the WhatsApp Business app brings its contacts and history along."""

from __future__ import annotations

from app.extensions import graph
from app.meta import phone_numbers
from app.meta.errors import GraphError
from app.onboarding.models import Onboarding
from app.tenancy import commit
from app.words import N_

from .registry import Skipped, step

SYNCHRONISED_BEFORE, TOO_LATE = 2593107, 2593108


@step()
def app_synchronised(onboarding: Onboarding) -> str:
    """For a number that stays in the WhatsApp Business app: each once, within a day. It works without, too."""
    number, token = onboarding.phone_number, onboarding.waba.token
    meta_id, is_on_biz_app = number.meta_id, number.is_on_biz_app
    commit()
    if not is_on_biz_app:
        raise Skipped(N_("Only for numbers that stay in the WhatsApp Business app."))
    for sync_type in ("smb_app_state_sync", "history"):
        try:
            phone_numbers.synchronise(graph, token, meta_id, sync_type)
        except GraphError as error:
            if error.code == TOO_LATE:
                raise Skipped(EXPIRED) from None
            if error.code != SYNCHRONISED_BEFORE:
                raise
    return N_("They arrive in the inbox over the next minutes.")


EXPIRED = N_(
    "Older messages and contacts don't arrive: WhatsApp shares them only within 24 hours of connecting. New messages "
    "arrive as usual."
)
