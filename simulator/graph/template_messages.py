"""A message from a template: whether it may be sent, and whether its parameters fit."""

from typing import Any

from simulator import filling, template_magic
from simulator.errors import GraphError
from simulator.graph.call import Call
from simulator.graph.contents import references
from simulator.message_templates import MessageTemplate
from simulator.phone_numbers import PhoneNumber


def fill(call: Call, number: PhoneNumber, content: dict[str, Any]) -> tuple[dict[str, Any], str, MessageTemplate]:
    """What the customer sees, the pricing category and the template, or Meta's error."""
    name, language = content["name"], content["language"]["code"]
    template = MessageTemplate.sendable(call.world, number.waba_id, name, language)
    _check_policy(number, template)
    shown = filling.fill(template, content.get("components") or [])
    references.check_template(number.waba, template.parts)
    if template.category == "AUTHENTICATION" and not call.params.get("to"):
        raise GraphError(131062, "Authentication templates need a phone number.")
    return shown, template.category.lower(), template


def _check_policy(number: PhoneNumber, template: MessageTemplate) -> None:
    """What Meta does not let through whatever the parameters are."""
    ending = template_magic.ending_of(template.name)
    if ending == "_policy":
        raise GraphError(132007, "Template content violates a WhatsApp policy.")
    if ending == "_misused" or (template.category == "UTILITY" and number.waba.is_utility_restricted):
        raise GraphError(131064, "The account has reached its limit because of template classification violations.")
    if template.category == "MARKETING" and not number.waba.marketing_on_cloud_api:
        raise GraphError(131063, "Marketing templates are disabled on Cloud API for this account.")
