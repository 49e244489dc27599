"""Variables in texts that customers read, such as {{first_name}}, and what takes their place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection

from flask_babel import gettext as _

from app.words import N_

# What can be named in any text to a customer; automations know more.
VARIABLES = ("name", "first_name", "phone", "agent", "agent_first_name", "business", "our_number")
UNKNOWN = N_("%(variable)s can't be filled in here. You can use %(variables)s.")
MISSPELT = N_("%(variable)s can't be filled in here. Did you mean %(likely)s?")
BRACES = N_("Customers would read these braces. Write a variable as {{first_name}} or {{first_name|there}}.")
# {{first_name}}, or {{first_name|there}}: what is said where it is not known. With the comma and space before it.
# Possessive: with a thousand spaces and no end it would be looked for from each of them, for seconds.
VARIABLE = re.compile(r"(,?)([ ]?)\{\{\s*+([\w.\-]++(?: ++[\w.\-]++)*+)\s*+(?:\|([^{}]*+))?\}\}")
# What ends the words before it: “Hello, !” is not written.
ENDING = tuple(".,;:!?…)\n،؛؟")


def filled_or_visible(words: str, value_of: Callable[[str], str | None]) -> str:
    """For a text that a person reads before it goes out: a variable without value and fallback stays visible."""
    return VARIABLE.sub(lambda found: with_value(found, value_in(found, value_of)) or found[0], words)


def filled(words: str, value_of: Callable[[str], str | None]) -> str:
    """For a text that goes out by itself: a variable without value and fallback is left out."""
    rest = VARIABLE.sub(lambda found: with_value(found, value_in(found, value_of)) or left_out(found), words)
    return rest.lstrip(" ,،") if words.startswith("{{") else rest


def with_value(found: re.Match[str], value: str) -> str:
    return f"{found[1]}{found[2]}{value}" if value else ""


def left_out(found: re.Match[str]) -> str:
    """Nothing, but the comma that belongs to the words around it."""
    is_last = found.end() == len(found.string) or found.string.startswith(ENDING, found.end())
    return "" if is_last else found[1]


def value_in(found: re.Match[str], value_of: Callable[[str], str | None]) -> str:
    return value_of(found[3]) or (found[4] or "").strip()


def names_in(words: str) -> list[str]:
    """The variables of a text, in order."""
    return [found[3] for found in VARIABLE.finditer(words)]


def has_other_braces(words: str) -> bool:
    """Whether there are braces that are no variable, which customers would read."""
    return "{{" in VARIABLE.sub("", words)


def problem_in(words: str, fillable: Collection[str] = VARIABLES) -> str:
    """Why customers would read braces, or nothing, instead of a value; "" where they would not."""
    if unknown := next((name for name in names_in(words) if name not in fillable), ""):
        return unknown_variable(unknown, fillable)
    return str(_(BRACES)) if has_other_braces(words) else ""


def unknown_variable(name: str, fillable: Collection[str], listed: Collection[str] = VARIABLES) -> str:
    """That a variable is none, and which one was likely meant, else which there are."""
    if likely := difflib.get_close_matches(name, fillable, 1):
        return str(_(MISSPELT, variable=written(name), likely=written(likely[0])))
    return str(_(UNKNOWN, variable=written(name), variables=", ".join(map(written, listed))))


def written(name: str) -> str:
    return f"{{{{{name}}}}}"
