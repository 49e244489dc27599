"""What the desk does after something happened."""

from __future__ import annotations

from app.inbox.conversations import Conversation
from app.tenancy import Happened, subscriber


@subscriber("surveys", "conversation.resolved")
def ask_how_it_went(resolved: list[Happened]) -> None:
    """Asks the customers of conversations that were resolved together. Who was asked lately is not asked again."""
    for one in resolved:
        conversation = Conversation.find(one.subject_id)
        if conversation and conversation.state == "resolved":
            conversation.ask_how_it_went()
