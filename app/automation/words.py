"""What pages call states, results and reasons."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.inbox.conversations.gate import AS_ERROR
from app.templating import translate
from app.tenancy import db
from app.words import N_

from .models import Automation, AutomationStep, AutomationVersion
from .parts import Names, Trigger

STATES = {
    "running": (N_("Running"), "info"),
    "waiting": (N_("Waiting"), "info"),
    "done": (N_("Done"), "success"),
    "stopped": (N_("Stopped"), "warning"),
    "failed": (N_("Failed"), "error"),
}
REASONS = {
    "with_person": N_("A person took over the conversation."),
    "with_other_app": N_("Meta's agent or another app took over the conversation."),
    "paused": N_("Automation was stopped in this conversation."),
    "automation_paused": N_("Automation was stopped in this conversation."),
    "resolved": N_("The conversation was resolved."),
    "limit": N_("The customer had as many automatic messages as one may get in an hour."),
    "loop": N_("The customer's replies looked automatic."),
    "replaced": N_("Another automation asked the customer something."),
    "removed": N_("The automation was deleted."),
    "changed": N_("The step it was at no longer exists."),
    "by_hand": N_("Somebody ended it."),
    "by_automation": N_("Another automation stopped it."),
    "handed_over": N_("It handed over to people."),
    "assistant": N_("It handed over to the assistant."),
    "end": N_("It came to a step that ends it."),
    "error": N_("An error in Switchboard ended it. It was reported."),
}
RESULTS = {
    "done": N_("Done"),
    "sent": N_("Sent"),
    "refused": N_("Not done"),
    "left_out": N_("Not sent"),
    "limit": N_("Not sent"),
    "unchanged": N_("Nothing to change"),
    "yes": N_("Yes"),
    "no": N_("No"),
    "waiting": N_("Waits"),
    "asked": N_("Asked"),
    "asked_again": N_("The answer didn't fit; asked again"),
    "answered": N_("Answered"),
    "no_answer": N_("No answer in time"),
    "not_understood": N_("No answer that fits"),
    "replied": N_("The customer replied"),
    "silent": N_("No reply in time"),
    "over": N_("The wait is over"),
    "open": N_("It is business hours already"),
    "calling": N_("Calling"),
    "would_call": N_("Would be called (a test makes no calls)"),
    "failed": N_("Failed"),
    "error": N_("Error"),
}
WHY = {
    "begun": N_("It ran."),
    "reply": N_("The message was the reply that a run waited for."),
    "trigger": N_("It begins with something else."),
    "condition": N_("A condition didn't hold:"),
    "stopped_before": N_("An automation before it ran, and stops here."),
    "with_person": N_("A person has the conversation."),
    "with_other_app": N_("Meta's agent or another app answers this customer."),
    "paused": N_("Automation is stopped for this conversation or its number."),
    "repeated": N_("It has run for this customer already."),
    "limit": N_("The customer had as many automatic messages as one may get in an hour."),
    "often": N_("It began too often here within ten minutes, as automations do that begin each other."),
    "own": N_("It did this itself, so it doesn't begin with it."),
    "once": N_("It had begun with this already."),
    "read": N_("It answers a reminder of an appointment or the like, which replies by itself."),
    "too_old": N_("The message arrived more than an hour late."),
    "loop": N_("The customer's replies look automatic, so automation was stopped in this conversation."),
}


def explain_decision(decision: dict[str, Any], names: Names) -> str:
    """Why an automation began, or did not, in a sentence."""
    words = str(_(WHY.get(str(decision.get("why")), N_("Unknown"))))
    if decision.get("why") == "condition":
        version = AutomationVersion.find(decision.get("version"))
        definition = decision.get("definition") or (version and version.definition)
        condition = definition.conditions.at(str(decision.get("path", ""))) if definition else None
        words = f"{words} {condition.sentence(names)}." if condition else words
    seen = str(decision.get("seen") or "")
    if decision.get("why") == "stopped_before":
        return f"{words} ({seen})"
    if decision.get("why") in ("condition", "trigger"):
        return f"{words} {_('Seen: “%(seen)s”', seen=seen)}" if seen else words
    return words


def explain_result(step: AutomationStep, names: Names) -> str:
    """What a step did, with the words of what refused it."""
    return explain_outcome(step.result, step.words, step.seen)


def explain_outcome(result: str, words: str, seen: dict[str, Any]) -> str:
    in_words = str(_(RESULTS.get(result, result)))
    refusal = seen.get("refusal")
    if words:
        return f"{in_words}. {_(words).format_map(Seen(seen))}"
    if refusal in AS_ERROR:
        return f"{in_words}. {_(AS_ERROR[refusal]['title'])}"
    return in_words


class Seen(dict[str, Any]):
    """Facts that words may name; one that is missing is shown as “…”."""

    def __missing__(self, key: str) -> str:
        return "…"


def happening_title(kind: str) -> str:
    """What happened, in the words of the trigger that begins with it; its name where none does."""
    titles = (trigger.title for trigger in Trigger.registry.values() if kind in trigger.happenings)
    return translate(next(titles, "")) or kind


def names_of_automations(decisions: list[dict[str, Any]]) -> dict[str, str]:
    ids = {str(one["automation"]) for one in decisions if one.get("automation")}
    query = select(Automation).where(Automation.id.in_(ids))
    return {str(one.id): one.name for one in db.session.scalars(query)} if ids else {}
