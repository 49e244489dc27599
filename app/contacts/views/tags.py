"""The tags of a business, and tagging many contacts at once."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.blueprint import bp
from app.contacts.forms import TagForm, TagNameForm, one_line
from app.contacts.listing import ContactListing
from app.contacts.taggings import MOST_AT_ONCE, ContactTagging
from app.contacts.tags import LONGEST_TAG, Tag, TagExists
from app.tenancy import Paged, in_menu, is_uuid, requires
from app.words import N_

from .contacts import index_of

PAGE = 100


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
    more = {"wrong": wrong, "offered": Tag.offered()}
    form = form or TagForm(formdata=None)
    return render_template("contacts/tags.html", page=Paged.of(Tag.counted(), PAGE), form=form, **more)


@bp.post("/tags")
@requires("contacts.manage")
def create_tag() -> AnyResponse | tuple[str, int]:
    form = TagForm()
    if form.validate() and Tag.named(form.name.data):
        form.name.errors = [_("Another tag has this name.")]
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
            form.name.errors = [_("Another tag has this name. Merge the two instead.")]
    if form.errors or form.name.errors:
        return tags_page(form, wrong=tag.id), 422
    flash(_("Tag “%(name)s” saved.", name=tag.name))
    return redirect(url_for(".tags"), 303)


@bp.post("/tags/<uuid:tag_id>/merge")
@requires("contacts.manage")
def merge_tag(tag_id: uuid.UUID) -> AnyResponse:
    """Into the tag of that name (`into`)."""
    tag, typed = Tag.get_or_404(tag_id), one_line(request.form.get("into"))
    other = Tag.named(typed)
    if other is None or other.id == tag.id:
        flash(_("No other tag is called “%(name)s”.", name=typed[:LONGEST_TAG]), "error")
        return redirect(url_for(".tags"), 303)
    name = tag.name
    tag.merge_into(other)
    flash(_("“%(tag)s” was merged into “%(other)s”.", tag=name, other=other.name))
    return redirect(url_for(".tags"), 303)


@bp.post("/tags/<uuid:tag_id>/removal")
@requires("contacts.manage")
def delete_tag(tag_id: uuid.UUID) -> AnyResponse:
    tag = Tag.get_or_404(tag_id)
    tag.remove()
    flash(_("Tag “%(name)s” deleted and removed from every contact.", name=tag.name))
    return redirect(url_for(".tags"), 303)


@bp.post("/taggings")
@requires("inbox.reply")
def tag_contacts() -> AnyResponse:
    """Adds a tag to the chosen contacts, or to all that the list shows, or removes it from them."""
    listing, form = ContactListing.read(request.form), TagNameForm()
    is_added = request.form.get("action") != "remove"
    ids = listing.ids(MOST_AT_ONCE) if request.form.get("all") else chosen_ids()
    back: dict[str, Any] = dict(listing.arguments)
    if not form.validate():
        flash(form.tag.errors[0], "error")
    elif not ids:
        flash(_("Select at least one contact first."), "error")
    elif tag := Tag.get_or_make(form.tag.data) if is_added else Tag.named(form.tag.data):
        tagging = ContactTagging.apply(tag, ids, is_added=is_added, by=current_user)
        back["tagging"] = str(tagging.id)
    else:
        flash(_("No tag is called “%(name)s”.", name=form.tag.data), "error")
    return redirect(url_for(".index", **back), 303)


def chosen_ids() -> list[uuid.UUID]:
    return [uuid.UUID(id) for id in request.form.getlist("id")[:MOST_AT_ONCE] if is_uuid(id)]


@bp.post("/taggings/<uuid:tagging_id>/undo")
@requires("inbox.reply")
def undo_tagging(tagging_id: uuid.UUID) -> AnyResponse:
    tagging = ContactTagging.get_or_404(tagging_id)
    tagging.undo(by=current_user)
    flash(_("Undone."))
    return redirect(index_of(ContactListing.read(request.form)), 303)
