"""Checks the shape of a template send; filling checks whether it fits the template."""

from simulator.graph.contents.part import Part

COMPONENTS = (
    "header",
    "body",
    "footer",
    "button",
    "carousel",
    "limited_time_offer",
    "tap_target_configuration",
    "order_status",
)
OBJECTS = (
    "image",
    "video",
    "document",
    "gif",
    "location",
    "product",
    "currency",
    "date_time",
    "limited_time_offer",
    "action",
)


def template(given: Part) -> None:
    given.only("name", "language", "components", "namespace")
    given.text("name", 512)
    language = given.part("language")
    language.text("code", 20)
    if "components" in given:
        for component in given.parts("components", 0, 30):
            _component(component)


def _component(component: Part) -> None:
    component.value["type"] = str(component.require("type")).lower()
    if component.choice("type", COMPONENTS) == "button":
        component.require("sub_type")
        component.require("index")
    if "cards" in component:
        for card in component.parts("cards", 0, 10):
            for part in card.parts("components", 0, 10) if "components" in card else []:
                _component(part)
    if "parameters" in component:
        for parameter in component.parts("parameters", 0, 100):
            _parameter(parameter)


def _parameter(parameter: Part) -> None:
    """What belongs to the type is an object, unless it is a text."""
    kind = parameter.require("type")
    for name in OBJECTS:
        if name in parameter and (name == kind or name == "action"):
            parameter.part(name)
