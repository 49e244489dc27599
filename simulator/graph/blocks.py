"""The users a number has blocked. Only users who wrote within 24 hours can be blocked."""

from typing import Any

from simulator import dialing
from simulator.customers import Customer
from simulator.errors import GraphError, title_of
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.graph.pages import page
from simulator.phone_numbers import PhoneNumber
from simulator.relations import Relation

FAILED = 139100


@edge(PhoneNumber, "POST", "block_users")
def block(call: Call, number: PhoneNumber) -> Answer:
    return _change(call, number, "added_users", block=True)


@edge(PhoneNumber, "DELETE", "block_users")
def unblock(call: Call, number: PhoneNumber) -> Answer:
    return _change(call, number, "removed_users", block=False)


@edge(PhoneNumber, "GET", "block_users")
def index(call: Call, number: PhoneNumber) -> Answer:
    rows = call.world.store.rows(
        "select customer_id from blocks where phone_number_id = ? order by at, rowid", number.id
    )
    customers = [customer for (id,) in rows if (customer := Customer.find(call.world, id))]
    return page([{"messaging_product": "whatsapp"} | _ids(number, customer) for customer in customers], call.params)


def _change(call: Call, number: PhoneNumber, list_name: str, block: bool) -> Answer:
    """Changes every user it can; if any fails, the answer is a 400 that lists both."""
    call.require("messaging_product")
    changed, failed = [], []
    with call.world.store.transaction():
        for user in call.require_list("block_users"):
            customer, given = _customer(call, number, user)
            if problem := _problem(number, customer, given, block):
                failed.append(given | {"errors": [problem]})
            elif customer:
                Relation(call.world, number, customer).block(block)
                changed.append(given | _ids(number, customer, named_by_number="user" in user))
    users: dict[str, Any] = {list_name: changed}
    answer: Answer = {"messaging_product": "whatsapp", "block_users": users}
    if failed:
        users["failed_users"] = failed
        verb = "block" if block else "unblock"
        raise GraphError(FAILED, f"Failed to {verb} some users, see the error of each user.", beside=answer)
    return answer


def _customer(call: Call, number: PhoneNumber, user: Any) -> tuple[Customer | None, dict[str, str]]:
    """The customer with that number or user id, and the request's own spelling of it."""
    if not isinstance(user, dict) or not (user.get("user") or user.get("user_id")):
        raise GraphError(100, "(#100) Each item of block_users needs a user or a user_id.")
    if user.get("user"):
        digits = dialing.international(str(user["user"]), number.country)
        return Customer.by_number(call.world, digits), {"input": str(user["user"])}
    user_id = str(user["user_id"])
    return Customer.with_user_id(call.world, user_id, number.waba.business_id), {"input": user_id}


def _problem(
    number: PhoneNumber, customer: Customer | None, given: dict[str, str], block: bool
) -> dict[str, Any] | None:
    if dialing.digits_of(given["input"]) == number.digits:
        return _error(131021, "A business cannot block its own number.")
    if customer is None:
        return _error(131026, "The user is not on WhatsApp.")
    if block and not Relation(number.world, number, customer).has_written_recently:
        return _error(131047, "Only users who messaged the business in the last 24 hours can be blocked.")
    return None


def _error(code: int, details: str) -> dict[str, Any]:
    return {"code": code, "message": f"(#{code}) {title_of(code)}", "error_data": {"details": details}}


def _ids(number: PhoneNumber, customer: Customer, named_by_number: bool = False) -> dict[str, str]:
    """The number if the business may see it or used it itself; else the user id."""
    if named_by_number or customer.shows_number_to(number.id):
        return {"wa_id": customer.wa_id}
    return {"user_id": customer.user_id_for(number.waba.business_id)}
