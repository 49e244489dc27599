"""Takes a run on, step by step: each in a transaction of its own, together with what is recorded of it.

A worker that dies between two steps, or within one, leaves the run as it was before that step; a sweep finds it. What a
step sends has an id made of the run and the step, so it is sent once. Only a call to another program is made without a
transaction: the run is marked before it, and one that was interrupted is not repeated.
"""

from __future__ import annotations

import uuid

import structlog
from sqlalchemy import select

from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.tenancy import Actor, commit, db, later, now
from app.words import N_

from .calling import INTERRUPTED, Answer, Call, Http
from .models import LEASE, Automation, AutomationRun, AutomationStep
from .parts import Step
from .turns import Outcome, Turn

log = structlog.get_logger()

MOST_STEPS_AT_ONCE = 50
# Reasons for which a run ends as it should.
USUAL_ENDS = ("end", "handed_over", "assistant")
ERROR = N_("An error in Switchboard ended this step. It was reported.")


def advance(run_id: uuid.UUID) -> None:
    """Takes a run on until it waits or ends."""
    for _ in range(MOST_STEPS_AT_ONCE):
        run = AutomationRun.find(run_id)
        if run is None or not run.refresh_locked().is_active or not run.is_due:
            return
        if call := take_step(run):
            commit()
            answer = call.make(outside().egress)
            settle(run_id, answer)
        commit()
    later("automation.advance", run_id)


def take_step(run: AutomationRun) -> Call | None:
    """Takes one step, with the run's row locked. Returns the call to make, if that is what it does."""
    turn, step = turn_of(run), step_of(run)
    if step is None:
        run.finish("stopped", "changed")
        return None
    if run.waits_for == "call":
        assert isinstance(step, Http)
        finish_call(run, turn, step, Answer(0, {}, INTERRUPTED))
        return None
    reply = Message.find(run.reply_id) if run.reply_id else None
    try:
        outcome = step.resume(turn, reply) if run.waits_for else step.perform(turn)
    except Exception:
        log.exception("step failed", run_id=str(run.id), kind=step.kind)
        db.session.rollback()
        fail(run.id, step)
        return None
    # A file was copied meanwhile without the lock.
    if run.refresh_locked().is_active and run.step_id == step.id:
        apply(run, turn, step, outcome)
    return outcome.call  # type: ignore[no-any-return]


def turn_of(run: AutomationRun) -> Turn:
    conversation = Conversation.get_or_404(run.conversation_id)
    turn = Turn(conversation, Message.find(run.message_id) if run.message_id else None, values=dict(run.values))
    turn.automation, turn.run = db.session.get_one(Automation, (run.tenant_id, run.automation_id)), run
    turn.greets = run.version.definition.is_greeting
    return turn


def step_of(run: AutomationRun) -> Step | None:
    placed = run.version.definition.find(run.step_id)
    return placed.step if placed else None


def apply(run: AutomationRun, turn: Turn, step: Step, outcome: Outcome) -> None:
    """Records what a step did, and where the run goes on."""
    run.record(step, outcome.result, seen=outcome.seen, words=outcome.words)
    run.values, run.reply_id = turn.values, None
    if outcome.call:
        run.wait("call", now() + LEASE)
    elif outcome.wait:
        again = run.waits_for == outcome.wait.what
        run.wait(outcome.wait.what, outcome.wait.until)
        run.attempts = run.attempts + 1 if again else 0
        if outcome.wait.what == "reply":
            hold(run, turn)
    else:
        if outcome.ends:
            run.finish("done" if outcome.ends in USUAL_ENDS else "stopped", outcome.ends)
        else:
            run.go_to(run.version.definition.after(step, outcome.block))
        if not run.is_active:
            let_go(turn)


def hold(run: AutomationRun, turn: Turn) -> None:
    """The automation has the conversation while it waits for a reply; another that waited there ends."""
    assert turn.automation
    others = AutomationRun.active_in(run.conversation_id).where(AutomationRun.waits_for == "reply")
    for other in db.session.scalars(others.where(AutomationRun.id != run.id).with_for_update(skip_locked=True)):
        other.finish("stopped", "replaced")
    turn.conversation.take(by=turn.automation.actor)


def let_go(turn: Turn) -> None:
    """Releases the conversation, if the automation had it."""
    conversation, automation = turn.conversation, turn.automation
    if automation and conversation.handled_by == "automation" and conversation.handler_id == automation.id:
        conversation.release(by=automation.actor, why="expired")


def fail(run_id: uuid.UUID, step: Step) -> None:
    run = AutomationRun.get_or_404(run_id).refresh_locked()
    if run.is_active and run.step_id == step.id:
        run.record(step, "error", words=ERROR)
        run.finish("failed", "error")


def settle(run_id: uuid.UUID, answer: Answer) -> None:
    """Records what a call returned, unless it was given up meanwhile."""
    run = AutomationRun.get_or_404(run_id).refresh_locked()
    step = step_of(run) if run.waits_for == "call" else None
    if isinstance(step, Http):
        finish_call(run, turn_of(run), step, answer)


def finish_call(run: AutomationRun, turn: Turn, step: Http, answer: Answer) -> None:
    outcome = step.settle(turn, answer)
    mine = AutomationStep.run_id == run.id, AutomationStep.step_id == step.id
    row = db.session.scalars(select(AutomationStep).where(*mine).order_by(AutomationStep.position.desc())).first()
    assert row
    row.result, row.seen, row.words = outcome.result, outcome.seen, outcome.words
    run.values = turn.values
    run.go_to(run.version.definition.after(step, outcome.block))
    if not run.is_active:
        let_go(turn)


def stop(run: AutomationRun, *, by: Actor) -> None:
    """Somebody ends a run by hand."""
    run.refresh_locked()
    turn = turn_of(run)
    run.finish("stopped", "by_hand")
    if not run.is_active:
        let_go(turn)
