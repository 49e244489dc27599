"""The control panel: the whole state of the simulator, and the controls that change its behaviour."""

from flask import Flask, jsonify

from simulator.control import api, business_app, calls, customers, inbound, levers, pages, resources, templates
from simulator.customer_actions import NotPossible


def install(app: Flask) -> None:
    app.register_blueprint(api.api)
    app.register_blueprint(inbound.inbound)
    app.register_blueprint(customers.customers)
    app.register_blueprint(business_app.business_app)
    app.register_blueprint(levers.levers)
    app.register_blueprint(resources.resources)
    app.register_blueprint(templates.templates)
    app.register_blueprint(calls.calls)
    app.register_error_handler(NotPossible, lambda reason: (jsonify(error=str(reason)), 409))
    app.register_blueprint(pages.pages)
