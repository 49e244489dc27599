"""What Meta does to a client's account, each with the webhook or callback that reports it."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from simulator.context import Context
from simulator.http import http_client
from simulator.phone_numbers import PhoneNumber
from simulator.tokens import Token
from simulator.webhooks import publishing

Json = dict[str, Any]
OTHER_SERVER = "https://other-server.example/webhooks/whatsapp"


def partner_removed(number: PhoneNumber) -> None:
    """The client removes the partner from the account: the token loses access to it."""
    waba = number.waba
    notify_partner(number, {"event": "PARTNER_REMOVED"})
    for token in Token.where(number.world, "business_id = ?", waba.business_id):
        remaining = [id for id in token.wabas if id != waba.id]
        token.update(waba_ids=json.dumps(remaining))
    waba.update(shared_at=None)


def app_uninstalled(number: PhoneNumber) -> None:
    """The client removes the app: every token of the business is revoked."""
    revoke(number)
    notify_partner(number, {"event": "PARTNER_APP_UNINSTALLED"})


def revoke(number: PhoneNumber) -> None:
    """Revokes every token of the business, without a webhook."""
    for token in Token.where(number.world, "business_id = ?", number.waba.business_id):
        token.revoke()


def unsubscribe(number: PhoneNumber) -> None:
    """Without a webhook: the app is unsubscribed in Business Manager."""
    number.waba.unsubscribe()


def deleted(number: PhoneNumber) -> None:
    """The account is deleted."""
    publish_account_event(number, {"event": "ACCOUNT_DELETED"})


def restricted(number: PhoneNumber) -> None:
    """The account may not start conversations."""
    kind = {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 0}
    publish_account_event(number, {"event": "ACCOUNT_RESTRICTION", "restriction_info": [kind]})


def violated(number: PhoneNumber) -> None:
    """The account is reported for spam."""
    publish_account_event(number, {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SPAM"}})


def disabled(number: PhoneNumber) -> None:
    """The account is disabled: it can no longer send."""
    number.waba.update(status="DISABLED")
    ban = {"waba_ban_state": "DISABLE", "waba_ban_date": "November 21, 2026"}
    publish_account_event(number, {"event": "DISABLED_UPDATE", "ban_info": ban})


def reinstated(number: PhoneNumber) -> None:
    """The account is active again."""
    number.waba.update(status="ACTIVE")
    publish_account_event(number, {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}})


def verified(number: PhoneNumber) -> None:
    """Without a webhook: the client verifies the number in WhatsApp Manager while the partner requests a code."""
    number.verify()


def overridden(number: PhoneNumber) -> None:
    """Without a webhook: another server sets its own callback on the account."""
    number.waba.subscribe(OTHER_SERVER)


def number_overridden(number: PhoneNumber) -> None:
    """Without a webhook: another server sets its own callback on the number."""
    number.update(override_callback_uri=OTHER_SERVER)


def pin_locked(number: PhoneNumber) -> None:
    """Without a webhook: wrong PINs lock the number for twelve hours."""
    number.update(pin=number.pin or "999999", pin_locked_until=number.world.clock.now() + 12 * 3600)


def quality_low(number: PhoneNumber) -> None:
    """The number's quality falls to RED."""
    number.update(quality_rating="RED")
    publish_number_event(number, "phone_number_quality_update", {"event": "FLAGGED"})


def quality_high(number: PhoneNumber) -> None:
    """The number's quality rises to GREEN."""
    number.update(quality_rating="GREEN")
    publish_number_event(number, "phone_number_quality_update", {"event": "UNFLAGGED"})


def limit_raised(number: PhoneNumber) -> None:
    """The portfolio's messaging limit rises to 10,000."""
    number.waba.business.update(messaging_limit=10_000)
    value = {"max_daily_conversations_per_business": 10_000, "max_phone_numbers_per_business": 20}
    publishing.publish_for_waba(number.waba, "business_capability_update", value)


def name_approved(number: PhoneNumber) -> None:
    """The display name is approved."""
    number.update(name_status="APPROVED")
    publish_name_decision(number, "APPROVED", None)


def name_rejected(number: PhoneNumber) -> None:
    """The display name is rejected."""
    number.update(name_status="DECLINED")
    publish_name_decision(number, "REJECTED", "NAME_NOT_CONSISTENT")


def reviewed(number: PhoneNumber) -> None:
    """The account passes Meta's review."""
    number.waba.update(account_review_status="APPROVED")
    publishing.publish_for_waba(number.waba, "account_review_update", {"decision": "APPROVED"})


def alerted(number: PhoneNumber) -> None:
    """Meta warns that the profile picture is lost."""
    info = {
        "alert_severity": "WARNING",
        "alert_status": "ACTIVE",
        "alert_type": "PROFILE_PICTURE_LOST",
        "alert_description": "Please reupload your profile picture",
    }
    value = {"entity_type": "PHONE_NUMBER", "entity_id": number.id, "alert_info": info}
    publishing.publish_for_waba(number.waba, "account_alerts", value)


def pin_changed(number: PhoneNumber) -> None:
    """The two-step verification PIN is changed."""
    publish_number_event(number, "security", {"event": "PIN_CHANGED", "requester": number.waba.business.system_user_id})


def deregistered(number: PhoneNumber) -> None:
    """Without a webhook: only reading the number shows it."""
    number.deregister()


def deregistration_incomplete(number: PhoneNumber) -> None:
    """Without a webhook: the number is disconnected, and has to be deregistered again before it is registered."""
    number.deregister()
    number.update(deregistering=1)


def deauthorized(number: PhoneNumber) -> None:
    """The client removes the app on Facebook: tokens are revoked and the app's callback is called."""
    revoke(number)
    post_callback(number.world, "deauthorize", number.waba.business.system_user_id)


def data_deletion(number: PhoneNumber) -> None:
    """The client requests the deletion of their data."""
    post_callback(number.world, "data-deletion", number.waba.business.system_user_id)


EVENTS: dict[str, Callable[[PhoneNumber], None]] = {
    event.__name__: event
    for event in (
        partner_removed,
        app_uninstalled,
        revoke,
        unsubscribe,
        deregistered,
        deregistration_incomplete,
        deauthorized,
        data_deletion,
        deleted,
        restricted,
        violated,
        disabled,
        reinstated,
        verified,
        pin_locked,
        overridden,
        number_overridden,
        quality_low,
        quality_high,
        limit_raised,
        name_approved,
        name_rejected,
        reviewed,
        alerted,
        pin_changed,
    )
}


def publish_account_event(number: PhoneNumber, value: Json) -> None:
    """Sends an `account_update` webhook of the account."""
    publishing.publish_for_waba(number.waba, "account_update", value)


def notify_partner(number: PhoneNumber, value: Json) -> None:
    """Sends an `account_update` webhook addressed to the partner."""
    waba = number.waba
    info = {"waba_id": waba.id, "owner_business_id": waba.business_id}
    publishing.publish_to_partner(waba, value | {"waba_info": info})


def publish_number_event(number: PhoneNumber, field: str, value: Json) -> None:
    """Sends a webhook about the number, with its digits."""
    about = {"display_phone_number": number.digits}
    publishing.publish_for_waba(number.waba, field, about | value)


def publish_name_decision(number: PhoneNumber, decision: str, reason: str | None) -> None:
    """Sends Meta's decision about the display name."""
    value = {"decision": decision, "requested_verified_name": number.verified_name, "rejection_reason": reason}
    publish_number_event(number, "phone_number_name_update", value)


def post_callback(world: Context, address: str, user_id: str) -> None:
    """Posts one of Facebook's own callbacks to the app's site, as a signed form."""
    site = urlsplit(world.settings.callback_url)
    url = f"{site.scheme}://{site.netloc}/webhooks/meta/{address}"
    signed = signed_request(world.settings.app_secret[0], user_id, int(world.clock.now()))

    def post() -> None:
        with http_client(world.transport, 10) as http:
            http.post(url, data={"signed_request": signed})

    threading.Thread(target=post, daemon=True).start()


def signed_request(secret: str, user_id: str, issued_at: int) -> str:
    """Facebook's signed form value: signature and payload, joined by a dot."""
    payload = {"algorithm": "HMAC-SHA256", "issued_at": issued_at, "user_id": user_id}
    body = base64url(json.dumps(payload).encode())
    return f"{base64url(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest())}.{body}"


def base64url(raw: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
