"""What the assistant decided and why: one row for each decision, which is what its pages and figures are made of."""

from __future__ import annotations

import datetime as dt
import difflib
import uuid
from typing import Any, Self

from sqlalchemy import Index, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.folding import fold
from app.tenancy import Actor, TenantModel, announce, belongs_to, current_tenant_id, db, now, one_of, uuid7

from .assistant import MODES, AssistantVersion
from .engine import ACTION, Decision
from .prices import Price
from .providers.completion import Usage

KINDS = ("live", "trial", "golden", "help")
# `thinking` is a live turn that a worker has; `suggested` and `waiting` are a person's to decide.
STATES = (
    "thinking",
    "suggested",
    "waiting",
    "sent",
    "handed_over",
    "silent",
    "used",
    "edited",
    "dismissed",
    "superseded",
    "withheld",
    "failed",
    "tried",
)
OPEN = ("suggested", "waiting")
ACTIONS = ("answer", "ask", "hand_over", "stay_silent")
VERDICTS = ("right", "wrong")
# A person who changes so little has found it right.
SIMILAR, COMPARED = 0.8, 600
# So many judged answers before it may answer alone.
JUDGED_BEFORE_AUTOPILOT = 10
LONGEST_QUESTION = 4_000
SPAN = dt.timedelta(days=30)


class AssistantTurn(TenantModel):
    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        belongs_to("assistant_versions", "version_id"),
        one_of("kind", KINDS),
        one_of("mode", MODES),
        one_of("state", STATES),
        one_of("action", ACTIONS),
        one_of("verdict", VERDICTS),
        Index("ix_assistant_turns_conversation", "tenant_id", "conversation_id", "id"),
        Index("ix_assistant_turns_message", "tenant_id", "message_id", postgresql_where=text("message_id is not null")),
        Index("ix_assistant_turns_recent", "tenant_id", "created_at"),
        Index(
            "ix_assistant_turns_open",
            "tenant_id",
            "conversation_id",
            postgresql_where=text("state in ('suggested', 'waiting')"),
        ),
    )

    kind: Mapped[str] = mapped_column(default="live")
    conversation_id: Mapped[uuid.UUID | None]
    # The customer's last message that it is about, and the message that went out. No foreign keys: rows of messages
    # that WhatsApp withdrew go, and what was decided stays.
    trigger_message_id: Mapped[uuid.UUID | None]
    message_id: Mapped[uuid.UUID | None]
    version_id: Mapped[uuid.UUID | None]
    mode: Mapped[str] = mapped_column(default="off")
    state: Mapped[str] = mapped_column(default="thinking")
    action: Mapped[str | None]
    reason: Mapped[str] = mapped_column(default="")
    problem: Mapped[str] = mapped_column(default="")
    question: Mapped[str] = mapped_column(default="")
    reply: Mapped[str] = mapped_column(default="")
    withheld: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    passages: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    calls: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    refused_calls: Mapped[int] = mapped_column(default=0)
    model: Mapped[str] = mapped_column(default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    # In micro-dollars; null where the price is not known.
    cost: Mapped[int | None] = mapped_column(default=0)
    milliseconds: Mapped[int] = mapped_column(default=0)
    verdict: Mapped[str | None]
    judged_by: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    conversation: Mapped[Any] = relationship("Conversation", viewonly=True)
    version: Mapped[AssistantVersion | None] = relationship(viewonly=True)

    @classmethod
    def begin(cls, kind: str, *, mode: str, version_id: uuid.UUID | None, **more: Any) -> Self:
        made = cls(id=uuid7(), tenant_id=current_tenant_id(), kind=kind, mode=mode, version_id=version_id, **more)
        made.state, made.passages, made.calls = "thinking", [], []
        db.session.add(made)
        return made

    @classmethod
    def note_help(
        cls, task: str, model: str, usage: Usage, cost: int | None, problem: str, conversation_id: uuid.UUID | None
    ) -> None:
        """Records a call that was no decision, so that it counts towards the budget."""
        made = cls.begin("help", mode="off", version_id=None, conversation_id=conversation_id)
        made.model, made.problem, made.reason, made.cost = model, problem, task, cost
        made.input_tokens, made.output_tokens = usage.input, usage.output
        made.finish("failed" if problem else "tried")

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).where(cls.kind == "live").order_by(cls.id.desc())

    @classmethod
    def open_in(cls, conversation_id: uuid.UUID) -> Self | None:
        """What waits for a person in a conversation: a suggestion, or an answer to be approved."""
        query = select(cls).where(cls.conversation_id == conversation_id, cls.state.in_(OPEN), cls.kind == "live")
        return db.session.scalar(query.order_by(cls.id.desc()).limit(1))

    @classmethod
    def of_message(cls, message_id: uuid.UUID) -> Self | None:
        return db.session.scalar(select(cls).where(cls.message_id == message_id).limit(1))

    @classmethod
    def has_called(cls, trigger_message_id: uuid.UUID) -> bool:
        """Whether an earlier turn about this message had begun to call another program when it was interrupted."""
        mine = (
            cls.trigger_message_id == trigger_message_id,
            cls.state == "failed",
            func.jsonb_array_length(cls.calls) > 0,
        )
        return bool(db.session.scalar(select(cls.id).where(*mine).limit(1)))

    @classmethod
    def note_call(cls, turn_id: uuid.UUID, name: str) -> None:
        """Records that another program is about to be called."""
        if turn := cls.find(turn_id):
            turn.calls = [*turn.calls, {"name": name, "arguments": {}}]

    @classmethod
    def cost_since(cls, at: dt.datetime, conversation_id: uuid.UUID | None = None) -> int:
        """In micro-dollars, what calls since then cost, all or of a conversation, as far as prices are known."""
        query = select(func.coalesce(func.sum(cls.cost), 0)).where(cls.created_at >= at)
        if conversation_id:
            query = query.where(cls.conversation_id == conversation_id)
        return int(db.session.scalars(query).one() or 0)

    @classmethod
    def sent_in(cls, conversation_id: uuid.UUID, since: dt.datetime) -> int:
        """How many messages went out by itself in a conversation since then."""
        mine = cls.conversation_id == conversation_id, cls.state == "sent", cls.created_at >= since
        return db.session.scalars(select(func.count()).select_from(cls).where(*mine)).one()

    @classmethod
    def figures(cls) -> tuple[int, int]:
        """In the last 30 days: how many of its answers people found right, and of how many."""
        recent = cls.kind == "live", cls.verdict.is_not(None), cls.created_at >= now() - SPAN
        query = select(func.count().filter(cls.verdict == "right"), func.count()).select_from(cls).where(*recent)
        right, judged = db.session.execute(query).one()
        return right, judged

    def record(self, decision: Decision, price: Price | None, model: str) -> None:
        """What was decided and what it took. Where it leads is for the caller."""
        self.action, self.reason, self.problem = decision.action, decision.reason, decision.problem
        self.reply, self.withheld, self.language = decision.reply, decision.withheld, decision.language
        self.passages = [one.as_json() for one in decision.passages]
        # Those of other programs are there already.
        here = [call for call in decision.calls if not call.name.startswith(ACTION)]
        self.calls = [*self.calls, *({"name": call.name, "arguments": call.arguments} for call in here)]
        self.refused_calls, self.milliseconds = decision.refused_calls, decision.milliseconds
        self.input_tokens, self.output_tokens = decision.usage.input, decision.usage.output
        self.cost, self.model = decision.cost(price), model if decision.used_model else ""

    def finish(self, state: str, reason: str = "") -> None:
        self.state, self.reason, self.finished_at = state, reason or self.reason, now()
        if self.conversation_id:
            announce("conversation", self.conversation_id)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def judge(self, verdict: str | None, *, by: Actor) -> None:
        self.verdict, self.judged_by = verdict, by.as_json() if verdict else None

    def settle(self, state: str, *, by: Actor, sent: str = "") -> None:
        """A person used, edited or dismissed it, which says whether it was right."""
        is_right = state == "used" or (state == "edited" and is_similar(self.reply, sent))
        self.finish(state)
        self.judge("right" if is_right else "wrong", by=by)

    @property
    def judge_actor(self) -> Actor | None:
        return Actor.read(self.judged_by)


def is_similar(one: str, other: str) -> bool:
    # The beginnings say enough, and the time grows with the square.
    one, other = fold(one[:COMPARED]), fold(other[:COMPARED])
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() >= SIMILAR


def judge_by_reply(conversation_id: uuid.UUID, body: str, *, by: Actor) -> None:
    """A person wrote an answer of their own while a suggestion was there: the two are compared."""
    turn = AssistantTurn.open_in(conversation_id)
    if turn and turn.reply and turn.state == "suggested":
        turn.settle("edited", by=by, sent=body)
