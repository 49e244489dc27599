"""Signing in with an app: who it is and what it asks for, the person's answer, and the tokens (OAuth 2.1)."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from flask import Response, flash, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from app.api import Problem
from app.api.admission import ROUTES
from app.api.keys import MOST_KEYS, ApiKey, KeyExists, TooManyKeys
from app.api.keys import hash_of as key_hash_of
from app.api.rates import Limit
from app.api.reading import parse
from app.api.scopes import SCOPES
from app.developers import client_documents, limits
from app.developers.blueprint import bp
from app.developers.clients import BadClient, Client, hash_of, host_of, is_on_this_computer
from app.developers.forms import grouped_scopes
from app.developers.limits import limited
from app.developers.sign_ins import REQUEST_LASTS, AppSignIn, BadGrant, Wanted, tenant_of
from app.extensions import csrf, settings
from app.headers import policy
from app.team.models import TeamChange
from app.team.models.businesses import businesses_of
from app.tenancy import Tenant, commit, confirmed, database_now, db, now, requires, signed_in, tenant_scope, uuid7
from app.tenancy.guard import enter, for_keys, stateless

Answer = str | tuple[str | AnyResponse, int] | AnyResponse
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST_STATE, LONGEST_SCOPE = 1_000, 4_000


@bp.get("/.well-known/oauth-authorization-server")
@stateless
@limited(limits.METADATA)
def authorization_server() -> Response:
    """RFC 8414."""
    ours = settings.public_url
    return jsonify(
        issuer=ours,
        authorization_endpoint=f"{ours}/oauth/authorize",
        token_endpoint=f"{ours}/oauth/token",
        registration_endpoint=f"{ours}/oauth/register",
        revocation_endpoint=f"{ours}/oauth/revoke",
        scopes_supported=sorted(SCOPES),
        response_types_supported=["code"],
        grant_types_supported=["authorization_code", "refresh_token"],
        code_challenge_methods_supported=["S256"],
        token_endpoint_auth_methods_supported=["none"],
        revocation_endpoint_auth_methods_supported=["none"],
        authorization_response_iss_parameter_supported=True,
        client_id_metadata_document_supported=True,
        service_documentation=f"{ours}/developers",
    )


@bp.get("/.well-known/oauth-protected-resource/api/v1")
@stateless
@limited(limits.METADATA)
def api_resource() -> Response:
    """RFC 9728, of the API."""
    ours = settings.public_url
    return jsonify(
        resource=f"{ours}/api/v1",
        resource_name="Switchboard",
        authorization_servers=[ours],
        bearer_methods_supported=["header"],
        scopes_supported=sorted(SCOPES),
        resource_documentation=f"{ours}/developers",
    )


@bp.post("/oauth/register")
@csrf.exempt  # type: ignore[untyped-decorator]
@stateless
@limited(limits.REGISTER)
def register_client() -> tuple[Response, int]:
    """RFC 7591. Nothing is stored: what was registered is in the client_id."""
    try:
        body = parse(request.get_data())
        metadata = body if isinstance(body, dict) else {}
        client = Client.register(metadata.get("client_name"), metadata.get("redirect_uris"))
    except Problem as problem:
        return jsonify(error="invalid_client_metadata", error_description=problem.detail), 400
    except BadClient as problem:
        return jsonify(error=problem.code, error_description=problem.words), 400
    registered = {
        "client_id": client.id,
        "client_id_issued_at": int(now().timestamp()),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    return jsonify(registered), 201


@bp.get("/oauth/authorize")
@signed_in
def authorize() -> Answer:
    """Where an app sends a person. Until its address is known to be its own, nothing leads there."""
    if current_user.is_platform_admin:
        return redirect(url_for("front.home"), 303)
    refuse_beyond(limits.AUTHORIZE, str(current_user.id))
    client = client_of_request()
    target = given_text("redirect_uri") or (
        client.redirect_uris[0] if client and len(client.redirect_uris) == 1 else ""
    )
    if client is None or not client.takes(target):
        return render_template("developers/bad_app.html"), 400
    audience, problem = audience_of(request.args.getlist("resource")), problem_of_request()
    if problem or audience is None:
        # Anybody may register an app: only a person follows an answer there, or our address would lead anywhere.
        refusal = answer_address(target, error=problem or "invalid_target", state=given_text("state"))
        return render_template("developers/bad_request.html", refusal=refusal, host=host_of(target)), 400
    wanted = Wanted(
        id=str(uuid7()),
        user_id=str(current_user.id),
        name=client.name,
        home=client.home,
        client_hash=hash_of(given_text("client_id")),
        redirect_uri=target,
        challenge=given_text("code_challenge"),
        state=given_text("state"),
        scopes=given_text("scope").split() or [name for name in SCOPES if name.endswith(":read")],
        audience=audience,
        ends_at=(database_now() + REQUEST_LASTS).timestamp(),
    ).sign()
    businesses = businesses_of(current_user)
    if len(businesses) == 1:
        return redirect(url_for(".app_request", tenant_slug=businesses[0].slug, wanted=wanted), 303)
    return render_template("developers/choose_business.html", businesses=businesses, wanted=wanted, name=client.name)


def client_of_request() -> Client | None:
    """The app that sent the person here, by what it registered or by the document at its address."""
    id = given_text("client_id")
    if not client_documents.is_address(id):
        return Client.read(id)
    if client := client_documents.stored_client(id):
        return client
    refuse_beyond(limits.DOCUMENT, str(current_user.id))
    commit()
    try:
        return client_documents.fetched_client(id)
    except client_documents.BadDocument:
        return None


def refuse_beyond(limit: Limit, who: str) -> None:
    if wait := limits.seconds_to_wait(limit, who):
        raise TooManyRequests(retry_after=wait)


def problem_of_request() -> str | None:
    if given_text("response_type") != "code":
        return "unsupported_response_type"
    if given_text("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(given_text("code_challenge")):
        return "invalid_request"
    if len(given_text("state")) > LONGEST_STATE or any(
        len(given) > 1 for name, given in request.args.lists() if name != "resource"
    ):
        return "invalid_request"
    if len(given_text("scope")) > LONGEST_SCOPE or not set(given_text("scope").split()) <= SCOPES.keys():
        return "invalid_scope"
    return None


def audience_of(resources: list[str]) -> str | None:
    """Which of our addresses the token is for (RFC 8707): assistants', unless the app says otherwise."""
    scopes_by_resource = {f"{settings.public_url}/mcp": "mcp", f"{settings.public_url}/api/v1": "api"}
    if len(resources) > 1:
        return None
    return scopes_by_resource.get(resources[0].rstrip("/")) if resources else "mcp"


@bp.get("/t/<tenant_slug>/apps/<wanted>")
@requires("api.manage")
@confirmed
def app_request(wanted: str) -> Answer:
    """What an app asks for, for a person to allow or refuse."""
    request_of_app = Wanted.read(wanted, current_user.id)
    if request_of_app is None:
        return render_template("developers/old_request.html"), 404
    return consent_page(request_of_app, wanted)


@bp.post("/t/<tenant_slug>/apps/<wanted>")
@requires("api.manage")
@confirmed
def allow_app(wanted: str) -> Answer:
    request_of_app = Wanted.read(wanted, current_user.id)
    if request_of_app is None:
        return render_template("developers/old_request.html"), 404
    chosen = sorted({name for name in request.form.getlist("scopes") if name in request_of_app.scopes})
    if not chosen:
        return consent_page(request_of_app, wanted, problem=_("Choose at least one permission.")), 422
    try:
        key, code = AppSignIn.begin(request_of_app, chosen, member=g.membership)
    except KeyExists:
        return render_template("developers/old_request.html"), 404
    except TooManyKeys:
        flash(_("A business can have %(most)d keys. Revoke one first.", most=MOST_KEYS), "error")
        return redirect(url_for(".keys"), 303)
    TeamChange.record("key_creation", key.name, by=current_user, old=key.kind, new=key.parts["scopes"])
    target = answer_address(request_of_app.redirect_uri, code=code, state=request_of_app.state)
    return leading_to(redirect(target, 303), request_of_app.redirect_uri)


def consent_page(wanted: Wanted, token: str, problem: str = "") -> AnyResponse:
    groups = [
        (resource, [scope for scope in scopes if scope.name in wanted.scopes]) for resource, scopes in grouped_scopes()
    ]
    refusal = answer_address(wanted.redirect_uri, error="access_denied", state=wanted.state)
    more = {"groups": [group for group in groups if group[1]], "refusal": refusal, "problem": problem}
    host = _("a program on this computer") if is_on_this_computer(wanted.redirect_uri) else host_of(wanted.redirect_uri)
    page = render_template("developers/allow_app.html", wanted=wanted, token=token, host=host, **more)
    return leading_to(make_response(page), wanted.redirect_uri)


def leading_to(response: AnyResponse, redirect_uri: str) -> AnyResponse:
    """The form of this page may lead to the app."""
    parts = urlsplit(redirect_uri)
    place = f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
    response.headers["Content-Security-Policy"] = policy(form_action=f"'self' {place}")
    return response


def answer_address(redirect_uri: str, **values: str) -> str:
    """The app's address with an answer, and who gives it (RFC 9207)."""
    given = {name: value for name, value in values.items() if value} | {"iss": settings.public_url}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(given)}"


@bp.post("/oauth/token")
@csrf.exempt  # type: ignore[untyped-decorator]
@for_keys
@limited(limits.TOKEN)
def issue_token() -> tuple[Response, int]:
    """RFC 6749. What fails says no more than that it does not work."""
    form = request.form
    grant = form.get("grant_type", "")
    token = form.get({"authorization_code": "code", "refresh_token": "refresh_token"}.get(grant, ""), "")
    if grant not in ("authorization_code", "refresh_token"):
        return jsonify(error="unsupported_grant_type"), 400
    if not token or not form.get("client_id"):
        return jsonify(error="invalid_request"), 400
    tenant_id = tenant_of(token)
    if tenant_id is None:
        return jsonify(error="invalid_grant"), 400
    enter(tenant_scope(tenant_id))
    tenant = db.session.get(Tenant, tenant_id)
    if tenant is None or tenant.closed_at:
        return jsonify(error="invalid_grant"), 400
    try:
        if grant == "authorization_code":
            verifier = form.get("code_verifier", "")
            issued = AppSignIn.exchange(token, form["client_id"], form.get("redirect_uri", ""), verifier)
        else:
            issued = AppSignIn.renew(token, form["client_id"])
    except BadGrant:
        return jsonify(error="invalid_grant"), 400
    return jsonify(issued.body), 200


@bp.post("/oauth/revoke")
@csrf.exempt  # type: ignore[untyped-decorator]
@for_keys
@limited(limits.TOKEN)
def revoke_token() -> tuple[str, int]:
    """RFC 7009: either token ends the sign-in, and what is none is no error."""
    token = request.form.get("token", "")
    if tenant_id := tenant_of(token):
        enter(tenant_scope(tenant_id))
        AppSignIn.revoke(token)
    elif token.startswith("sb_app_") and (route := ROUTES.find(key_hash_of(token))):
        tenant_id, key_id = route
        enter(tenant_scope(tenant_id))
        key = ApiKey.find(key_id)
        if key and key.kind == "app":
            key.revoke()
    return "", 200


def given_text(name: str) -> str:
    return request.args.get(name, "")
