"""What the assistant knows: list, add, edit, read again."""

from __future__ import annotations

import io
import uuid
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.access import ModelAccess
from app.assistant.assistant import Assistant
from app.assistant.blueprint import bp
from app.assistant.embedding import Embedder
from app.assistant.embedding_passages import progress
from app.assistant.forms import FileForm, MeaningForm, PageForm, QuestionForm, TextForm, ValidDaysForm, day_of
from app.assistant.knowledge import MOST_SOURCES, KnowledgePassage, KnowledgeSource
from app.assistant.reading.sources import LARGEST_FILE
from app.assistant.unanswered import UnansweredQuestion
from app.assistant.words import KINDS, PROBLEMS, SOURCE_STATES
from app.inbox.files.attachments import stored
from app.storage import StorageUnavailable
from app.tenancy import Paged, as_uuid, commit, current_actor, db, requires, takes_files
from app.tenancy.guard import is_fragment

from .overview import Answer

FORMS: dict[str, type[ValidDaysForm]] = {"question": QuestionForm, "text": TextForm, "page": PageForm, "file": FileForm}
PAGE = 50


@bp.get("/knowledge")
@requires("assistant.manage")
def knowledge() -> str:
    return knowledge_page(MeaningForm.of(Assistant.current(), ModelAccess.current()))


def knowledge_page(form: MeaningForm) -> str:
    page, assistant = Paged.of(KnowledgeSource.newest_first(), PAGE), Assistant.current()
    embedder = Embedder.chosen(assistant)
    template = "assistant/_sources.html" if is_fragment() else "assistant/knowledge.html"
    words = {"kinds": KINDS, "states": SOURCE_STATES, "problems": PROBLEMS}
    return render_template(
        template,
        page=page,
        has_canned=KnowledgeSource.canned() is not None,
        form=form,
        assistant=assistant,
        progress=progress(embedder.model) if embedder else None,
        **words,
    )


@bp.get("/knowledge/meaning")
@requires("assistant.manage")
def meaning() -> str:
    """How far the vectors are."""
    assistant = Assistant.current()
    embedder = Embedder.chosen(assistant)
    done = progress(embedder.model) if embedder else None
    return render_template("assistant/_meaning.html", assistant=assistant, progress=done, problems=PROBLEMS)


@bp.post("/knowledge/meaning")
@requires("assistant.manage")
def switch_meaning() -> Answer:
    """How passages become vectors, or that they do not."""
    form = MeaningForm(ModelAccess.current())
    if not form.validate():
        return knowledge_page(form), 422
    is_provider = form.embedding.data == "provider"
    model = form.embedding_model.data if is_provider and form.embedding_model.data != form.usual_model else ""
    Assistant.get_or_make().embed_by(form.embedding.data, model or "")
    flash(_("Saved."))
    return redirect(url_for(".knowledge", _anchor="meaning"), 303)


@bp.get("/knowledge/new/<kind>")
@requires("assistant.manage")
def new_source(kind: str) -> str:
    form = form_of(kind)(formdata=None, data={"title": request.args.get("question", "")[:300]})
    return source_page(form, kind, question_id=as_uuid(request.args.get("question_id")))


@bp.post("/knowledge/new/<kind>")
@requires("assistant.manage")
@takes_files(LARGEST_FILE + 100_000)
def add_source(kind: str) -> Answer:
    form, question_id = form_of(kind)(), as_uuid(request.args.get("question_id"))
    if not form.validate() or not (values := values_of(form, kind)):
        return source_page(form, kind, question_id=question_id), 422
    if KnowledgeSource.is_full():
        flash(_("There are %(most)d sources already. Delete some first.", most=MOST_SOURCES), "error")
        return redirect(url_for(".knowledge"), 303)
    KnowledgeSource.add(kind, by=current_actor(), **values)
    if question := UnansweredQuestion.find(question_id):
        question.state = "answered"
    flash(_("Added."))
    return redirect(url_for(".knowledge"), 303)


@bp.get("/knowledge/<uuid:source_id>")
@requires("assistant.manage")
def source(source_id: uuid.UUID) -> str:
    one = KnowledgeSource.get_or_404(source_id)
    if one.kind == "canned":
        return source_page(ValidDaysForm(formdata=None), one.kind, one)
    values = {name: getattr(one, name) for name in ("title", "body", "url", "refresh_hours", "language")}
    values |= {"valid_from": day_of(one.valid_from), "valid_until": day_of(one.valid_until, is_end=True)}
    return source_page(form_of(one.kind)(formdata=None, data=values), one.kind, one)


@bp.post("/knowledge/<uuid:source_id>")
@requires("assistant.manage")
@takes_files(LARGEST_FILE + 100_000)
def save_source(source_id: uuid.UUID) -> Answer:
    one = KnowledgeSource.get_or_404(source_id)
    form = form_of(one.kind)()
    if not form.validate() or not (values := values_of(form, one.kind, one)):
        return source_page(form, one.kind, one), 422
    one.refresh_locked()
    for name, value in values.items():
        setattr(one, name, value)
    one.begin()
    one.show_passages()
    flash(_("Saved."))
    return redirect(url_for(".knowledge"), 303)


@bp.post("/knowledge/canned-replies")
@requires("assistant.manage")
def add_canned() -> AnyResponse:
    """All canned replies of everyone, as one source that follows them daily."""
    if KnowledgeSource.canned() is None:
        KnowledgeSource.add("canned", _("Canned replies"), by=current_actor(), refresh_hours=24)
    flash(_("Your canned replies are being read."))
    return redirect(url_for(".knowledge"), 303)


@bp.post("/knowledge/<uuid:source_id>/reading")
@requires("assistant.manage")
def reread(source_id: uuid.UUID) -> AnyResponse:
    KnowledgeSource.get_or_404(source_id).refresh_locked().begin()
    flash(_("It is being read."))
    return redirect(url_for(".knowledge"), 303)


@bp.post("/knowledge/<uuid:source_id>/use")
@requires("assistant.manage")
def switch_source(source_id: uuid.UUID) -> AnyResponse:
    KnowledgeSource.get_or_404(source_id).refresh_locked().switch(is_enabled=request.form.get("is_enabled") == "1")
    flash(_("Saved."))
    return redirect(url_for(".knowledge"), 303)


@bp.post("/knowledge/<uuid:source_id>/removal")
@requires("assistant.manage")
def remove_source(source_id: uuid.UUID) -> AnyResponse:
    KnowledgeSource.get_or_404(source_id).remove()
    flash(_("Deleted."))
    return redirect(url_for(".knowledge"), 303)


def form_of(kind: str) -> type[ValidDaysForm]:
    if kind not in FORMS:
        abort(404)
    return FORMS[kind]


def values_of(form: ValidDaysForm, kind: str, present: KnowledgeSource | None = None) -> dict[str, Any]:
    """What a form says of its source; empty where its file could not be taken, which it says at the field."""
    fields = [name for name in ("title", "body", "url", "refresh_hours") if name in form]
    values: dict[str, Any] = {name: form[name].data for name in fields} | form.validity
    if kind == "page":
        values["body"] = present.body if present else ""
    return values if kind != "file" else with_file(form, values, present)


def with_file(form: ValidDaysForm, values: dict[str, Any], present: KnowledgeSource | None) -> dict[str, Any]:
    file = form["file"].data
    if not isinstance(file, FileStorage) or not file.filename:
        if present:
            return values
        form["file"].errors = [_("Choose a file.")]
        return {}
    data = file.read(LARGEST_FILE + 1)
    if not data or len(data) > LARGEST_FILE:
        form["file"].errors = [_("Choose a file with something in it, of up to 10 MB.")]
        return {}
    commit()
    try:
        key = stored(io.BytesIO(data))
    except StorageUnavailable:
        form["file"].errors = [_("The file couldn't be stored. Try again in a moment.")]
        return {}
    name = file.filename.replace("\x00", "")[:200]
    if present:
        present.forget_file()
    return values | {"filename": name, "storage_key": key, "title": values["title"] or name}


def source_page(
    form: ValidDaysForm, kind: str, source: KnowledgeSource | None = None, question_id: uuid.UUID | None = None
) -> str:
    passages = db.session.scalars(KnowledgePassage.of_source(source.id).limit(PAGE)).all() if source else []
    words = {"kinds": KINDS, "states": SOURCE_STATES, "problems": PROBLEMS}
    return render_template(
        "assistant/source.html",
        form=form,
        kind=kind,
        source=source,
        passages=passages,
        question_id=question_id,
        **words,
    )
