from simulator.errors import GraphError, forbidden, invalid
from simulator.graph.access import App
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.graph.overrides import verify_override
from simulator.wabas import Waba
from simulator.webhooks import publishing
from simulator.webhooks.handshake import verifies


@edge(Waba, "GET", "subscribed_apps")
def subscribed_apps(_: Call, waba: Waba) -> Answer:
    return apps_of(waba)


def apps_of(waba: Waba) -> Answer:
    """The list of apps that get the account's webhooks: ours, or none."""
    if not waba.is_subscribed:
        return {"data": []}
    settings = waba.world.settings
    app = {
        "id": settings.app_id,
        "name": settings.app_name,
        "link": f"{settings.public_url}/apps/{settings.app_id}",
    }
    override = waba.override_callback_uri
    return {"data": [{"whatsapp_business_api_data": app} | ({"override_callback_uri": override} if override else {})]}


@edge(Waba, "POST", "subscribed_apps")
def subscribe(call: Call, waba: Waba) -> Answer:
    """Subscribes the app; without a body this also removes an earlier override."""
    waba.subscribe(verify_override(call, call.params))
    return SUCCESS


@edge(Waba, "DELETE", "subscribed_apps")
def unsubscribe(_: Call, waba: Waba) -> Answer:
    waba.unsubscribe()
    return SUCCESS


@edge(App, "GET")
def show_app(call: Call, app: App) -> Answer:
    call.only("app", "system")
    return call.project({"id": app.id, "name": call.world.settings.app_name}, "Application", ("id", "name"))


@edge(App, "GET", "subscriptions")
def list_callbacks(call: Call, _: App) -> Answer:
    call.only("app")
    rows = call.world.store.rows("select * from app_subscriptions")
    return {"data": [_callback(row["id"], row["callback_url"], row["fields"]) for row in rows]}


@edge(App, "POST", "subscriptions")
def set_callback(call: Call, _: App) -> Answer:
    if call.token.kind != "app":
        raise forbidden("This method must be called with an app access_token.")
    if call.require("object") != publishing.OBJECT:
        raise invalid("Param object is not supported")
    url, fields = call.require("callback_url"), call.require("fields")
    if not verifies(url, call.require("verify_token"), call.world.transport):
        raise GraphError(2200, "(#2200) Callback verification failed with the following errors: HTTP Status Code")
    publishing.set_callback(call.world, url, fields if isinstance(fields, str) else ",".join(fields))
    return SUCCESS


def _callback(name: str, url: str, fields: str) -> Answer:
    entries = [{"name": field, "version": "v25.0"} for field in fields.split(",")]
    return {"object": name, "callback_url": url, "active": True, "fields": entries}
