from __future__ import annotations

from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.team import door
from app.team.blueprint import bp
from app.team.forms import SignUpForm
from app.team.models import businesses
from app.tenancy import public


@bp.get("/sign-up")
@public
def sign_up() -> str:
    return render_template("team/sign_up.html", form=SignUpForm(formdata=None))


@bp.post("/sign-up")
@public
def found_business() -> tuple[str, int] | AnyResponse:
    form = SignUpForm()
    if not form.validate():
        return render_template("team/sign_up.html", form=form), 422
    made = businesses.sign_up(
        form.business.data,
        form.name.data,
        form.email.data,
        form.password.data,
        ip=door.client_ip(),
        device=door.device_id(form.email.data),
    )
    if made is None:
        form.problem = _(
            "We could not sign you up like this. If you already have an account with this address, use its"
            " password, or open the mail that we have just sent there."
        )
        return render_template("team/sign_up.html", form=form), 422
    owner, tenant = made
    door.begin_session(owner)
    return redirect(url_for("tenancy.home", tenant_slug=tenant.slug), 303)
