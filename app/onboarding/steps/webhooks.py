"""Messages reach us: our app is subscribed to the account, and no other server gets its webhooks."""

from __future__ import annotations

from app.extensions import graph
from app.meta import phone_numbers, wabas
from app.onboarding.models import Onboarding
from app.tenancy import commit, now
from app.wabas.overrides import foreign_callback, host_of

from .registry import step


@step()
def webhooks_subscribed(onboarding: Onboarding) -> str:
    """Subscribes our app, and removes callbacks of other servers on the account and the number: who connects a number
    here wants its messages here."""
    waba, number = onboarding.waba, onboarding.phone_number
    token, meta_id, number_id = waba.token, waba.meta_id, number.meta_id
    commit()
    subscription = wabas.subscription(graph, token, meta_id)
    listed = {one.id: one for one in phone_numbers.of_waba(graph, token, meta_id)}
    seen = listed.get(number_id)
    elsewhere = foreign_callback(subscription.override_callback_uri) if subscription else ""
    if subscription is None or elsewhere:
        wabas.subscribe(graph, token, meta_id)
    if seen and (other := foreign_callback(seen.number_override, application=seen.app_callback)):
        phone_numbers.remove_override(graph, token, number_id)
        elsewhere = other
    waba.subscribed_at, waba.callback_override = waba.subscribed_at or now(), ""
    number.callback_override = ""
    return host_of(elsewhere)
