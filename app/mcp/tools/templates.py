"""Templates for assistants: list, preview, and send in two steps."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from pydantic import Field

from app.api import Page, Shape
from app.inbox.api import messages
from app.inbox.api.sending import TemplateMessage, Value
from app.mcp.declaring import READS, SENDS, tool
from app.mcp.sending import Preview, Sent, Token, preview_or_send
from app.message_templates.api import reach, templates
from app.message_templates.api.shapes import PreviewShape, TemplateSchema, TemplateSummary
from app.message_templates.api.templates import PreviewRequest, TemplatesQuery

Variables = Annotated[dict[Annotated[str, Field(max_length=100)], Value], Field(max_length=100)]


class ListTemplates(Shape):
    name: Annotated[str, Field(max_length=512)] | None = Field(None, description="The beginning of the name.")
    language: Annotated[str, Field(max_length=20)] | None = None
    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] | None = None
    phone_number_id: uuid.UUID | None = Field(None, description="Those that this number of yours can send.")
    limit: int = Field(20, ge=1, le=50)
    after: str | None = Field(None, max_length=500, description="The `next` of the answer before.")


@tool("list_templates", ListTemplates, (templates.READ,), READS)
def list_templates(given: ListTemplates) -> Page[TemplateSummary]:
    """List message templates.

    They are what can be sent first, or when the 24-hour reply window has closed. Only those with is_sendable.
    """
    names = ("name", "language", "category", "phone_number_id")
    filters = {f"filter[{name}]": getattr(given, name) for name in names}
    return templates.list_templates(
        TemplatesQuery.model_validate({"limit": given.limit, "after": given.after} | filters)
    )


class PreviewTemplate(PreviewRequest):
    template_id: uuid.UUID


class TemplateWithPreview(Shape):
    preview: PreviewShape
    variables: TemplateSchema = Field(description="The JSON Schema of its variables.")


@tool("preview_template", PreviewTemplate, (templates.READ,), READS)
def preview_template(given: PreviewTemplate) -> TemplateWithPreview:
    """Preview a template with its variables filled in.

    Says which variables it has, which are missing, and with a recipient's number or country what it costs.
    """
    request = PreviewRequest.model_validate(given.model_dump(exclude={"template_id"}))
    preview = templates.preview_template(given.template_id, request)
    return TemplateWithPreview(preview=preview, variables=templates.get_template_schema(given.template_id))


class SendTemplate(Shape):
    """To exactly one of phone, contact_id and conversation_id."""

    template_id: uuid.UUID
    variables: Variables = Field(default_factory=dict, description="By name; preview_template says which there are.")
    phone: Annotated[str, Field(max_length=40)] | None = Field(None, description="With its country code.")
    contact_id: uuid.UUID | None = None
    conversation_id: uuid.UUID | None = None
    name: str = Field("", max_length=200, description="For a phone number that no contact has yet.")
    from_number_id: uuid.UUID | None = Field(None, description="Your number; needed where there are several.")
    preview_token: Token = None


@tool("send_template", SendTemplate, (messages.WRITE,), SENDS)
def send_template(given: SendTemplate) -> Preview | Sent:
    """Send a template to a customer.

    In two steps. Without preview_token nothing is sent: you get a preview of the message, its price, or why it would be
    refused. With the token of that preview and the same arguments it is sent, once. Templates that begin with a file
    can't be sent with this tool.
    """
    template = reach.find_template(given.template_id)
    to = given.model_dump(include={"phone", "contact_id", "conversation_id", "name"})
    part = {"id": template.id, "variables": given.variables}
    wanted = TemplateMessage.model_validate(
        {"type": "template", "to": to, "from": given.from_number_id, "template": part}
    )
    return preview_or_send("send_template", wanted, given, given.preview_token, template.category)
