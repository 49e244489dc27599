"""The customer's phone, as a page."""

from flask import Flask

from simulator.phone.actions import actions
from simulator.phone.flow_views import flows, named
from simulator.phone.links import links
from simulator.phone.views import phone


def install(app: Flask) -> None:
    app.register_blueprint(phone)
    app.register_blueprint(actions)
    app.register_blueprint(flows)
    app.register_blueprint(links)
    app.add_template_global(named, "flow_named")
