"""The first page of a new business: what to do next, and three conversations to try."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.models import TemplateList
from app.tenancy import in_menu, now, requires
from app.tenancy.guard import is_fragment
from app.tenancy.places import NextStep, first_page, next_step
from app.welcome.blueprint import bp
from app.welcome.checklist import Checklist
from app.welcome.models import LONGEST_ANSWER, SampleEnded, Welcome
from app.welcome.samples import SAMPLES, Sample
from app.words import N_

YOUNG = dt.timedelta(days=30)


@first_page
def lead_a_new_business() -> str | None:
    """To this page, until the first message has arrived or an owner has dismissed it."""
    if not g.membership.may("welcome.use") or Welcome.current().dismissed_at or Checklist.load().hello_seen:
        return None
    return url_for("welcome.show")


@next_step
def remind_of_the_rest() -> NextStep | None:
    """While a business is young: how many of the first steps are done."""
    if not g.membership.may("welcome.use") or now() - g.tenant.created_at > YOUNG or Welcome.current().dismissed_at:
        return None
    done = Checklist.load().done
    if all(done):
        return None
    words = _("First steps: %(done)s of %(all)s done", done=sum(done), all=len(done))
    return NextStep(words, url_for("welcome.show"))


@bp.get("")
@in_menu(
    "settings",
    N_("First steps"),
    "list-checks",
    order=165,
    group="business",
    hint=N_("What is set up, and what is still to do."),
)
@requires("welcome.use")
def show() -> str:
    TemplateList.refresh_all()
    template = "welcome/_checklist.html" if is_fragment() else "welcome/show.html"
    return render_template(template, welcome=Welcome.current(), checklist=Checklist.load())


@bp.post("/dismissal")
@requires("welcome.dismiss")
def dismiss() -> AnyResponse:
    Welcome.locked().dismiss()
    flash(_("Dismissed. You find it again under Settings, First steps."))
    return redirect(url_for("inbox.index"), 303)


@bp.get("/samples/<sample>")
@requires("welcome.use")
def sample(sample: str) -> str:
    return sample_page(open_sample(sample))


@bp.post("/samples/<sample>/replies")
@requires("welcome.use")
def reply_to_sample(sample: str) -> tuple[str, int] | AnyResponse:
    opened, words = open_sample(sample), request.form.get("body", "").strip()
    if not words or len(words) > LONGEST_ANSWER:
        problem = _("Write a reply of at most %(count)s characters.", count=LONGEST_ANSWER)
        return sample_page(opened, problem=problem, typed=words[:LONGEST_ANSWER]), 422
    try:
        Welcome.locked().answer(opened, words, by=g.membership.user.name)
    except SampleEnded:
        flash(_("This sample has ended."), "warning")
    return redirect(url_for(".sample", sample=opened.name, _anchor="end"), 303)


@bp.post("/samples/removal")
@requires("welcome.use")
def remove_samples() -> AnyResponse:
    Welcome.locked().remove_samples()
    flash(_("The sample conversations are gone."))
    return redirect(url_for(".show"), 303)


def open_sample(name: str) -> Sample:
    if name not in SAMPLES or SAMPLES[name] not in Welcome.current().open_samples:
        abort(404)
    return SAMPLES[name]


def sample_page(sample: Sample, **more: Any) -> str:
    answers = Welcome.current().answers(sample)
    return render_template(
        "welcome/sample.html",
        sample=sample,
        lines=sample.lines(answers, g.tenant.created_at),
        has_ended=sample.has_ended(answers),
        longest=LONGEST_ANSWER,
        **more,
    )
