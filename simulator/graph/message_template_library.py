from simulator import template_library
from simulator.graph.call import Call
from simulator.graph.edges import Answer

SHOWN = (
    "name",
    "language",
    "category",
    "topic",
    "usecase",
    "industry",
    "header",
    "body",
    "body_params",
    "body_param_types",
    "footer",
    "buttons",
    "id",
)


def index(call: Call) -> Answer:
    """The library's templates that match `search`, `topic`, `usecase`, `industry`, `language`, `category`, `name`."""
    nodes = [dict.fromkeys(SHOWN) | one.about for one in template_library.everything() if one.matches(call.params)]
    return call.page(nodes, "WhatsAppMessageTemplateLibrary", SHOWN)
