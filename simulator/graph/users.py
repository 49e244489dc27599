import json
from typing import Any

from simulator.businesses import Business
from simulator.errors import GraphError, forbidden, invalid
from simulator.graph.access import Partner
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.tokens import Token
from simulator.wabas import Waba

NAME = "Partner system user"
TASKS = {
    "MANAGE",
    "DEVELOP",
    "MANAGE_TEMPLATES",
    "MANAGE_PHONE",
    "VIEW_COST",
    "MANAGE_EXTENSIONS",
    "VIEW_PHONE_ASSETS",
    "MANAGE_PHONE_ASSETS",
    "VIEW_TEMPLATES",
    "VIEW_INSIGHTS",
    "MANAGE_USERS",
    "MANAGE_BILLING",
    "MESSAGING",
    "FULL_CONTROL",
    "RECEIVE_INCOMING_MESSAGES",
}


@edge(Partner, "GET", "system_users")
def system_users(call: Call, _: Partner) -> Answer:
    call.only("system")
    user = {"id": call.world.settings.system_user_id, "name": NAME, "role": "ADMIN"}
    return call.page([user], "SystemUser", ("id", "name", "role"))


@edge(Waba, "GET", "assigned_users")
def assigned_users(call: Call, waba: Waba) -> Answer:
    call.require("business")
    rows = call.world.store.rows("select * from assigned_users where waba_id = ?", waba.id)
    return {"data": [_user(row["user_id"], json.loads(row["tasks"])) for row in rows]}


@edge(Waba, "POST", "assigned_users")
def assign(call: Call, waba: Waba) -> Answer:
    user_id, tasks = _system_user(call), call.require("tasks")
    if not isinstance(tasks, list) or not TASKS.issuperset(tasks):
        raise invalid("Param tasks must be an array of known tasks.")
    call.world.store.write(
        "insert or replace into assigned_users values (?, ?, ?)", waba.id, user_id, json.dumps(tasks)
    )
    return SUCCESS


@edge(Waba, "DELETE", "assigned_users")
def unassign(call: Call, waba: Waba) -> Answer:
    call.world.store.write("delete from assigned_users where waba_id = ? and user_id = ?", waba.id, _system_user(call))
    return SUCCESS


@edge(Business, "POST", "system_user_access_tokens")
def business_token(call: Call, business: Business) -> Answer:
    """Returns the client's existing token with `fetch_only`, else a new one."""
    call.only("system")
    call.require("appsecret_proof")
    if not Waba.shared_by(business):
        raise GraphError(3962, "The business has not shared a WhatsApp Business Account with the app.")
    if call.params.get("fetch_only") not in (True, "true"):
        return {"access_token": Token.issue(call.world, business, days=60).id}
    given = Token.where(call.world, "business_id = ? and kind = 'business' order by issued_at desc", business.id)
    shared = {waba.id for waba in Waba.shared_by(business)}
    token = next((one for one in given if one.alive and shared <= set(one.wabas)), None)
    return {"access_token": (token or Token.issue(call.world, business, call.world.settings.token_days)).id}


def _system_user(call: Call) -> str:
    if call.token.kind != "system":
        raise forbidden("Only an admin system user of the partner may assign users.")
    user_id = str(call.require("user"))
    if user_id != call.world.settings.system_user_id:
        raise invalid("Param user must be a system user of the business.")
    return user_id


def _user(user_id: str, tasks: list[str]) -> dict[str, Any]:
    return {"id": user_id, "name": NAME, "tasks": tasks}
