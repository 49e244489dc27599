"""Meta fills {{n}} with the n-th parameter, wherever it is in the text."""

from typing import Any

import pytest

from app.meta.message_templates import Template

BODY = "Your parcel {{2}} is on its way, {{1}}."


def template(
    body: str = BODY, header: str = "", example: dict[str, Any] | None = None, named: bool = False
) -> Template:
    parts = [{"type": "BODY", "text": body, "example": example or {}}]
    if header:
        parts.append({"type": "HEADER", "format": "TEXT", "text": header})
    return Template("parcel", "en", "UTILITY", "APPROVED", named, parts)


def sent(one: Template, **values: str) -> dict[str, list[str]]:
    given = {variable.key: values[variable.name] for variable in one.variables}
    components = one.filled(given).raw["components"]
    return {part["type"]: [parameter["text"] for parameter in part["parameters"]] for part in components}


def test_positional_parameters_go_out_by_their_number() -> None:
    one = template(header="For {{2}} and {{1}}")
    assert sent(one, **{"1": "ALICE", "2": "PARCEL9"}) == {"body": ["ALICE", "PARCEL9"], "header": ["ALICE", "PARCEL9"]}
    assert one.filled({v.key: {"1": "ALICE", "2": "P9"}[v.name] for v in one.variables}).words == (
        "Your parcel P9 is on its way, ALICE."
    )


def test_more_than_nine_are_sorted_as_numbers() -> None:
    one = template(" ".join(f"{{{{{n}}}}}" for n in (10, 2, 1, 9, 3, 4, 5, 6, 7, 8)) + ".")
    assert sent(one, **{str(n): f"v{n}" for n in range(1, 11)})["body"] == [f"v{n}" for n in range(1, 11)]


def test_one_used_twice_is_sent_once() -> None:
    assert sent(template("{{2}} {{1}} {{2}}"), **{"1": "a", "2": "b"})["body"] == ["a", "b"]


def test_named_parameters_go_out_unchanged_with_their_names() -> None:
    one = template("{{b}} and {{a}}", named=True)
    (component,) = one.filled({"body-0-b": "B", "body-0-a": "A"}).raw["components"]
    assert [(each["parameter_name"], each["text"]) for each in component["parameters"]] == [("b", "B"), ("a", "A")]


@pytest.mark.parametrize(
    ("body", "examples"),
    [
        ("Hello {{1}}, table {{2}} at {{3}}.", ["Carla", "7", "18:00"]),
        ("At {{3}}: table {{2}} for {{1}}.", ["Carla", "7", "18:00"]),
    ],
)
def test_each_variable_has_its_own_example(body: Any, examples: Any) -> None:
    one = template(body, example={"body_text": [examples]})
    assert [(variable.name, variable.example) for variable in one.variables] == list(zip("123", examples, strict=True))


def test_a_named_variable_has_the_example_of_its_name() -> None:
    example = {"body_text_named_params": [{"param_name": "a", "example": "A"}, {"param_name": "b", "example": "B"}]}
    one = template("{{b}} and {{a}}", example=example, named=True)
    assert [variable.example for variable in one.variables] == ["B", "A"]
