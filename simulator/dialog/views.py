from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from simulator.dialog import mishaps
from simulator.dialog.screens import screen, usable
from simulator.dialog.signup import Signup
from simulator.dialog.steps import STEPS, EntryError
from simulator.html import strict
from simulator.world import World

dialog = Blueprint("dialog", __name__)
dialog.after_request(strict)
dialog.app_template_test("usable_number")(usable)


@dialog.get("/v<int:version>.0/dialog/oauth")
@dialog.get("/dialog/oauth")
def start(**_: int) -> Answer | tuple[str, int]:
    settings = World.of(current_app).settings
    if request.args.get("client_id") != settings.app_id:
        return render_template("dialog/refused.html", reason="Invalid App ID: the app does not exist."), 400
    if request.args.get("config_id") != settings.config_id:
        return render_template("dialog/refused.html", reason="Invalid configuration: config_id is not known."), 400
    redirect_uri, extras = request.args.get("redirect_uri", ""), request.args.get("extras", "{}")
    signup = Signup.open(World.of(current_app), redirect_uri, extras)
    return redirect(url_for("dialog.show", signup_id=signup.id), 303)


@dialog.get("/messaging/whatsapp/onboard/")
def start_hosted() -> Answer | tuple[str, int]:
    """The signup page that Meta hosts for partners without their own; its address is in the App Dashboard."""
    settings = World.of(current_app).settings
    if (request.args.get("app_id"), request.args.get("config_id")) != (settings.app_id, settings.config_id):
        return render_template("dialog/refused.html", reason="Invalid App ID or configuration."), 400
    signup = Signup.open_hosted(World.of(current_app), request.args.get("extras", "{}"))
    return redirect(url_for("dialog.show", signup_id=signup.id), 303)


@dialog.get("/dialog/<signup_id>")
def show(signup_id: str) -> str:
    return page(open_signup(signup_id))


@dialog.post("/dialog/<signup_id>")
def advance(signup_id: str) -> Answer | tuple[str, int]:
    signup = open_signup(signup_id)
    if mishap := mishaps.MISHAPS.get(request.form.get("mishap", "")):
        return page(signup, mishap.text), 422
    try:
        signup.update(step=STEPS[signup.step](signup, request.form))
    except EntryError as mistake:
        return page(signup, str(mistake)), 422
    return redirect(url_for("dialog.show", signup_id=signup.id), 303)


@dialog.post("/dialog/<signup_id>/restart")
def restart(signup_id: str) -> Answer:
    """Returns to the portfolio screen; what was created so far stays, as it does at Meta."""
    signup = open_signup(signup_id)
    signup.update(step="portfolio")
    return redirect(url_for("dialog.show", signup_id=signup.id), 303)


@dialog.post("/dialog/<signup_id>/hand-over")
def start_code_lifetime(signup_id: str) -> Response:
    if code := open_signup(signup_id).code:
        code.start_lifetime()
    return Response(status=204)


def page(signup: Signup, mistake: str = "") -> str:
    return render_template(f"dialog/{signup.step}.html", mistake=mistake, form=request.form, **screen(signup))


def open_signup(signup_id: str) -> Signup:
    return Signup.find(World.of(current_app), signup_id) or abort(404)
