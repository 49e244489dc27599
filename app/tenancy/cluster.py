"""What a Citus cluster has of each table: tenants' rows are distributed by tenant, others copied or kept in one place.

The lists come from the models, so a new table is on them.
"""

from __future__ import annotations

from sqlalchemy import Table

from .database import Base, GlobalModel, TenantModel


def kinds_of_tables() -> dict[str, str]:
    """By name of the table: `distributed` over the machines, a `reference` table on each, `local` to one."""
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return {table.name: kind_of(models[table]) for table in models if isinstance(table, Table)}


def kind_of(model: type) -> str:
    if issubclass(model, TenantModel):
        return "distributed"
    return "reference" if issubclass(model, GlobalModel) and model.is_reference else "local"
