from typing import Any, Self

from simulator.errors import GraphError, invalid
from simulator.graph.parameters import decode


class Part:
    """An object inside a request, with the path that error messages name."""

    def __init__(self, value: Any, path: str) -> None:
        if value is None:
            raise GraphError(131008, f"Required parameter is missing: {path}")
        value = decode(value)
        if not isinstance(value, dict):
            raise invalid(f"Param {path} must be a JSON object.")
        self.value: dict[str, Any] = value
        self.path = path

    def __contains__(self, name: str) -> bool:
        return self.value.get(name) is not None

    def get(self, name: str) -> Any:
        """The member, or None."""
        return self.value.get(name)

    def require(self, name: str) -> Any:
        """The member; raises 131008 if it is missing."""
        if name not in self:
            raise GraphError(131008, f"Required parameter is missing: {self.path}.{name}")
        return self.value[name]

    def part(self, name: str) -> Self:
        """The member as an object."""
        self.value[name] = decode(self.require(name))
        return type(self)(self.value[name], f"{self.path}.{name}")

    def parts(self, name: str, least: int, most: int) -> list[Self]:
        """The member as a list of objects, within the limits of its length."""
        items = self.value[name] = decode(self.require(name))
        if not isinstance(items, list) or not least <= len(items) <= most:
            raise self.wrong(name, f"must hold {least} to {most} items")
        items[:] = map(decode, items)
        return [type(self)(item, f"{self.path}.{name}[{index}]") for index, item in enumerate(items)]

    def text(self, name: str, longest: int) -> str:
        """The member as a non-empty text of at most so many characters."""
        value = self.require(name)
        if not isinstance(value, str) or not value.strip():
            raise GraphError(131009, f"Param {self.path}['{name}'] must be a non-empty string.")
        if len(value) > longest:
            raise invalid(f"Param {self.path}['{name}'] must be at most {longest} characters long.")
        return value

    def optional_text(self, name: str, longest: int) -> None:
        """Checks an optional text; an empty one counts as missing."""
        if self.value.get(name) not in (None, ""):
            self.text(name, longest)

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        """The member, which must be one of the options."""
        value = str(self.require(name))
        if value not in options:
            raise self.wrong(name, f"must be one of {{{', '.join(options)}}}")
        return value

    def only(self, *names: str) -> None:
        """Refuses members that are not in the list."""
        for name in self.value:
            if name not in names:
                raise invalid(f'Unexpected key "{name}" on param "{self.path}".')

    def without(self, *names: str) -> None:
        """Refuses the members in the list."""
        for name in names:
            if name in self:
                raise self.wrong(name, "is not allowed here")

    def wrong(self, name: str, why: str) -> GraphError:
        """Error 131009 about a member."""
        return GraphError(131009, f"Param {self.path}['{name}'] {why}.")
