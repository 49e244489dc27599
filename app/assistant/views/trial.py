"""A conversation with the draft that no one gets: the same engine, without sending."""

from __future__ import annotations

import json
from typing import Any

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.access import ModelAccess
from app.assistant.assistant import Assistant, first_setup
from app.assistant.blueprint import bp
from app.assistant.engine import Situation, decide
from app.assistant.forms import TrialForm
from app.assistant.gate import is_over_budget
from app.assistant.prompt import Line
from app.assistant.toolbox import Switched
from app.assistant.turns import AssistantTurn
from app.assistant.words import PROBLEMS, REASONS
from app.tenancy import commit, requires

from .overview import Answer

LONGEST_TALK, LONGEST_LINE = 20, 4_000


@bp.get("/trial")
@requires("assistant.manage")
def trial() -> str:
    return trial_page(TrialForm(formdata=None), [])


@bp.post("/trial")
@requires("assistant.manage")
def try_out() -> Answer | AnyResponse:
    if "again" in request.form:
        return redirect(url_for(".trial"), 303)
    form, transcript = TrialForm(), read_talk(request.form.get("talk", ""))
    if not form.validate():
        return trial_page(form, transcript), 422
    transcript.append({"from": "customer", "text": form.words.data})
    turn = answer_in_trial(transcript)
    if turn.reply:
        transcript.append({"from": "assistant", "text": turn.reply})
    form.words.data = ""
    return trial_page(form, transcript, turn)


def answer_in_trial(transcript: list[dict[str, str]]) -> AssistantTurn:
    """What the draft would do. The conversation travels with the page: nothing of it is stored but the decision."""
    assistant, access = Assistant.get_or_make(), ModelAccess.usable()
    version = assistant.draft
    setup = version.setup if version else first_setup(g.tenant.name)
    lines = tuple(Line(one["from"], one["text"]) for one in transcript)
    last = len(lines)
    while last and lines[last - 1].who == "customer":
        last -= 1
    situation = Situation(
        setup=setup,
        business=g.tenant.name,
        questions=tuple(line.words for line in lines[last:]),
        lines=lines,
        before=tuple(line.words for line in lines[:last] if line.who == "customer"),
    )
    over = is_over_budget(setup)
    tools = Switched.of(setup, contact_id=None, turn_id=None, pretends=True)
    endpoint = access.endpoint(setup.model) if access and not over else None
    commit()
    decision = decide(situation, endpoint, tools)
    commit()
    turn = AssistantTurn.begin("trial", mode="off", version_id=version.id if version else None)
    turn.question = "\n".join(situation.questions)
    turn.record(decision, access.price if access else None, endpoint.model if endpoint else "")
    if over and turn.reason == "no_model":
        turn.reason = over
    turn.finish("tried")
    return turn


def read_talk(written: str) -> list[dict[str, str]]:
    """The conversation so far, as the page sent it back."""
    try:
        value: Any = json.loads(written[: LONGEST_TALK * LONGEST_LINE]) if written else []
    except (ValueError, RecursionError):
        return []
    lines = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return [
        {
            "from": "assistant" if one.get("from") == "assistant" else "customer",
            "text": str(one.get("text"))[:LONGEST_LINE],
        }
        for one in lines[-LONGEST_TALK:]
    ]


def trial_page(form: TrialForm, transcript: list[dict[str, str]], turn: AssistantTurn | None = None) -> str:
    return render_template(
        "assistant/trial.html",
        form=form,
        transcript=transcript,
        talk=json.dumps(transcript),
        turn=turn,
        reasons=REASONS,
        problems=PROBLEMS,
        has_model=ModelAccess.current() is not None,
    )
