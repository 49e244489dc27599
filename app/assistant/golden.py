"""Golden conversations: saved cases with what is expected, replayed against a version before it goes live."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapped, mapped_column

from app.folding import fold
from app.tenancy import TenantModel, belongs_to, commit, current_tenant_id, db, now, of_tenant, one_of, uuid7

from .access import ModelAccess
from .assistant import AssistantVersion, Setup
from .engine import Decision, Situation, decide
from .prompt import Line
from .situations import tenant_name
from .toolbox import Switched
from .turns import ACTIONS, AssistantTurn

MOST_CASES = 200
AT_ONCE = 5
LONGEST_TITLE, LONGEST_MESSAGE, MOST_MESSAGES = 120, 1_000, 20


class GoldenCase(TenantModel):
    """What a customer writes, and what the assistant has to do, say and not say."""

    __table_args__ = (of_tenant(), one_of("action", ACTIONS))

    title: Mapped[str]
    # The conversation so far, each as {"from": "customer" | "assistant" | "person", "text": …}; the last is asked.
    messages: Mapped[list[dict[str, Any]]]
    action: Mapped[str]
    must: Mapped[list[str]] = mapped_column(default=list)
    must_not: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.created_at, cls.id)

    @classmethod
    def add(
        cls, title: str, messages: list[dict[str, Any]], action: str, must: Sequence[str], must_not: Sequence[str]
    ) -> Self:
        made = cls(id=uuid7(), tenant_id=current_tenant_id(), title=title, messages=messages, action=action)
        made.must, made.must_not = list(must), list(must_not)
        db.session.add(made)
        db.session.flush()
        return made

    def situation(self, setup: Setup) -> Situation:
        lines = tuple(Line(str(one["from"]), str(one["text"])) for one in self.messages)
        last = len(lines)
        while last and lines[last - 1].who == "customer":
            last -= 1
        return Situation(
            setup=setup,
            business=tenant_name(),
            questions=tuple(line.words for line in lines[last:]),
            lines=lines,
            before=tuple(line.words for line in lines[:last] if line.who == "customer"),
        )

    def failures(self, decision: Decision) -> list[str]:
        """What is wrong with a decision, as keys with what they are about; empty where it passes."""
        folded_reply = fold(decision.reply)
        wrong = [] if decision.action == self.action else [f"action:{decision.action}"]
        wrong += [f"missing:{words}" for words in self.must if fold(words) not in folded_reply]
        return wrong + [f"forbidden:{words}" for words in self.must_not if fold(words) in folded_reply]


class GoldenRun(TenantModel):
    """All cases against one version: a result for each, beside what the run before said."""

    __table_args__ = (of_tenant(), belongs_to("assistant_versions", "version_id"))

    version_id: Mapped[uuid.UUID]
    # By the case's id: {"title", "passed", "failures", "action", "reply", "reason", "cost", "milliseconds"}.
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def begin(cls, version: AssistantVersion) -> Self:
        made = cls(id=uuid7(), tenant_id=current_tenant_id(), version_id=version.id, results={})
        db.session.add(made)
        db.session.flush()
        return made

    @property
    def version(self) -> AssistantVersion:
        return AssistantVersion.get_or_404(self.version_id)

    def go_on(self) -> bool:
        """Runs some of the cases that are left. Returns whether none is left."""
        cases = [case for case in db.session.scalars(GoldenCase.in_order()) if str(case.id) not in self.results]
        for case in cases[:AT_ONCE]:
            self.run(case)
        if len(cases) > AT_ONCE:
            return False
        self.finished_at = now()
        return True

    def run(self, case: GoldenCase) -> None:
        version, access = self.version, ModelAccess.usable()
        setup = version.setup
        tools = Switched.of(setup, contact_id=None, turn_id=None, pretends=True)
        endpoint = access.endpoint(setup.model) if access else None
        situation = case.situation(setup)
        commit()
        decision = decide(situation, endpoint, tools)
        commit()
        turn = AssistantTurn.begin("golden", mode="off", version_id=version.id)
        turn.record(decision, access.price if access else None, endpoint.model if endpoint else "")
        turn.finish("tried")
        run = type(self).get_or_404(self.id).refresh_locked()
        failures = case.failures(decision)
        result = {"title": case.title, "passed": not failures, "failures": failures, "action": decision.action}
        result |= {"reply": decision.reply, "reason": decision.reason, "cost": turn.cost}
        run.results = run.results | {str(case.id): result | {"milliseconds": decision.milliseconds}}
        commit()

    @property
    def passed(self) -> int:
        return sum(bool(result["passed"]) for result in self.results.values())

    @property
    def cost(self) -> int:
        return sum(result["cost"] or 0 for result in self.results.values())

    @property
    def previous(self) -> GoldenRun | None:
        """The one before it, to compare with."""
        older = GoldenRun.newest_first().where(GoldenRun.id < self.id, GoldenRun.finished_at.is_not(None))
        return db.session.scalar(older.limit(1))

    def changes_since(self, other: GoldenRun | None) -> dict[str, str]:
        """What became of each case since another run: better, worse, reworded."""
        changes = {}
        for id, result in self.results.items():
            before = other.results.get(id) if other else None
            if before is None:
                continue
            if before["passed"] != result["passed"]:
                changes[id] = "better" if result["passed"] else "worse"
            elif before["reply"] != result["reply"]:
                changes[id] = "reworded"
        return changes
