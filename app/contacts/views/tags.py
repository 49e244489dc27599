"""The tags of a business: named, coloured, merged, taken away."""

from __future__ import annotations

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.blueprint import bp
from app.contacts.forms import TagForm
from app.contacts.tags import Tag, TagExists
from app.tenancy import in_menu, requires
from app.words import N_


@bp.get("/tags")
@in_menu(
    "settings",
    N_("Tags"),
    "tag",
    order=140,
    group="inbox",
    hint=N_("One set of tags for the whole business."),
)
@requires("contacts.manage")
def tags() -> str:
    return tags_page()


def tags_page(form: TagForm | None = None, wrong: uuid.UUID | None = None) -> str:
    form = form or TagForm(formdata=None)
    return render_template("contacts/tags.html", counted=Tag.counted(), form=form, wrong=wrong)


@bp.post("/tags")
@requires("contacts.manage")
def create_tag() -> AnyResponse | tuple[str, int]:
    form = TagForm()
    if form.validate() and Tag.named(form.name.data):
        form.name.errors = [_("There is a tag with this name already.")]
    if form.errors or form.name.errors:
        return tags_page(form), 422
    Tag.get_or_make(form.name.data).color = form.color.data
    return redirect(url_for(".tags"), 303)


@bp.post("/tags/<uuid:tag_id>")
@requires("contacts.manage")
def change_tag(tag_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    tag, form = Tag.get_or_404(tag_id), TagForm()
    if form.validate():
        try:
            tag.change(form.name.data, form.color.data)
        except TagExists:
            form.name.errors = [_("There is a tag with this name already. Merge the two instead.")]
    if form.errors or form.name.errors:
        return tags_page(form, wrong=tag.id), 422
    flash(_("The tag is now “%(name)s”.", name=tag.name))
    return redirect(url_for(".tags"), 303)


@bp.post("/tags/<uuid:tag_id>/merge")
@requires("contacts.manage")
def merge_tag(tag_id: uuid.UUID) -> AnyResponse:
    tag, other = Tag.get_or_404(tag_id), Tag.get_or_404(request.form.get("into"))
    if tag.id == other.id:
        abort(404)
    name = tag.name
    tag.merge_into(other)
    flash(_("“%(tag)s” is now part of “%(other)s”.", tag=name, other=other.name))
    return redirect(url_for(".tags"), 303)


@bp.post("/tags/<uuid:tag_id>/removal")
@requires("contacts.manage")
def delete_tag(tag_id: uuid.UUID) -> AnyResponse:
    tag = Tag.get_or_404(tag_id)
    tag.remove()
    flash(_("The tag “%(name)s” is gone from every contact.", name=tag.name))
    return redirect(url_for(".tags"), 303)
