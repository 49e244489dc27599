"""A flow that was sent in, as the phone shows it in the chat: the questions and what was answered."""

import json
from collections.abc import Iterator
from typing import Any

from simulator.flow_rules import INPUTS, walk
from simulator.flows import Flow
from simulator.messages import Message

LONGEST = 200


def answers_in(message: Message) -> list[tuple[str, str]]:
    """Label and answer, in the order of the questions; a name in words where the flow has no label for it."""
    try:
        answers = json.loads(message.body["nfm_reply"]["response_json"])
    except ValueError:
        return []
    fields = {str(one.get("name")): one for one in _questions(message)}
    answers = {name: answer for name, answer in answers.items() if answer not in ("", [], None)}
    named = [name for name in fields if name in answers]
    named += [name for name in answers if name not in fields and name != "flow_token"]
    return [
        (_label(name, fields.get(name, {})), _words(answers[name], fields.get(name, {}))[:LONGEST]) for name in named
    ]


def _questions(message: Message) -> Iterator[dict[str, Any]]:
    """What the flow asks that the message answers."""
    sent = Message.find(message.number.world, message.context_id) if message.context_id else None
    options = sent.shape.get("options", []) if sent else []
    option: dict[str, Any] = next((one for one in options if one["kind"] == "flow"), {})
    flow = Flow.find(message.number.world, str(option.get("flow_id") or "")) or (
        Flow.by_name(message.number.waba, str(option.get("flow_name") or ""))
    )
    for screen in (flow.definition or {}).get("screens") or [] if flow else []:
        for component, _ in walk((screen.get("layout") or {}).get("children"), ""):
            if component.get("type") in INPUTS:
                yield component


def _label(name: str, question: dict[str, Any]) -> str:
    label = str(question.get("label") or "")
    return label if label and not label.startswith("${") else name.replace("_", " ").capitalize()


def _words(answer: Any, question: dict[str, Any]) -> str:
    """Options by their titles; a tick in words."""
    if isinstance(answer, bool):
        return "Yes" if answer else "No"
    source = question.get("data-source")
    options = source if isinstance(source, list) else []
    titles = {str(one.get("id")): str(one.get("title")) for one in options if isinstance(one, dict)}
    chosen = answer if isinstance(answer, list) else [answer]
    return ", ".join(titles.get(str(one), str(one)) for one in chosen)
