"""Tenants and the walls between them. Everything a feature needs of it is here by name."""

from .actor import OTHER_APP, Actor
from .database import (
    Base,
    GlobalModel,
    Model,
    TenantModel,
    among,
    as_uuid,
    belongs_to,
    database_now,
    db,
    driver,
    exists,
    first_id,
    insert_rows,
    is_uuid,
    now,
    of_tenant,
    one_of,
    uuid7,
    uuid7s,
)
from .downloads import Download, DownloadEnded
from .guard import confirmed, current_actor, platform_only, public, requires, signed_in, stateless, takes_files
from .happenings import Happened, happened, happened_each, subscriber
from .live import announce, end_streams
from .models import Membership, Tenant, User, is_sandbox, sandbox_id
from .paging import Paged
from .permissions import Role
from .places import in_menu
from .presence import online
from .queue import enqueue, job, later, sweep
from .scope import OutsideTenant, after_commit, current_tenant_id
from .transactions import (
    commit,
    global_scope,
    platform_scope,
    refuse_inside_transaction,
    tenant_scope,
    try_for,
    within_tenant,
)
from .turns import by_chance, in_turn

__all__ = [
    "OTHER_APP",
    "Actor",
    "Base",
    "Download",
    "DownloadEnded",
    "GlobalModel",
    "Happened",
    "Membership",
    "Model",
    "OutsideTenant",
    "Paged",
    "Role",
    "Tenant",
    "TenantModel",
    "User",
    "after_commit",
    "among",
    "announce",
    "as_uuid",
    "belongs_to",
    "by_chance",
    "commit",
    "confirmed",
    "current_actor",
    "current_tenant_id",
    "database_now",
    "db",
    "driver",
    "end_streams",
    "enqueue",
    "exists",
    "first_id",
    "global_scope",
    "happened",
    "happened_each",
    "in_menu",
    "in_turn",
    "insert_rows",
    "is_sandbox",
    "is_uuid",
    "job",
    "later",
    "now",
    "of_tenant",
    "one_of",
    "online",
    "platform_only",
    "platform_scope",
    "public",
    "refuse_inside_transaction",
    "requires",
    "sandbox_id",
    "signed_in",
    "stateless",
    "subscriber",
    "sweep",
    "takes_files",
    "tenant_scope",
    "try_for",
    "uuid7",
    "uuid7s",
    "within_tenant",
]
