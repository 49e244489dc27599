"""Every variable needs an example, and every file in a header a handle."""

from typing import Any

from simulator.template_rules.refusals import NO_EXAMPLE, refusal, without_example
from simulator.template_rules.texts import variables_of

Json = dict[str, Any]
MEMBERS = {"HEADER": ("header_text", "header_text_named_params"), "BODY": ("body_text", "body_text_named_params")}


def check_examples(kind: str, part: Json, named: bool) -> None:
    """`header_text: [one]`, `body_text: [[one, two]]`, or a list of names with examples."""
    variables = variables_of(str(part.get("text") or ""))
    example = part.get("example")
    numbered, by_name = MEMBERS[kind]
    if not variables:
        if isinstance(example, dict) and (example.get(numbered) or example.get(by_name)):
            raise refusal(NO_EXAMPLE, f"component of type {kind} has examples, but no variables")
        return
    member = by_name if named else numbered
    if not isinstance(example, dict) or not example.get(member):
        raise without_example(kind)
    given = _by_name(kind, example[member], variables) if named else _in_order(kind, example[member])
    if len(given) != len(variables) or not all(_is_text(one) for one in given):
        raise refusal(NO_EXAMPLE, f"component of type {kind} needs {len(variables)} example(s), one for each variable")


def _in_order(kind: str, given: Any) -> list[Any]:
    if kind == "BODY" and isinstance(given, list) and len(given) == 1 and isinstance(given[0], list):
        return list(given[0])
    # Meta's own clients also send one list of texts.
    if isinstance(given, list) and not any(isinstance(one, list) for one in given):
        return given
    raise without_example(kind)


def _by_name(kind: str, given: Any, variables: list[str]) -> list[Any]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise without_example(kind)
    examples = {str(one.get("param_name")): one.get("example") for one in given}
    if set(examples) != set(variables):
        raise refusal(NO_EXAMPLE, f"the examples of component {kind} are not named like its variables")
    return list(examples.values())


def _is_text(example: Any) -> bool:
    return isinstance(example, str | int | float) and str(example).strip() != ""
