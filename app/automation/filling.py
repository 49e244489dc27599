"""The variables that the texts of an automation name, against the values that it has when it comes to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence

from flask_babel import gettext as _

from app.inbox.conversations.about import SUBJECT_VALUES
from app.variables import BRACES, VARIABLES, has_other_braces, names_in, unknown_variable, written
from app.words import N_

from .conditions import Group
from .parts import Names, Step, Trigger

# In every automation, beside the fields of contacts.
ALWAYS = (*VARIABLES, *(f"subject.{name}" for name in SUBJECT_VALUES))
LISTED = (*VARIABLES, "answer", "subject.title")
PLAIN = N_("Variables aren't filled in here, so customers would read %(variable)s. Write the words themselves.")
LATER = N_("%(variable)s isn't known yet at this step. Move the step that finds it out above this one.")
ELSEWHERE = N_("%(variable)s can't be filled in: only an automation that begins with “%(trigger)s” has it.")
NEVER_SO = N_("A condition looks at “%(name)s”, which this automation never has.")

# The words of a trouble, the step where it is, and whether it blocks.
Found = tuple[str, uuid.UUID | None, bool]


def variable_troubles(trigger: Trigger, conditions: Group, steps: Sequence[Step], names: Names) -> Iterator[Found]:
    """What can't be filled in, or not always. `steps` are all steps in the order in which one reads them."""
    made = [(*trigger.values,), *(one.values_made() for one in steps)]
    fillable = {*ALWAYS, *trigger.values, *(name.casefold() for name in names.all("fields").values())}
    for name in values_read(conditions):
        if name not in fillable and not trigger.more_values:
            yield str(_(NEVER_SO, name=name)), None, False
    for place, step in enumerate(steps):
        later = {name for ones in made[place + 1 :] for name in ones}
        if found := trouble_of(step, trigger, fillable, later):
            yield found
        fillable |= {*step.values_made()}


def values_read(conditions: Group) -> Iterator[str]:
    for one in conditions.walk():
        yield from one.values_read()


def trouble_of(step: Step, trigger: Trigger, fillable: set[str], later: set[str]) -> Found | None:
    """The first of a step; one that can't be filled in comes before one that may be."""
    texts = list(step.texts())
    for text, is_filled in texts:
        if has_other_braces(text):
            return str(_(BRACES)), step.id, True
        for name in names_in(text):
            if not is_filled:
                return str(_(PLAIN, variable=written(name))), step.id, True
            if not has(fillable, name) and not trigger.more_values:
                return reason(name, fillable, later), step.id, True
    for name in (*(name for text, _is_filled in texts for name in names_in(text)), *read_by(step)):
        if not has(fillable, name):
            words = trigger.more_values or NEVER_SO
            return str(_(words, variable=written(name), name=name)), step.id, False
    return None


def read_by(step: Step) -> Iterable[str]:
    """The values that its own conditions look at."""
    conditions = getattr(step, "conditions", None)
    return values_read(conditions) if isinstance(conditions, Group) else ()


def has(fillable: set[str], name: str) -> bool:
    """Values are named as they are written; fields in capitals or not."""
    return name in fillable or name.casefold() in fillable


def reason(name: str, fillable: set[str], later: set[str]) -> str:
    """Why a variable has no value here."""
    if name in later:
        return str(_(LATER, variable=written(name)))
    begins = next((one.title for one in Trigger.registry.values() if name in one.values), "")
    if begins:
        return str(_(ELSEWHERE, variable=written(name), trigger=_(begins)))
    return unknown_variable(name, sorted(fillable), LISTED)
