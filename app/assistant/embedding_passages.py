"""Makes the vectors of passages in the background, and says how far that is."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import func, select

from app.tenancy import commit, db, later, now

from .assistant import Assistant
from .embedding import Embedder
from .gate import is_over_budget
from .knowledge import KnowledgePassage
from .providers.completion import NOTHING, ModelError
from .turns import AssistantTurn
from .vectors import PassageVector, Vector

# Texts of one call: a busy processor needs half a second for each.
AT_ONCE = {"local": 16, "provider": 64}
LONGEST_TEXT = 6_000
LEASE, PAUSE = dt.timedelta(minutes=5), dt.timedelta(minutes=10)


def missing(model: str, most: int) -> list[tuple[uuid.UUID, str]]:
    """Passages without a vector of this model, with their texts."""
    passage, mine = KnowledgePassage, PassageVector
    made = select(mine.id).where(mine.tenant_id == passage.tenant_id, mine.id == passage.id, mine.model == model)
    query = select(passage.id, passage.heading, passage.body).where(~made.exists()).order_by(passage.id).limit(most)
    return [(row.id, f"{row.heading}\n{row.body}".strip()) for row in db.session.execute(query)]


def progress(model: str) -> tuple[int, int]:
    """How many passages have a vector of this model, and how many there are."""
    made = db.session.scalars(select(func.count()).select_from(PassageVector).where(PassageVector.model == model)).one()
    return made, db.session.scalars(select(func.count()).select_from(KnowledgePassage)).one()


def embed_some() -> None:
    """Makes vectors of some passages that have none of the present model, and goes on while there are more."""
    assistant = Assistant.current()
    if assistant is None or not assistant.claim_embedding(LEASE):
        return
    embedder = Embedder.chosen(assistant)
    if embedder is None:
        # Not there at the moment is tried again: a wheel may be installed, a key entered.
        if assistant.embedding:
            assistant.put_off_embedding("no_embedder", PAUSE)
        else:
            PassageVector.forget_others("")
            assistant.put_off_embedding("", None)
        return
    if embedder.endpoint and assistant.version and is_over_budget(assistant.version.setup):
        assistant.put_off_embedding("over_budget", PAUSE)
        return
    passages = missing(embedder.model, AT_ONCE[embedder.kind])
    if not passages:
        PassageVector.forget_others(embedder.model)
        assistant.put_off_embedding("", None)
        return
    commit()
    problem, usage = "", NOTHING
    made: list[Vector] = []
    try:
        made, usage = embedder.embed([words[:LONGEST_TEXT] for _id, words in passages], is_question=False)
    except ModelError as error:
        problem, usage = error.problem, error.usage
    assistant = Assistant.get_or_make().refresh_locked()
    if embedder.endpoint:
        cost, model = embedder.cost(usage), embedder.endpoint.model
        AssistantTurn.note_help("embed", model, usage, cost, problem, None)
    if problem:
        assistant.put_off_embedding(problem, PAUSE)
        return
    PassageVector.store(embedder.model, {id: vector for (id, _words), vector in zip(passages, made, strict=True)})
    db.session.flush()
    assistant.embedding_problem, assistant.embedding_due_at = "", now()
    later("assistant.embed")
