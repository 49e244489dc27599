"""What members may do, by role. Each feature says beside its blueprint which permissions it asks for."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent"


EVERYBODY = (Role.AGENT, Role.ADMIN, Role.OWNER)
ADMINS = (Role.ADMIN, Role.OWNER)
OWNERS = (Role.OWNER,)
PERMISSIONS: dict[str, tuple[Role, ...]] = {}


def permission(name: str, *roles: Role) -> str:
    """Declares a permission, e.g. `permission("contacts.erase", *OWNERS)`, for `requires` and `Membership.may`."""
    PERMISSIONS[name] = roles
    return name
