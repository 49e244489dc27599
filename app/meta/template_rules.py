"""Meta's rules for a template's definition, checked before it is submitted."""

from __future__ import annotations

from .message_templates import Template
from .template_problems import Problem

__all__ = ["Problem", "problems_of"]


def problems_of(template: Template) -> list[Problem]:
    """All that Meta would refuse, and what it may refuse (`is_warning`)."""
    raise NotImplementedError
