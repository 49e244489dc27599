import json
from typing import Any

from simulator.errors import invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.graph.parameters import decode
from simulator.number_extras import Extras
from simulator.phone_numbers import PhoneNumber

DEFAULTS: dict[str, Any] = {
    "calling": {"status": "DISABLED", "call_icon_visibility": "DEFAULT", "callback_permission_status": "DISABLED"},
    "storage_configuration": {"status": "DEFAULT"},
    "user_identity_change": {"enable_identity_key_check": False},
    "payload_encryption": {"status": "DISABLED"},
}


@edge(PhoneNumber, "GET", "settings")
def show(_: Call, number: PhoneNumber) -> Answer:
    return DEFAULTS | Extras(number).object("settings")


@edge(PhoneNumber, "POST", "settings")
def change(call: Call, number: PhoneNumber) -> Answer:
    """Changes the given sections; unknown parameters are ignored, as Graph does."""
    extras = Extras(number)
    settings = DEFAULTS | extras.object("settings")
    for name in DEFAULTS:
        if name in call.params:
            section = decode(call.params[name])
            if not isinstance(section, dict):
                raise invalid(f"Param {name} must be an object.")
            settings[name] = settings[name] | section
    extras["settings"] = json.dumps(settings)
    return SUCCESS
