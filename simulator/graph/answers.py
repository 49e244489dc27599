import json
from typing import Any

from flask import Response, g, jsonify, request

from simulator import ids
from simulator.errors import GraphError


def refuse(error: GraphError) -> Response:
    response = jsonify(error.body())
    response.status_code = error.http
    if error.http == 401:
        response.headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{error.message}"'
    return response


def unknown_path(_: Any) -> Response:
    return dress(refuse(GraphError(2500, f"Unknown path components: {request.path}")))


def dress(response: Response) -> Response:
    """The headers Graph puts on everything."""
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
