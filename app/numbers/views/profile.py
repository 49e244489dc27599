"""The number's public profile, which is stored at Meta."""

from __future__ import annotations

import uuid

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.meta import business_profiles, phone_numbers
from app.meta.business_profiles import BusinessProfile
from app.meta.graph import GraphClient
from app.numbers.asking import Problem, ask
from app.numbers.blueprint import bp
from app.numbers.forms import PICTURE_BYTES, PICTURE_TYPES, PictureForm, ProfileForm, UsernameForm
from app.tenancy import requires
from app.wabas.models import PhoneNumber


@bp.get("/<uuid:phone_number_id>/profile")
@requires("numbers.manage")
def profile(phone_number_id: uuid.UUID) -> str:
    number = PhoneNumber.get_or_404(phone_number_id)
    found, problem = ask(number, business_profiles.fetch)
    if found:
        number.has_photo = bool(found.picture_url)
    return profile_page(number, found, problem)


def profile_page(number: PhoneNumber, found: BusinessProfile | None, problem: Problem | None, **forms: object) -> str:
    """Without Meta's answer there is no form: saving an empty one would empty the profile."""
    blank = {
        "form": ProfileForm(formdata=None, data=as_typed(found)) if found else None,
        "picture_form": PictureForm(formdata=None),
        "username_form": UsernameForm(formdata=None, data={"username": number.username}),
    }
    return render_template("numbers/profile.html", number=number, profile=found, problem=problem, **(blank | forms))


def as_typed(found: BusinessProfile) -> dict[str, str]:
    first, second, *_rest = (*found.websites, "", "")
    texts = {name: getattr(found, name) for name in ("about", "description", "address", "email", "vertical")}
    return texts | {"website_1": first, "website_2": second}


@bp.post("/<uuid:phone_number_id>/profile")
@requires("numbers.manage")
def change_profile(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number, form = PhoneNumber.get_or_404(phone_number_id), ProfileForm()
    if not form.validate():
        return profile_page(number, BusinessProfile(), None, form=form), 422
    changed = {name: form[name].data for name in ("description", "address", "email", "vertical")}
    # Meta takes an empty one for everything but this.
    changed |= {"about": form.about.data} if form.about.data else {}
    changed["websites"] = [address for address in (form.website_1.data, form.website_2.data) if address]
    _done, problem = ask(
        number, lambda graph, token, meta_id: business_profiles.update(graph, token, meta_id, **changed)
    )
    if problem:
        return profile_page(number, BusinessProfile(), problem, form=form), 422
    return saved(number, _("Saved. Customers see it within a few minutes."))


@bp.post("/<uuid:phone_number_id>/profile/picture")
@requires("numbers.manage")
def change_picture(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number, form, file = PhoneNumber.get_or_404(phone_number_id), PictureForm(), request.files.get("picture")
    content = b""
    if file:
        content = file.read(PICTURE_BYTES + 1)
        file.close()
    if not content or len(content) > PICTURE_BYTES or picture_type(content) not in PICTURE_TYPES:
        form.picture.errors = [_("Choose a square JPEG or PNG of at most 900 kB.")]
        found, problem = ask(number, business_profiles.fetch)
        return profile_page(number, found, problem, picture_form=form), 422
    mime_type = picture_type(content)

    def upload(graph: GraphClient, token: str, meta_id: str) -> None:
        handle = business_profiles.upload_picture(graph, token, content, mime_type)
        business_profiles.update(graph, token, meta_id, profile_picture_handle=handle)

    _done, problem = ask(number, upload)
    if problem:
        flash(f"{_(problem.title)} {_(problem.fix)}", "error")
        return redirect(url_for(".profile", phone_number_id=number.id), 303)
    number.has_photo = True
    return saved(number, _("The photo is saved. Customers see it within a few minutes."))


@bp.get("/<uuid:phone_number_id>/profile/picture")
@requires("numbers.manage")
def picture(phone_number_id: uuid.UUID) -> AnyResponse:
    """The photo at Meta, fetched by us: a browser that asked for it would tell Meta who looks."""
    number = PhoneNumber.get_or_404(phone_number_id)
    content, _problem = ask(number, business_profiles.picture)
    if not content or picture_type(content) not in PICTURE_TYPES:
        abort(404)
    return Response(content, mimetype=picture_type(content), headers={"Cache-Control": "private, max-age=60"})


def picture_type(content: bytes) -> str:
    """The MIME type by the content, not by the file's name."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/jpeg" if content.startswith(b"\xff\xd8\xff") else ""


@bp.post("/<uuid:phone_number_id>/username")
@requires("numbers.manage")
def change_username(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number, form = PhoneNumber.get_or_404(phone_number_id), UsernameForm()
    if not form.validate():
        return username_page(number, form, None), 422
    wanted = str(form.username.data)
    status, problem = ask(
        number, lambda graph, token, meta_id: phone_numbers.set_username(graph, token, meta_id, wanted)
    )
    if problem:
        return username_page(number, form, problem), 422
    number.note("username", wanted)
    number.username = wanted
    words = (
        _("Saved.") if status == "approved" else _("Reserved. It becomes active when usernames start in your country.")
    )
    return saved(number, words)


@bp.post("/<uuid:phone_number_id>/username/removal")
@requires("numbers.manage")
def remove_username(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number = PhoneNumber.get_or_404(phone_number_id)
    _done, problem = ask(number, phone_numbers.delete_username)
    if problem:
        return username_page(number, UsernameForm(formdata=None), problem), 422
    number.note("username", "")
    return saved(number, _("Username removed."))


def username_page(number: PhoneNumber, form: UsernameForm, problem: Problem | None) -> str:
    found, trouble = ask(number, business_profiles.fetch)
    return profile_page(number, found, problem or trouble, username_form=form)


def saved(number: PhoneNumber, words: str) -> AnyResponse:
    flash(words)
    return redirect(url_for(".profile", phone_number_id=number.id), 303)
