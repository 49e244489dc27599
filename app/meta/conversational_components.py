"""What a customer can tap in an empty chat (ice breakers), or type after a slash (commands)."""

from collections.abc import Sequence
from dataclasses import dataclass

from .graph import GraphClient
from .payload import mapping, sequence, text

MOST_PROMPTS, MOST_COMMANDS = 4, 30


@dataclass(frozen=True, slots=True)
class Components:
    """Both arrive as plain text messages."""

    prompts: tuple[str, ...] = ()
    commands: tuple[tuple[str, str], ...] = ()


def fetch(graph: GraphClient, token: str, phone_number_id: str) -> Components:
    """What a number offers. Raises MetaError."""
    answer = graph.get(phone_number_id, token=token, params={"fields": "conversational_automation"})
    automation = mapping(answer.get("conversational_automation"))
    prompts = (text(prompt, 80) for prompt in sequence(automation.get("prompts")))
    commands = map(mapping, sequence(automation.get("commands")))
    named = ((text(one.get("command_name"), 32), text(one.get("command_description"), 256)) for one in commands)
    return Components(tuple(filter(None, prompts)), tuple((name, words or "") for name, words in named if name))


def update(
    graph: GraphClient,
    token: str,
    phone_number_id: str,
    prompts: Sequence[str],
    commands: Sequence[tuple[str, str]],
) -> None:
    """Takes the place of what was offered before. Raises MetaError."""
    listed = [{"command_name": name, "command_description": words} for name, words in commands]
    request = {"prompts": list(prompts), "commands": listed}
    graph.post(f"{phone_number_id}/conversational_automation", token=token, json=request)
