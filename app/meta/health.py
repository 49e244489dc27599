"""`health_status`: whether a number, a WABA or a template can send, and what prevents it."""

from dataclasses import asdict, dataclass
from typing import Any

from .errors import NoAnswer
from .graph import GraphClient
from .payload import identifier, mapping, sequence, text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in the way, in Meta's words; `entity_type` is PHONE_NUMBER, WABA, BUSINESS or APP."""

    entity_type: str | None
    entity_id: str | None
    code: int | None
    description: str | None
    solution: str | None


@dataclass(frozen=True, slots=True)
class Entity:
    """A part of the chain from the number to our app, and its problems."""

    type: str
    id: str
    can_send_message: str
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Health:
    """`can_send_message` is AVAILABLE, LIMITED or BLOCKED: that of the worst entity."""

    can_send_message: str
    entities: tuple[Entity, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for entity in self.entities for problem in entity.problems)

    @property
    def is_blocked(self) -> bool:
        return self.can_send_message == "BLOCKED"


def fetch(graph: GraphClient, token: str, node_id: str) -> Health:
    """The health of a phone number, a WABA or a template. Raises MetaError."""
    answer = graph.get(node_id, token=token, params={"fields": "health_status"})
    status = mapping(answer.get("health_status"))
    can_send_message = text(status.get("can_send_message"), 64)
    if can_send_message is None:
        raise NoAnswer("Meta's answer holds no health status", 200)
    return Health(can_send_message, tuple(map(_entity, map(mapping, sequence(status.get("entities"))))))


def _entity(entity: dict[str, Any]) -> Entity:
    return Entity(
        type=text(entity.get("entity_type"), 64) or "",
        id=identifier(entity.get("id")) or "",
        can_send_message=text(entity.get("can_send_message"), 64) or "",
        problems=tuple(_problems(entity)),
    )


def _problems(entity: dict[str, Any]) -> list[Problem]:
    kind, entity_id = text(entity.get("entity_type"), 64), identifier(entity.get("id"))
    errors = map(mapping, sequence(entity.get("errors")))
    notes = map(text, sequence(entity.get("additional_info")))
    return [_problem(kind, entity_id, error) for error in errors] + [
        Problem(kind, entity_id, None, note, None) for note in notes if note
    ]


def _problem(kind: str | None, entity_id: str | None, error: dict[str, Any]) -> Problem:
    code = error.get("error_code")
    return Problem(
        entity_type=kind,
        entity_id=entity_id,
        code=code if isinstance(code, int) else None,
        description=text(error.get("error_description"), 2_000),
        solution=text(error.get("possible_solution"), 2_000),
    )
