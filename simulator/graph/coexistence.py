from simulator import coexistence, ids
from simulator.errors import GraphError, invalid
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.phone_numbers import PhoneNumber

SYNC_WITHIN = 24 * 3600
SYNC_TYPES = ("smb_app_state_sync", "history")


@edge(PhoneNumber, "POST", "smb_app_data")
def synchronise(call: Call, number: PhoneNumber) -> Answer:
    """Starts one synchronisation: each type once, within a day of onboarding."""
    sync_type = call.require("sync_type")
    if sync_type not in SYNC_TYPES or not number.coexistence:
        raise invalid("Param sync_type is not supported for this phone number.")
    if call.world.clock.now() > (number.last_onboarded_at or 0) + SYNC_WITHIN:
        raise GraphError(2593108, "Synchronization must be requested within 24 hours of onboarding.")
    _once(call, number, sync_type)
    people = coexistence.people_of(call.world, number)
    if sync_type == "history":
        coexistence.send_history(call.world, number, people)
    else:
        coexistence.sync_contacts(call.world, number, [coexistence.contact_of(one) for one in people])
    return {"messaging_product": "whatsapp", "request_id": ids.trace()}


def _once(call: Call, number: PhoneNumber, sync_type: str) -> None:
    store = call.world.store
    sql = "select 1 from synchronisations where phone_number_id = ? and sync_type = ?"
    if store.row(sql, number.id, sync_type):
        raise GraphError(2593107, "This synchronization was requested before.")
    now = call.world.clock.now()
    store.insert("synchronisations", phone_number_id=number.id, sync_type=sync_type, at=now)
