"""The entry points of a business: list with figures, add, edit, one with its link, QR code and snippets."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app import zones
from app.contacts.tags import Tag
from app.entry_points.blueprint import bp
from app.entry_points.forms import EntryPointForm
from app.entry_points.models import FIRST_WORDS, KINDS, MOST, EntryPoint, SlugTaken, TooManyEntryPoints
from app.entry_points.reports import figures, figures_of
from app.entry_points.signs import MIMETYPES, invitation, is_writable, picture
from app.entry_points.snippets import button_html, widget_html
from app.extensions import settings
from app.languages import OWN_NAMES
from app.qr import qr_image
from app.team.models import Team
from app.tenancy import Paged, db, in_menu, now, requires
from app.wabas.models import PhoneNumber
from app.words import N_

Answer = str | tuple[str, int] | AnyResponse
PAGE = 50
SHOWN = dt.timedelta(days=30)


@bp.get("/")
@in_menu(
    "settings",
    N_("Links and buttons"),
    "link",
    order=130,
    group="inbox",
    hint=N_("Open a chat from your pages, signs and ads, and see what each brings."),
)
@requires("entry_points.read")
def index() -> str:
    since, until = recently()
    return render_template(
        "entry_points/index.html",
        page=Paged.of(EntryPoint.in_order(), PAGE),
        figures={one.key: one for one in figures("entry_point", since, until)},
        kinds=KINDS,
        has_number=bool(numbers()),
    )


def recently() -> tuple[dt.datetime, dt.datetime]:
    """The last 30 days, today among them, by the reader's clock."""
    today = zones.today()
    return zones.begins(today - SHOWN + dt.timedelta(days=1)), zones.ends(today)


@bp.get("/new")
@requires("entry_points.manage")
def new() -> str:
    return form_page(EntryPointForm(*choices(), formdata=None))


@bp.post("/")
@requires("entry_points.manage")
def create() -> Answer:
    form = EntryPointForm(*choices())
    if not form.validate():
        return form_page(form), 422
    values = form.settings()
    number = PhoneNumber.get_or_404(values.pop("phone_number_id"))
    try:
        made = EntryPoint.create(values.pop("name"), number, slug=form.slug.data, **values)
    except SlugTaken:
        form.slug.errors = [_("This short link is taken. Choose another.")]
        return form_page(form), 422
    except TooManyEntryPoints:
        flash(_("You have %(most)d links and buttons already. Delete one first.", most=MOST), "error")
        return redirect(url_for(".index"), 303)
    return redirect(url_for(".show", entry_point_id=made.id), 303)


@bp.get("/<uuid:entry_point_id>")
@requires("entry_points.read")
def show(entry_point_id: uuid.UUID) -> str:
    entry_point = EntryPoint.get_or_404(entry_point_id)
    languages = entry_point.languages or sorted(FIRST_WORDS, key=lambda code: code != "en")
    chosen = language if (language := request.args.get("language", "")) in languages else languages[0]
    since, until = recently()
    return render_template(
        "entry_points/show.html",
        entry_point=entry_point,
        qr=qr_image(entry_point.address),
        figures=figures_of(entry_point.id, since, until),
        kinds=KINDS,
        names=OWN_NAMES,
        languages=languages,
        chosen=chosen,
        button=button_html(entry_point, chosen),
        widget=widget_html(entry_point),
        server=settings.public_url,
        team=Team.find(entry_point.team_id),
        is_writable=is_writable(f"{entry_point.heading} {invitation(entry_point)}"),
        at=now(),
    )


@bp.get("/<uuid:entry_point_id>/edit")
@requires("entry_points.manage")
def edit(entry_point_id: uuid.UUID) -> str:
    entry_point = EntryPoint.get_or_404(entry_point_id)
    return form_page(EntryPointForm.of(entry_point, *choices()), entry_point)


@bp.post("/<uuid:entry_point_id>")
@requires("entry_points.manage")
def save(entry_point_id: uuid.UUID) -> Answer:
    entry_point = EntryPoint.get_or_404(entry_point_id)
    form = EntryPointForm(*choices())
    if not form.validate():
        return form_page(form, entry_point), 422
    for name, value in form.settings(entry_point).items():
        setattr(entry_point, name, value)
    flash(_("Saved."))
    return redirect(url_for(".show", entry_point_id=entry_point.id), 303)


@bp.post("/<uuid:entry_point_id>/removal")
@requires("entry_points.manage")
def remove(entry_point_id: uuid.UUID) -> AnyResponse:
    EntryPoint.get_or_404(entry_point_id).remove()
    flash(_("Deleted. Its short link no longer works."))
    return redirect(url_for(".index"), 303)


@bp.get("/<uuid:entry_point_id>/code/<drawn>")
@requires("entry_points.read")
def code(entry_point_id: uuid.UUID, drawn: str) -> Response:
    """The QR code as svg or png, or the printable sign as pdf."""
    entry_point = EntryPoint.get_or_404(entry_point_id)
    if drawn not in MIMETYPES:
        abort(404)
    headers = {"Content-Disposition": f'attachment; filename="{entry_point.slug}.{drawn}"'}
    return Response(picture(entry_point, drawn), mimetype=MIMETYPES[drawn], headers=headers)


@bp.get("/<uuid:entry_point_id>/sign")
@requires("entry_points.read")
def sign(entry_point_id: uuid.UUID) -> str:
    """A page to print, in any script."""
    entry_point = EntryPoint.get_or_404(entry_point_id)
    about = {"invitation": invitation(entry_point), "qr": qr_image(entry_point.address)}
    return render_template("entry_points/sign.html", entry_point=entry_point, **about)


def numbers() -> list[PhoneNumber]:
    return list(db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id)))


def choices() -> tuple[Any, ...]:
    return numbers(), db.session.scalars(Team.in_order()).all(), Tag.offered()


def form_page(form: EntryPointForm, entry_point: EntryPoint | None = None) -> str:
    return render_template("entry_points/form.html", form=form, entry_point=entry_point, server=settings.public_url)
