"""The values of variables in what is written to a contact."""

from __future__ import annotations

from app.contacts.models import Contact
from app.tenancy import Tenant
from app.wabas.models import PhoneNumber


def variable_values(
    contact: Contact, phone_number: PhoneNumber, *, agent: str, tenant: Tenant
) -> dict[str, str | None]:
    """The values of VARIABLES in what is written to a contact from one of our numbers. `agent` is a person's name."""
    return {
        "name": contact.name if contact.has_name else None,
        "first_name": contact.first_name,
        "phone": contact.phone,
        "agent": agent,
        "agent_first_name": next(iter(agent.split()), ""),
        "business": tenant.name,
        "our_number": phone_number.display_number,
    }
