"""Stories for assistants: what became of a message, and why."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import Field, model_validator
from werkzeug.exceptions import NotFound

from app.api import Shape
from app.inbox.api import messages
from app.inbox.api.messages import MessagesQuery
from app.mcp.declaring import READS, tool
from app.stories import api as stories
from app.stories.api import StoryShape


class ExplainMessage(Shape):
    """By one of these."""

    message_id: uuid.UUID | None = None
    wamid: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(None, description="Meta's id.")

    @model_validator(mode="after")
    def check_one(self) -> ExplainMessage:
        if (self.message_id is None) == (self.wamid is None):
            raise ValueError("Give message_id or wamid.")
        return self


@tool("explain_message", ExplainMessage, (messages.READ,), READS)
def explain_message(given: ExplainMessage) -> StoryShape:
    """Explain what became of a message.

    Whether it arrived, why not, what to do, and each try at sending it.
    """
    if given.message_id:
        return stories.get_message_story(given.message_id)
    page = messages.list_messages(MessagesQuery.model_validate({"filter[wamid]": given.wamid, "limit": 1}))
    if not page.data:
        raise NotFound
    return stories.get_message_story(page.data[0].id)
