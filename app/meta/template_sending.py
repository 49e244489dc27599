"""Checks what is sent with a template against its approved definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .message_templates import Template
from .template_problems import Problem


def problems_of_sending(template: Template, raw: Mapping[str, Any], *, files_follow: bool = False) -> list[Problem]:
    """What Meta would refuse in a message's `template` object; `files_follow` accepts empty places for files."""
    raise NotImplementedError


def with_files(raw: Mapping[str, Any], file_ids: Sequence[str]) -> dict[str, Any]:
    """The payload with Meta's ids in its empty places for files, in the order of `Template.files`."""
    raise NotImplementedError
