"""The catalogues and flows that a message refers to must exist and belong to the account of the number."""

from typing import Any

from simulator.catalogs import Catalog
from simulator.errors import GraphError
from simulator.flows import Flow
from simulator.wabas import Waba

Json = dict[str, Any]
COMMERCE_BUTTONS = ("CATALOG", "MPM", "SPM")


def check_interactive(waba: Waba, content: Json) -> None:
    """Raises 131009, or 132068 and 132069 for a flow that is blocked or throttled."""
    action = content.get("action", {})
    match content["type"]:
        case "product" | "product_list":
            _check_products(waba, action)
        case "catalog_message":
            _check_catalogue_message(waba, action)
        case "carousel":
            for card in action["cards"]:
                if "product_retailer_id" in card["action"]:
                    _check_products(waba, card["action"])
        case "flow":
            _check_flow(waba, action["parameters"])


def check_template(waba: Waba, components: list[Json]) -> None:
    """A template with a button that opens the catalogue needs one, and the flow of a button must be published."""
    buttons = [button for part in components for button in part.get("buttons", [])]
    for button in buttons:
        if button["type"] == "FLOW" and ("flow_id" in button or "flow_name" in button):
            _check_flow(waba, {name: button[name] for name in ("flow_id", "flow_name") if button.get(name)})
    if any(button["type"] in COMMERCE_BUTTONS for button in buttons) and not Catalog.of_waba(waba):
        raise GraphError(131009, "No catalog is connected to the WhatsApp Business Account.")


def _check_products(waba: Waba, action: Json) -> None:
    catalog = Catalog.find(waba.world, str(action["catalog_id"]))
    if catalog is None or catalog.waba_id != waba.id:
        details = f"Catalog {action['catalog_id']} is not connected to the WhatsApp Business Account."
        raise GraphError(131009, details)
    sections = action.get("sections", [])
    products = [item["product_retailer_id"] for section in sections for item in section["product_items"]]
    for product in products or [action["product_retailer_id"]]:
        _check_product(catalog, product)


def _check_catalogue_message(waba: Waba, action: Json) -> None:
    catalogs = Catalog.of_waba(waba)
    if not catalogs:
        raise GraphError(131009, "No catalog is connected to the WhatsApp Business Account.")
    parameters = action.get("parameters") or {}
    if thumbnail := parameters.get("thumbnail_product_retailer_id"):
        _check_product(catalogs[0], thumbnail)


def _check_product(catalog: Catalog, retailer_id: str) -> None:
    if not catalog.has_product(str(retailer_id)):
        raise GraphError(131009, f"Product {retailer_id} does not exist in catalog {catalog.id}.")


def _check_flow(waba: Waba, parameters: Json) -> None:
    flow = Flow.find(waba.world, str(parameters["flow_id"])) if "flow_id" in parameters else None
    if "flow_name" in parameters:
        flow = Flow.by_name(waba, str(parameters["flow_name"]))
    if flow is None or flow.waba_id != waba.id:
        raise GraphError(131009, "The flow does not exist in the WhatsApp Business Account.")
    if flow.status == "BLOCKED":
        raise GraphError(132068, "The flow is blocked.")
    if flow.status == "THROTTLED":
        raise GraphError(132069, "The flow is throttled and has been sent too often in the last hour.")
    wanted = "DRAFT" if parameters.get("mode") == "draft" else "PUBLISHED"
    if flow.status != wanted:
        raise GraphError(131009, f"The flow is in status {flow.status}, but the message needs {wanted}.")
