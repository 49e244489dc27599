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
    if "parameters" in component:
        for parameter in component.parts("parameters", 0, 100):
            parameter.require("type")
