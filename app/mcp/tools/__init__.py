"""What assistants can do, each with what the API does already."""

from . import contacts, conversations, numbers, stories, templates

__all__ = ["contacts", "conversations", "numbers", "stories", "templates"]
