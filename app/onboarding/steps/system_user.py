"""Our system user may work on the account."""

from __future__ import annotations

from app.extensions import graph, settings
from app.meta import system_users
from app.onboarding.models import Onboarding
from app.tenancy import commit
from app.words import N_

from .registry import step

SYSTEM_USER = N_(
    "META_SYSTEM_USER_TOKEN has to belong to an admin system user of our business, and the client has to share the "
    "account with us as a partner."
)


@step(SYSTEM_USER)
def system_user_assigned(onboarding: Onboarding) -> None:
    meta_id, user_id, ours = (
        onboarding.waba.meta_id,
        settings.meta_system_user_id,
        settings.meta_system_user_token,
    )
    commit()
    assigned = system_users.assigned(graph, ours, meta_id, settings.meta_business_id)
    if user_id not in [user.id for user in assigned]:
        system_users.assign(graph, ours, meta_id, user_id)
