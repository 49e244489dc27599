"""What a customer can choose in a received message, as one numbered list."""

import re
from typing import Any

Option = dict[str, Any]
OTP_ADDRESS = "//www.whatsapp.com/otp/"
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def of_interactive(content: dict[str, Any]) -> list[Option]:
    kind, action = content["type"], content.get("action", {})
    single: dict[str, Option] = {
        "location_request_message": {"kind": "location", "label": "Send location"},
        "request_contact_info": {"kind": "contact", "label": "Share phone number"},
        "call_permission_request": {"kind": "permission", "label": "Allow calls"},
        "address_message": {"kind": "flow", "name": "address_message", "label": "Provide address"},
        "catalog_message": {"kind": "order", "label": "View catalog", "catalog_id": "", "products": ["catalog-item"]},
    }
    match kind:
        case "button":
            return [_of_button(button) for button in action["buttons"]]
        case "list":
            return [_row(row, section) for section in action["sections"] for row in section["rows"]]
        case "cta_url":
            return [_link(action["parameters"])]
        case "flow":
            return [_flow(action["parameters"])]
        case "product" | "product_list":
            return [_order(action)]
        case "carousel":
            return [option for card in action["cards"] for option in _of_card(card)]
        case "voice_call":
            return [{"kind": "call", "label": action.get("parameters", {}).get("display_text", "Call now")}]
    return [single[kind]]


def of_template_button(button: dict[str, Any], parameters: list[dict[str, Any]]) -> Option:
    """The option of a template's button, with the parameters of this send."""
    given = parameters[0] if parameters else {}
    label = button.get("text", "")
    match button["type"]:
        case "QUICK_REPLY":
            return {"kind": "quick", "label": label, "payload": given.get("payload", label)}
        case "URL" if OTP_ADDRESS in str(button.get("url")):
            return {"kind": "copy", "label": label or "Copy code", "code": given.get("text", "")}
        case "URL":
            url = VARIABLE.sub(lambda _: str(given.get("text", "")), str(button.get("url", "")))
            return {"kind": "url", "label": label, "url": url}
        case "PHONE_NUMBER":
            return {"kind": "call", "label": label, "phone": button.get("phone_number", "")}
        case "COPY_CODE" | "OTP":
            code = given.get("coupon_code") or given.get("text", "")
            return {"kind": "copy", "label": label or "Copy code", "code": code}
        case "FLOW":
            action = given.get("action") or {}
            return {
                "kind": "flow",
                "name": "flow",
                "label": label,
                "flow_token": action.get("flow_token", "unused"),
                "flow_id": button.get("flow_id"),
                "flow_name": button.get("flow_name"),
                "flow_action": str(button.get("flow_action") or "navigate").lower(),
                "screen": button.get("navigate_screen"),
                "data": action.get("flow_action_data"),
            }
        case "REQUEST_CONTACT_INFO":
            return {"kind": "contact", "label": "Share phone number"}
        case "CATALOG" | "MPM" | "SPM":
            return {"kind": "order", "label": label or "View items", "catalog_id": "", "products": ["catalog-item"]}
    return {"kind": "call", "label": label or button["type"].replace("_", " ").capitalize()}


def _of_button(button: dict[str, Any]) -> Option:
    return _link(button["cta_url"]) if button["type"] == "cta_url" else _reply(button["reply"])


def _reply(reply: dict[str, Any]) -> Option:
    return {"kind": "reply", "label": reply["title"], "id": reply["id"]}


def _row(row: dict[str, Any], section: dict[str, Any]) -> Option:
    return {
        "kind": "row",
        "label": row["title"],
        "id": row["id"],
        "description": row.get("description"),
        "section": section.get("title"),
    }


def _link(parameters: dict[str, Any]) -> Option:
    return {"kind": "url", "label": parameters["display_text"], "url": parameters["url"]}


def _flow(parameters: dict[str, Any]) -> Option:
    first = parameters.get("flow_action_payload") or {}
    return {
        "kind": "flow",
        "name": "flow",
        "label": parameters["flow_cta"],
        "flow_token": parameters.get("flow_token", "unused"),
        "flow_id": parameters.get("flow_id"),
        "flow_name": parameters.get("flow_name"),
        "flow_action": parameters.get("flow_action", "navigate"),
        "screen": first.get("screen"),
        "data": first.get("data"),
    }


def _order(action: dict[str, Any]) -> Option:
    sections = action.get("sections", [])
    products = [item["product_retailer_id"] for section in sections for item in section["product_items"]]
    return {
        "kind": "order",
        "label": "View items" if products else "View",
        "catalog_id": action["catalog_id"],
        "products": products or [action["product_retailer_id"]],
    }


def _of_card(card: dict[str, Any]) -> list[Option]:
    action, at = card["action"], card["card_index"]
    if "buttons" in action:
        return [_reply(button["quick_reply"]) | {"card": at} for button in action["buttons"]]
    if "product_retailer_id" in action:
        return [_order(action) | {"card": at}]
    return [_link(action["parameters"]) | {"card": at}]
