"""Background jobs of the assistant: turns that are due, knowledge to be read, golden conversations."""

from __future__ import annotations

from sqlalchemy import delete, select

from app.contacts.models import Contact
from app.inbox.conversations import Conversation
from app.tenancy import database_now, db, enqueue, in_turn, job, later, platform_scope, sweep

from .answering import recover
from .assistant import Assistant
from .embedding_passages import embed_some
from .golden import GoldenRun
from .knowledge import KnowledgeSource
from .learning import learn
from .media_readings import MediaReading
from .proposals import KnowledgeProposal
from .reading.sources import read_source
from .runner import Runner, expired, is_anything_due
from .translations import MessageTranslation
from .turns import AssistantTurn
from .unanswered import UnansweredQuestion
from .understanding import read_media

AT_ONCE = 200


@job("assistant.run", "assistant", per_tenant=False, seconds=300)
def run() -> None:
    """Runs turns that are due; enqueues itself again if time runs out first."""
    if Runner().run():
        enqueue("assistant.run")


@job("assistant.recover")
def recover_turn(conversation_id: str) -> None:
    recover(Conversation.get_or_404(conversation_id).id)


@sweep(every=5)
def enqueue_due_turns() -> None:
    """What Redis lost, and turns whose worker died."""
    with platform_scope("turns of assistants that are due or were interrupted"):
        for tenant_id, conversation_id in expired():
            later("assistant.recover", conversation_id, tenant_id=tenant_id)
        is_due = is_anything_due()
    if is_due:
        enqueue("assistant.run")


@job("assistant.learn", "assistant", seconds=120)
def learn_from(conversation_id: str) -> None:
    learn(Conversation.get_or_404(conversation_id).id)


@job("assistant.read_source", "files", seconds=200)
def read(source_id: str) -> None:
    read_source(source_id)


@job("assistant.read_media", "assistant", seconds=120)
def read_one_media(reading_id: str) -> None:
    read_media(MediaReading.get_or_404(reading_id).id)


@sweep(every=30)
def enqueue_due_readings() -> None:
    """Voice messages and pictures that wait for a model, and those whose reader died."""
    with platform_scope("voice messages and pictures that are due to be read"):
        due = select(MediaReading.tenant_id, MediaReading.id).where(MediaReading.next_at <= database_now())
        for tenant_id, reading_id in db.session.execute(in_turn(due, MediaReading.next_at, AT_ONCE)).all():
            later("assistant.read_media", reading_id, tenant_id=tenant_id)


@job("assistant.embed", "assistant", seconds=200)
def embed_passages() -> None:
    embed_some()


@sweep(every=30)
def enqueue_due_embedding() -> None:
    """Passages that have no vector yet, and those whose worker died."""
    with platform_scope("passages that are due to be turned into vectors"):
        due = select(Assistant.tenant_id).where(Assistant.embedding_due_at <= database_now())
        for tenant_id in db.session.scalars(due.order_by(Assistant.embedding_due_at).limit(AT_ONCE)).all():
            later("assistant.embed", tenant_id=tenant_id)


@sweep(every=30)
def enqueue_due_sources() -> None:
    """Sources that wait, that failed and are tried again, and pages that are read on a schedule."""
    with platform_scope("knowledge that is due to be read"):
        due = select(KnowledgeSource.tenant_id, KnowledgeSource.id)
        due = due.where(KnowledgeSource.next_read_at <= database_now())
        for tenant_id, source_id in db.session.execute(in_turn(due, KnowledgeSource.next_read_at, AT_ONCE)).all():
            later("assistant.read_source", source_id, tenant_id=tenant_id)


@job("assistant.run_golden", "assistant", seconds=280)
def run_golden(run_id: str) -> None:
    """Answers the cases of a run, a few at a time."""
    if not GoldenRun.get_or_404(run_id).go_on():
        later("assistant.run_golden", run_id)


@sweep(every=60)
def resume_golden_runs() -> None:
    with platform_scope("golden conversations that are not through"):
        open_runs = select(GoldenRun.tenant_id, GoldenRun.id).where(GoldenRun.finished_at.is_(None))
        for tenant_id, run_id in db.session.execute(in_turn(open_runs, GoldenRun.id, AT_ONCE)).all():
            later("assistant.run_golden", run_id, tenant_id=tenant_id)


@job("assistant.forget_contact")
def forget_contact(contact_id: str) -> None:
    """An erased contact: what they asked goes from turns and questions too, also before contacts were merged."""
    contact = Contact.find(contact_id)
    people = [each.id for each in contact.persons] if contact else []
    theirs = select(Conversation.id).where(Conversation.contact_id.in_(people))
    ids = list(db.session.scalars(theirs))
    db.session.execute(delete(AssistantTurn).where(AssistantTurn.conversation_id.in_(ids)))
    db.session.execute(delete(MessageTranslation).where(MessageTranslation.conversation_id.in_(ids)))
    db.session.execute(delete(MediaReading).where(MediaReading.conversation_id.in_(ids)))
    db.session.execute(delete(KnowledgeProposal).where(KnowledgeProposal.conversation_id.in_(ids)))
    db.session.execute(delete(UnansweredQuestion).where(UnansweredQuestion.conversation_id.in_(ids)))
