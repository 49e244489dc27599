"""What reaches us, and what we may do."""

from __future__ import annotations

from app.extensions import graph, settings
from app.meta import system_users, wabas
from app.onboarding.models import Onboarding
from app.tenancy import commit, now
from app.words import N_

from .registry import step

SYSTEM_USER = N_(
    "META_SYSTEM_USER_TOKEN has to be that of an admin system user of our business, and the client has to "
    "share the account with us as a partner."
)


@step()
def webhooks_subscribed(onboarding: Onboarding) -> None:
    waba = onboarding.waba
    token, meta_id = waba.token, waba.meta_id
    commit()
    if not wabas.is_subscribed(graph, token, meta_id):
        wabas.subscribe(graph, token, meta_id)
    waba.subscribed_at = waba.subscribed_at or now()


@step(SYSTEM_USER)
def system_user_assigned(onboarding: Onboarding) -> None:
    meta_id, user_id, ours = (
        onboarding.waba.meta_id,
        settings.meta_system_user_id,
        settings.meta_system_user_token,
    )
    commit()
    known = system_users.assigned(graph, ours, meta_id, settings.meta_business_id)
    if user_id not in [user.id for user in known]:
        system_users.assign(graph, ours, meta_id, user_id)
