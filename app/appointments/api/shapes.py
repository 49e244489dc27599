"""Appointments as the API shows them. Outgoing webhooks carry the same."""

from __future__ import annotations

import uuid
from typing import Literal, Self

from pydantic import Field

from app.api import Shape
from app.api.declaring import Time
from app.appointments.calendar import link_to
from app.appointments.models import Appointment

StateName = Literal["booked", "confirmed", "reschedule_requested", "cancelled", "no_show", "done"]


class AppointmentShape(Shape):
    id: uuid.UUID
    external_id: str | None = Field(examples=["viewing-4711"])
    contact_id: uuid.UUID
    phone_number_id: uuid.UUID | None = Field(description="The number that writes about it; null: nothing is sent.")
    title: str = Field(examples=["Viewing: Villa Azur"])
    starts_at: Time
    time_zone: str = Field(examples=["Africa/Dakar"], description="In which its times are shown to the customer.")
    minutes: int = Field(examples=[60])
    place: str = Field(examples=["12 Rue des Almadies, Dakar"])
    agent_id: uuid.UUID | None = Field(description="The team member who has it.")
    state: StateName
    version: int = Field(description="Counts the changes that make what was sent before wrong.")
    source: Literal["api", "agent", "form", "automation"]
    notes: str
    calendar_url: str = Field(description="A calendar file for the customer, which needs no sign-in.")
    created_at: Time
    changed_at: Time
    messages: list[Literal["booked", "moved", "cancelled", "reminder"]] | None = Field(
        None,
        description="What the customer is sent messages about, by the settings of appointments. Empty: the customer "
        "gets no message. Null in lists and events.",
    )

    @classmethod
    def of(cls, one: Appointment, messages: list[str] | None = None) -> Self:
        columns = [name for name in cls.model_fields if name not in ("calendar_url", "messages")]
        values = {name: getattr(one, name) for name in columns} | {"calendar_url": link_to(one), "messages": messages}
        return cls.model_validate(values)
