from typing import Any

from simulator.businesses import Business
from simulator.codes import Code
from simulator.errors import GraphError, invalid, missing
from simulator.graph.call import Call
from simulator.graph.edges import Answer
from simulator.tokens import Token
from simulator.world import World

CODE_USED = (36009, "This authorization code has been used.")
CODE_EXPIRED = (36007, "This authorization code has expired.")
CODE_ELSEWHERE = (
    36008,
    (
        "Error validating verification code. Please make sure your redirect_uri is identical to the one you"
        " used in the OAuth dialog request"
    ),
)


def access_token(world: World, params: dict[str, Any]) -> Answer:
    _check_app(world, params)
    if params.get("grant_type") == "client_credentials":
        return {"access_token": f"{params['client_id']}|{params['client_secret']}", "token_type": "bearer"}
    if not params.get("code"):
        raise missing("code")
    return _grant(_exchange(world, params["code"], params.get("redirect_uri", "")))


def debug_token(call: Call) -> Answer:
    token = Token.recognise(call.world, call.require("input_token"))
    if token is None:
        return {"data": {"is_valid": False, "scopes": [], "error": _problem("Invalid OAuth access token.", None)}}
    return {"data": _inspect(token)}


def me(call: Call) -> Answer:
    token = call.token
    owner = Business.find(call.world, token.business_id)
    name = owner.name if owner else call.world.settings.app_name
    fields = {"id": token.user_id, "name": name, "client_business_id": token.business_id}
    return call.project(fields, "SystemUser", ("id", "name"))


def _check_app(world: World, params: dict[str, Any]) -> None:
    if not params.get("client_id"):
        raise missing("client_id")
    if params["client_id"] != world.settings.app_id:
        raise GraphError(101)
    if params.get("client_secret") not in world.settings.app_secret:
        raise GraphError(1, "Error validating client secret.")


def _exchange(world: World, text: str, redirect_uri: str) -> Token:
    with world.store.transaction():
        code = Code.find(world, text)
        if code is None:
            raise invalid("Invalid verification code format.")
        if code.used:
            raise _refusal(CODE_USED)
        if code.expired:
            raise _refusal(CODE_EXPIRED)
        if code.redirect_uri != redirect_uri:
            raise _refusal(CODE_ELSEWHERE)
        return code.exchange()


def _refusal(reason: tuple[int, str]) -> GraphError:
    subcode, message = reason
    return GraphError(100, message, subcode=subcode)


def _grant(token: Token) -> Answer:
    answer: Answer = {"access_token": token.id, "token_type": "bearer"}
    if token.expires_at:
        answer["expires_in"] = int(token.expires_at - token.issued_at)
    return answer


def _inspect(token: Token) -> Answer:
    data: Answer = {
        "app_id": token.world.settings.app_id,
        "type": "APP" if token.kind == "app" else "SYSTEM_USER",
        "application": token.world.settings.app_name,
        "data_access_expires_at": 0,
        "expires_at": int(token.expires_at or 0),
        "is_valid": token.alive,
        "issued_at": int(token.issued_at),
        "scopes": [entry["scope"] for entry in token.granular_scopes],
        "granular_scopes": token.granular_scopes,
        "user_id": token.user_id,
    }
    if token.expired:
        data["error"] = _problem("Error validating access token: Session has expired.", 463)
    elif not token.alive:
        data["error"] = _problem("Error validating access token: The session has been invalidated.", 467)
    return data


def _problem(message: str, subcode: int | None) -> Answer:
    return {"code": 190, "message": message} | ({"subcode": subcode} if subcode else {})
