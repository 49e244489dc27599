"""The link previews below the messages of a thread; missing ones are fetched."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.inbox_settings import InboxSettings
from app.inbox.files.link_previews import LinkPreview
from app.tenancy import later

from .markup import address, links_of

# So many are asked for by one page.
MOST_LINKS = 5
LONGEST_LINK = 2_000


def previews_of(conversation: Conversation, messages: Sequence[Message]) -> dict[uuid.UUID, LinkPreview]:
    """By message. Nothing is fetched for spam, or where the business turned previews off."""
    if conversation.state in ("spam", "blocked"):
        return {}
    links = {message.id: link for message in messages if (link := first_link(message))}
    if not links or not InboxSettings.current().previews_links:
        return {}
    previews = LinkPreview.by_url(links.values())
    missing = [link for link in dict.fromkeys(links.values()) if link not in previews or previews[link].is_lost]
    for link in missing[-MOST_LINKS:]:
        later("desk.preview_link", LinkPreview.ask(link), conversation.id)
    return {id: previews[link] for id, link in links.items() if link in previews and previews[link].state == "shown"}


def first_link(message: Message) -> str:
    """The first link of a text that is shown."""
    if message.shape != "text":
        return ""
    span = next(links_of(message.words), None)
    link = address(message.words[slice(*span)]) if span else ""
    return link if len(link) <= LONGEST_LINK else ""
