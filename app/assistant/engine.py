"""Decides what to say to a customer: the same for a live turn, a trial and a golden conversation. Sends nothing.

First what needs no model: words that call for people, greetings, thanks, and questions that the knowledge does not
answer. Then the model, once more for each round of tools, and then the guard.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from app.languages import detect
from app.tenancy import commit

from . import guard, phrases, prompt
from .assistant import Setup
from .embedding import Question, question_of
from .lookups import LOOKUP
from .prices import Price
from .prompt import Line, ToolSpec
from .providers.calling import complete
from .providers.completion import NOTHING, Completion, Endpoint, ModelError, ToolCall, Usage
from .retrieval import Match, find
from .terms import terms_of

# A model may call tools and look at what came back so often before it has to answer.
MOST_ROUNDS = 2
# How the names of tools begin that call another program.
ACTION = "action_"


class Toolbox(Protocol):
    """The tools of one turn."""

    @property
    def specs(self) -> Sequence[ToolSpec]: ...

    def fetch(self, call: ToolCall) -> dict[str, Any] | None:
        """Runs a tool whose result the model has to see, with no transaction open. None for all others."""

    def accepts(self, call: ToolCall) -> bool:
        """Whether a call is of a tool that is switched on, with arguments that fit."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision depends on. `questions` are the customer's messages since the last answer."""

    setup: Setup
    business: str
    questions: tuple[str, ...]
    lines: tuple[Line, ...] = ()
    contact: dict[str, str] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    # What the customer wrote before, for a question that goes on (“and on Sunday?”).
    before: tuple[str, ...] = ()
    language: str = ""
    tapped_person: bool = False
    # How often in a row it has asked back instead of answering.
    asked_back: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is a key of `words.REASONS`: why it does not answer. `calls` are tools to be run with the answer."""

    action: str
    reply: str = ""
    reason: str = ""
    language: str = ""
    passages: tuple[Match, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    refused_calls: int = 0
    usage: Usage = NOTHING
    # What the model wrote that was not sent.
    withheld: str = ""
    problem: str = ""
    milliseconds: int = 0
    used_model: bool = False
    # What turning the question into a vector cost, in micro-dollars.
    embedding_cost: int = 0

    def cost(self, price: Price | None) -> int | None:
        if not self.used_model:
            return self.embedding_cost
        return price.of(self.usage.input, self.usage.output) + self.embedding_cost if price else None


def decide(situation: Situation, endpoint: Endpoint | None, toolbox: Toolbox) -> Decision:
    """Reads in a transaction, commits, and asks the model without one. Raises nothing that a provider can cause."""
    began = time.monotonic()
    made = without_model(situation)
    if made is None:
        question = question_of(situation.questions)
        passages = passages_for(situation, question)
        specs = toolbox.specs
        if not passages and not is_about_tools(situation, specs):
            made = Decision("hand_over", reason="nothing_found")
        elif endpoint is None:
            made = Decision("hand_over", reason="no_model", passages=tuple(passages))
        else:
            commit()
            made = with_model(situation, endpoint, toolbox, passages)
        made = replace(made, embedding_cost=question.cost if question else 0)
    language = made.language or language_of(situation)
    return replace(made, language=language, milliseconds=round((time.monotonic() - began) * 1000))


def language_of(situation: Situation) -> str:
    """The language to answer in: of the last message where that is clear, else the one so far."""
    code = detect(" ".join(situation.questions)) or situation.language
    return situation.setup.language_for(code)


def without_model(situation: Situation) -> Decision | None:
    """What is clear from the customer's words alone."""
    text = "\n".join(situation.questions)
    if situation.tapped_person:
        return Decision("hand_over", reason="asked_for_person")
    if why := phrases.why_people(text, situation.setup.topics):
        return Decision("hand_over", reason=why)
    if phrases.is_thanks(text):
        return Decision("stay_silent", reason="nothing_asked")
    if phrases.is_greeting(text):
        greeting = phrases.in_language({}, phrases.GREETINGS, language_of(situation))
        return Decision("ask", reply=greeting, reason="greeting")
    return None


def passages_for(situation: Situation, question: Question | None) -> list[Match]:
    """What fits the question; where that is nothing, what fits together with what was asked before."""
    if matches := find(situation.questions, question=question):
        return matches
    return find([*situation.before[-2:], *situation.questions]) if situation.before else []


def is_about_tools(situation: Situation, specs: Sequence[ToolSpec]) -> bool:
    """Whether a tool that looks something up fits what was asked, where no passage does."""
    from_tools = [spec for spec in specs if spec.name.startswith((ACTION, LOOKUP))]
    customer_question = {term for words in situation.questions for term in terms_of(words)}
    return any(customer_question & {*terms_of(f"{spec.description} {spec.about}")} for spec in from_tools)


def with_model(situation: Situation, endpoint: Endpoint, toolbox: Toolbox, passages: list[Match]) -> Decision:
    language = language_of(situation)
    system = prompt.rules(situation.setup, situation.business, language, toolbox.specs)
    results: list[dict[str, Any]] = []
    calls: list[ToolCall] = []
    usage, refused = Usage(), 0
    for _round in range(MOST_ROUNDS + 1):
        customer_question = prompt.build(system, situation.setup, situation.lines, passages, situation.contact, results)
        try:
            completion = complete(endpoint, customer_question)
        except ModelError as error:
            spent = usage + error.usage
            return Decision(
                "hand_over",
                reason="model_away",
                problem=error.problem,
                usage=spent,
                used_model=True,
                passages=tuple(passages),
                refused_calls=refused,
            )
        usage += completion.usage
        accepted = [call for call in completion.tool_calls if toolbox.accepts(call)]
        refused += len(completion.tool_calls) - len(accepted)
        new = [call for call in accepted if call not in calls]
        fetched = [result for call in new if (result := toolbox.fetch(call)) is not None]
        calls += new
        results += fetched
        if not fetched:
            break
    made = Decision(
        completion.action,
        language=language,
        passages=used(passages, completion),
        usage=usage,
        calls=tuple(calls),
        refused_calls=refused,
        used_model=True,
    )
    return guarded(made, completion, situation, system, passages, results)


def used(passages: Sequence[Match], completion: Completion) -> tuple[Match, ...]:
    """The passages that the model says it used; all of them where it names none of ours."""
    named = tuple(one for one in passages if one.key in completion.sources)
    return named or tuple(passages)


def answers_in(results: Sequence[dict[str, Any]], calls: Sequence[ToolCall]) -> list[str]:
    """What programs said by themselves, which is as good as knowledge."""
    arguments = [str(value) for call in calls for value in call.arguments.values()]
    return [guard.apart_from(str(result.get("answer", "")), arguments) for result in results]


def guarded(
    made: Decision,
    completion: Completion,
    situation: Situation,
    system: str,
    passages: Sequence[Match],
    results: Sequence[dict[str, Any]],
) -> Decision:
    """The decision as far as it may go out. What the guard refuses becomes a hand-over."""
    if completion.action == "hand_over":
        return replace(made, reason="model_hands_over")
    if completion.action == "stay_silent":
        return replace(made, reason="model_is_silent")
    if completion.action == "ask" and situation.asked_back >= 2:
        return replace(made, action="hand_over", reason="asked_twice", withheld=completion.reply)
    reply = guard.as_whatsapp(completion.reply)
    allowed = guard.Allowed(
        passages=(*(one.text for one in passages), *answers_in(results, made.calls)),
        own=situation.own,
        hosts=frozenset(host.casefold().removeprefix("www.") for host in situation.setup.hosts),
        secret=system,
        language=made.language,
    )
    if problem := guard.problem_of(reply, allowed):
        return replace(made, action="hand_over", reason=problem, withheld=reply[: guard.MOST_LETTERS], calls=())
    return replace(made, reply=reply)
