import json
from typing import Any, cast

from flask import Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from simulator import ids
from simulator.errors import GraphError


def refuse(error: GraphError) -> Response:
    """The response for an error."""
    response = jsonify(error.body())
    response.status_code = error.http
    if error.http == 401:
        response.headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{error.message}"'
    return response


def unknown_path(_: Any) -> Response:
    """The response for a path that does not exist."""
    return dress(refuse(GraphError(2500, f"Unknown path components: {request.path}")))


def refuse_in_json(error: HTTPException) -> Response:
    """Turns an error of the web framework into a Graph error; Meta never answers in HTML."""
    if error.response is not None:
        return cast("Response", error.response)
    if error.code == 405:
        return dress(refuse(GraphError(100, f"Unsupported {request.method.lower()} request.", subcode=33)))
    if error.code == 500:
        return dress(refuse(GraphError(1, "An unknown error has occurred.", http=500)))
    return dress(refuse(GraphError(100, f"(#100) {error.description}", http=error.code)))


def dress(response: Response) -> Response:
    """Adds the headers of every Graph response."""
    usage = {"call_count": 1, "total_cputime": 1, "total_time": 1}
    response.headers["facebook-api-version"] = f"v{g.get('version', 25)}.0"
    response.headers["x-fb-trace-id"] = ids.trace()
    response.headers["x-fb-request-id"] = ids.trace()
    response.headers["x-fb-rev"] = "1030000000"
    response.headers["x-app-usage"] = json.dumps(usage)
    if waba_id := g.get("waba_id"):
        business_usage = usage | {"type": "whatsapp", "estimated_time_to_regain_access": 0}
        response.headers["x-business-use-case-usage"] = json.dumps({waba_id: [business_usage]})
    return response
