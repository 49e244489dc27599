"""The address at which customers' phones ask while a form is being filled in. It names the tenant and the version."""

from __future__ import annotations

import uuid

from app import tokens

from .models import FlowVersion

PURPOSE = "flow endpoint"


def endpoint_of(version: FlowVersion) -> str:
    named = f"{version.tenant_id.hex}{version.id.hex}"
    return tokens.link("flow_data.exchange", token=tokens.sign(PURPOSE, named))


def read_address(token: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The tenant and the version that an address of ours names, or None."""
    named = tokens.read(PURPOSE, token)
    return (uuid.UUID(named[:32]), uuid.UUID(named[32:])) if named else None
