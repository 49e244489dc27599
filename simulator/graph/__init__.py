"""The Graph API: nodes, edges and errors in Meta's shapes."""

from flask import Flask
from werkzeug.routing import BaseConverter

from simulator.errors import GraphError
from simulator.graph import answers, downloads, flows, routes


class NodeId(BaseConverter):
    """Any single path segment. An unknown one is answered like a node that does not exist."""

    # After every path that names more of itself.
    weight = 1000
    regex = r"[\w.%~|-]{1,200}"


def install(app: Flask) -> None:
    app.url_map.converters["node"] = NodeId
    # Meta does not mind a slash at the end, and never redirects.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.register_blueprint(routes.graph)
    app.register_blueprint(routes.graph, url_prefix="/v<int:version>.0", name="versioned_graph")
    app.register_blueprint(downloads.downloads)
    app.register_blueprint(flows.assets)
    app.register_error_handler(GraphError, answers.refuse)
    for status in (400, 405, 413, 415, 500):
        app.register_error_handler(status, answers.refuse_in_json)
    app.register_error_handler(404, answers.unknown_path)
