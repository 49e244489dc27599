from dataclasses import dataclass
from typing import Any

from simulator.errors import forbidden, invalid, missing
from simulator.graph import fields
from simulator.graph.pages import page
from simulator.graph.parameters import decode
from simulator.tokens import Token
from simulator.world import World


@dataclass(frozen=True)
class Call:
    """One request: its token and its parameters."""

    world: World
    token: Token
    params: dict[str, Any]

    def require(self, name: str) -> Any:
        """The parameter; raises an error if it is missing."""
        value = self.params.get(name)
        if value is None or value == "":
            raise missing(name)
        return value

    def require_list(self, name: str) -> list[Any]:
        """A list, which may also come as JSON text."""
        value = decode(self.require(name))
        if not isinstance(value, list):
            raise invalid(f"Param {name} must be an array.")
        return value

    def flag(self, name: str) -> bool | None:
        """A true or false, or None if it is missing."""
        value = self.params.get(name)
        if value is None:
            return None
        if str(value).lower() not in ("true", "false", "1", "0"):
            raise invalid(f"Param {name} must be a boolean.")
        return str(value).lower() in ("true", "1")

    def project(self, node: dict[str, Any], kind: str, default: tuple[str, ...]) -> dict[str, Any]:
        """The node with the requested fields."""
        return fields.project(node, self._fields(default), kind)

    def page(self, nodes: list[dict[str, Any]], kind: str, default: tuple[str, ...]) -> dict[str, Any]:
        """One page of nodes with the requested fields."""
        return page([self.project(node, kind, default) for node in nodes], self.params)

    def only(self, *kinds: str) -> None:
        """Refuses other kinds of tokens."""
        if self.token.kind not in kinds:
            raise forbidden()

    def _fields(self, default: tuple[str, ...]) -> fields.Wanted:
        fields_param = self.params.get("fields")
        return fields.parse(_join(fields_param)) if fields_param else fields.names(default)


def _join(fields_param: Any) -> str:
    """`fields` may also be a list."""
    return ",".join(map(str, fields_param)) if isinstance(fields_param, list) else str(fields_param)
