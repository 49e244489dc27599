"""What Meta refuses when a template is submitted, by this program's own reading of its pages."""

from simulator.template_rules.definition import Definition, check

__all__ = ["Definition", "check"]
