"""Several Postgres machines as one, with Citus: tenants' rows are distributed by tenant, other tables copied or local.

What each table is comes from the models, so a new table needs no list.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import DDL, Connection, ForeignKeyConstraint, MetaData, Table, text
from sqlalchemy.schema import AddConstraint, DropConstraint

from .database import Base, GlobalModel, TenantModel

DISTRIBUTED, REFERENCE, LOCAL = "distributed", "reference", "local"


class NotACluster(Exception):
    """This Postgres has no Citus."""


def kinds_of_tables() -> dict[str, str]:
    """By name of the table: distributed over the machines, a reference table on each, or local to the coordinator."""
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return {table.name: kind_of(model) for table, model in models.items() if isinstance(table, Table)}


def kind_of(model: type) -> str:
    if issubclass(model, TenantModel):
        return DISTRIBUTED
    return REFERENCE if issubclass(model, GlobalModel) and model.is_reference else LOCAL


class Cluster:
    """A Postgres with Citus, seen from its coordinator. Raises `NotACluster` without Citus."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.wanted = connection, kinds_of_tables()
        if connection.scalar(text("select to_regclass('pg_dist_partition')")) is None:
            raise NotACluster

    @property
    def present(self) -> dict[str, str]:
        """What the cluster has of our tables; those it does not know yet are missing."""
        return {name: kind for name, kind in self.connection.execute(PRESENT) if name in self.wanted}

    @property
    def missing(self) -> list[str]:
        """Tables that are not in the cluster yet, or not as what they should be; reference tables first."""
        present = self.present
        names = [name for name, kind in self.wanted.items() if present.get(name) != kind]
        return sorted(names, key=lambda name: (ORDER.index(self.wanted[name]), name))

    @property
    def propagates_settings(self) -> bool:
        """Whether workers get `set local app.tenant_id`, without which row security shows them nothing."""
        return bool(self.connection.scalar(text("show citus.propagate_set_commands")) == "local")

    def distribute(self) -> Iterator[str]:
        """Puts each missing table in its place. Yields what it did; the caller commits each step.

        It may be broken off anywhere and run again. Keys are dropped first and added at the end: a cluster takes a key
        only where both tables have their place.
        """
        if not self.propagates_settings:
            self.connection.execute(SETTING)
            # For this connection; new ones get it from the database.
            self.connection.execute(text("set citus.propagate_set_commands = 'local'"))
            yield "set local is propagated to the workers from now on"
        if missing := self.missing:
            for key in self.keys(exist=True):
                if {key.table.name, key.referred_table.name} & set(missing):
                    self.connection.execute(DropConstraint(key))
                    yield f"{key.table.name}: key {key.name} dropped for now"
        for name in missing:
            self.place(name)
            yield f"{name}: {self.wanted[name]}"
        for key in self.keys(exist=False):
            self.connection.execute(AddConstraint(key))
            yield f"{key.table.name}: key {key.name} added"

    def place(self, name: str) -> None:
        # A cluster copies rows to its machines as the table's owner, whom forced row security would show none.
        holding = [
            Table(row.relname, MetaData(), schema=row.nspname)
            for row in self.connection.execute(HOLDING, {"table": name})
        ]
        for table in holding:
            self.connection.execute(UNFORCE.against(table))
        if self.wanted[name] == DISTRIBUTED:
            together = next((one for one, kind in self.present.items() if kind == DISTRIBUTED), "default")
            self.connection.execute(DISTRIBUTE, {"table": name, "together": together})
        else:
            self.connection.execute(COPY if self.wanted[name] == REFERENCE else ADD_LOCAL, {"table": name})
        for table in holding:
            self.connection.execute(FORCE.against(table))

    def keys(self, *, exist: bool) -> list[ForeignKeyConstraint]:
        """The models' foreign keys that the database has, or has not."""
        there = {tuple(row) for row in self.connection.execute(KEYS)}
        tables = [Base.metadata.tables[name] for name in sorted(self.wanted)]
        keys = (key for table in tables for key in table.foreign_key_constraints)
        chosen = [key for key in keys if ((key.table.name, key.name) in there) is exist]
        return sorted(chosen, key=lambda key: (key.table.name, str(key.name)))


ORDER = (REFERENCE, DISTRIBUTED, LOCAL)
# By Citus' own catalogue: h is hashed; of the others t is copied to every machine, and s stays on one.
PRESENT = text("""
    select c.relname,
        case when p.partmethod = 'h' then 'distributed' when p.repmodel = 't' then 'reference' else 'local' end
    from pg_dist_partition p join pg_class c on c.oid = p.logicalrelid where c.relnamespace = 'public'::regnamespace
""")
# A table and its partitions, as far as they hold rows under forced row security.
HOLDING = text("""
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relforcerowsecurity and pg_relation_size(c.oid) > 0 and (c.oid = cast(:table as regclass)
        or exists (select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = cast(:table as regclass)))
""")
UNFORCE = DDL("alter table %(fullname)s no force row level security")  # type: ignore[no-untyped-call]
FORCE = DDL("alter table %(fullname)s force row level security")  # type: ignore[no-untyped-call]
KEYS = text("""
    select c.relname, k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.contype = 'f' and k.conparentid = 0 and c.relnamespace = 'public'::regnamespace
""")
COPY = text("select create_reference_table(cast(:table as regclass))")
DISTRIBUTE = text("""
    select create_distributed_table(cast(:table as regclass), 'tenant_id', colocate_with => :together)
""")
ADD_LOCAL = text("select citus_add_local_table_to_metadata(cast(:table as regclass))")
SETTING = text("""
    do $$ begin
        execute format('alter database %I set citus.propagate_set_commands = ''local''', current_database());
    end $$
""")
