# ruff: noqa: S608 - columns and clauses are written in this program, values are bound
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from simulator.context import Context


@dataclass
class Record:
    """A database row with its methods. `world` gives access to everything else."""

    table: ClassVar[str]

    world: Context
    id: str

    @classmethod
    def find(cls, world: Context, id: str | None) -> Self | None:
        """The record with the id, or None."""
        return next(iter(cls.where(world, "id = ?", id)), None)

    @classmethod
    def where(cls, world: Context, clause: str = "true", *values: Any) -> list[Self]:
        """The records that match an SQL clause."""
        return [cls(world, **row) for row in world.store.rows(f"select * from {cls.table} where {clause}", *values)]

    @classmethod
    def create(cls, world: Context, **columns: Any) -> Self:
        """Inserts a record."""
        return cls(world, **world.store.insert_row(cls.table, **columns))

    def update(self, **columns: Any) -> None:
        """Changes columns of the row and of this object."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self.world.store.write(f"update {self.table} set {assignments} where id = ?", *columns.values(), self.id)
        for name, value in columns.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """The columns, without `world`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "world"}
