from typing import Any

from simulator import dialing
from simulator.customers import Customer
from simulator.errors import invalid
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.phone_numbers import PhoneNumber
from simulator.relations import Relation


@edge(PhoneNumber, "POST", "block_users")
def block(call: Call, number: PhoneNumber) -> Answer:
    return _answer("added_users", [_mark(call, number, user, block=True) for user in _users(call)])


@edge(PhoneNumber, "DELETE", "block_users")
def unblock(call: Call, number: PhoneNumber) -> Answer:
    return _answer("removed_users", [_mark(call, number, user, block=False) for user in _users(call)])


@edge(PhoneNumber, "GET", "block_users")
def index(call: Call, number: PhoneNumber) -> Answer:
    blocked = Customer.where(call.world, "id in (select customer_id from blocks where phone_number_id = ?)", number.id)
    return {"data": [{"messaging_product": "whatsapp", "wa_id": customer.wa_id} for customer in blocked]}


def _users(call: Call) -> list[Any]:
    users = call.require("block_users")
    if not isinstance(users, list) or not all(isinstance(user, dict) for user in users):
        raise invalid("Param block_users must be an array of objects.")
    return users


def _mark(call: Call, number: PhoneNumber, user: dict[str, str], block: bool) -> dict[str, str]:
    customer, named = _found(call, number, user)
    if customer is None:
        raise invalid("Param block_users names somebody who is not on WhatsApp.")
    Relation(call.world, number, customer).block(block)
    return named | ({"wa_id": customer.wa_id} if "user" in user else {"user_id": user["user_id"]})


def _found(call: Call, number: PhoneNumber, user: dict[str, str]) -> tuple[Customer | None, dict[str, str]]:
    if "user" in user:
        digits = dialing.international(user["user"], number.country)
        return Customer.known(call.world, digits), {"input": user["user"]}
    user_id = user.get("user_id", "")
    return Customer.with_user_id(call.world, user_id, number.waba.business_id), {"input": user_id}


def _answer(name: str, users: list[dict[str, str]]) -> Answer:
    return {"messaging_product": "whatsapp", "block_users": {name: users}}
