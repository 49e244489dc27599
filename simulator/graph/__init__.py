"""The Graph API: nodes and edges as Meta shapes them."""

from flask import Flask
from werkzeug.routing import BaseConverter

from simulator.errors import GraphError
from simulator.graph import answers, downloads, routes


class NodeId(BaseConverter):
    regex = r"\d{5,20}"


def install(app: Flask) -> None:
    app.url_map.converters["node"] = NodeId
    app.register_blueprint(routes.graph)
    app.register_blueprint(routes.graph, url_prefix="/v<int:version>.0", name="versioned_graph")
    app.register_blueprint(downloads.downloads)
    app.register_error_handler(GraphError, answers.refuse)
    app.register_error_handler(404, answers.unknown_path)
