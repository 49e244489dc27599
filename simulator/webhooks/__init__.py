from typing import TYPE_CHECKING, Any

from simulator.webhooks import payloads
from simulator.webhooks.delivery import Delivery

if TYPE_CHECKING:
    from simulator.messages import Message
    from simulator.phone_numbers import PhoneNumber
    from simulator.relations import Relation
    from simulator.wabas import Waba
    from simulator.world import World

OBJECT = "whatsapp_business_account"
ALL_FIELDS = (
    "messages,account_update,user_preferences,history,smb_message_echoes,smb_app_state_sync,"
    "message_template_status_update,phone_number_quality_update,phone_number_name_update,business_capability_update,"
    "account_alerts,account_review_update,security,business_username_updates"
)


class Webhooks:
    """Decides who is told: only apps that subscribed to a WABA hear its messages."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def use_configured_callback(self) -> None:
        if self.world.settings.callback_url:
            self.set_callback(self.world.settings.callback_url, ALL_FIELDS)

    def set_callback(self, callback_url: str, fields: str) -> None:
        self.world.store.write(
            "insert or replace into app_subscriptions values (?, ?, ?)", OBJECT, callback_url, fields
        )

    def message_received(self, message: "Message") -> None:
        self.tell_number(message.number, "messages", payloads.inbound(message), message.id)

    def status_changed(self, message: "Message", status: str) -> None:
        self.tell_number(message.number, "messages", payloads.status(message, status), message.id)

    def preference_changed(self, relation: "Relation", value: str) -> None:
        self.tell_number(relation.number, "user_preferences", payloads.preference(relation, value))

    def echoed(self, message: "Message") -> None:
        self.tell_number(message.number, "smb_message_echoes", payloads.echo(message))

    def partner_added(self, waba: "Waba") -> None:
        """Addressed to the partner's portfolio, whether or not anybody subscribed to the WABA."""
        self.tell_partner(waba, payloads.partner_added(waba))

    def tell_partner(self, waba: "Waba", value: dict[str, Any]) -> None:
        now = int(self.world.clock.now())
        body = payloads.envelope(self.world.settings.business_id, "account_update", value, now)
        self._enqueue(self.app_callback("account_update"), "account_update", waba.id, body)

    def tell_waba(self, waba: "Waba", field: str, value: dict[str, Any]) -> None:
        """Account and template fields: never overridden, and stamped with their time."""
        body = payloads.envelope(waba.id, field, value, int(self.world.clock.now()))
        self._enqueue(self.app_callback(field) if waba.subscribed else None, field, waba.id, body)

    def tell_number(
        self, number: "PhoneNumber", field: str, value: dict[str, Any], message_id: str | None = None
    ) -> None:
        if url := self._callback(number, field):
            body = payloads.envelope(number.waba_id, field, value)
            self._enqueue(url, field, number.waba_id, body, message_id)

    def _callback(self, number: "PhoneNumber", field: str) -> str | None:
        waba = number.waba
        if not waba.subscribed:
            return None
        return number.override_callback_uri or waba.override_callback_uri or self.app_callback(field)

    def app_callback(self, field: str) -> str | None:
        row = self.world.store.row("select * from app_subscriptions where id = ?", OBJECT)
        return row["callback_url"] if row and field in row["fields"].split(",") else None

    def _enqueue(
        self, url: str | None, field: str, about: str, body: dict[str, Any], message_id: str | None = None
    ) -> None:
        if url is None or self.world.happens("loss"):
            return
        copies = 2 if self.world.happens("duplicates") else 1
        for _ in range(copies):
            Delivery.enqueue(self.world, url, field, about, body, message_id)
        self.world.store.after_commit(self.world.sender.wake)
