from collections.abc import Callable

from simulator.errors import GraphError
from simulator.graph.contents import media
from simulator.graph.contents.part import Part

LONGEST_BODY = 1024
LONGEST_LIST_BODY = 4096
MOST_ROWS = 10
MEDIA_HEADERS = ("image", "video", "document")
ANY_HEADER = ("text", *MEDIA_HEADERS)


def interactive(given: Part) -> None:
    kind = given.choice("type", tuple(KINDS))
    given.only("type", "header", "body", "footer", "action")
    headers, check = KINDS[kind]
    _header(given, headers)
    if "footer" in given:
        given.part("footer").text("text", 60)
    check(given)


def _header(given: Part, allowed: tuple[str, ...]) -> None:
    if "header" not in given:
        return
    header = given.part("header")
    if not allowed:
        raise given.wrong("header", "is not allowed for this type")
    kind = header.choice("type", allowed)
    if kind == "text":
        header.text("text", 60)
    else:
        media.source(header.part(kind))


def _body(given: Part, longest: int = LONGEST_BODY) -> None:
    given.part("body").text("text", longest)


def _button(given: Part) -> None:
    _body(given)
    replies = []
    for button in given.part("action").parts("buttons", 1, 3):
        button.choice("type", ("reply",))
        replies.append(_reply(button.part("reply")))
    _distinct(given, [id for id, _ in replies], "Button ids")
    _distinct(given, [title for _, title in replies], "Button titles")


def _reply(reply: Part) -> tuple[str, str]:
    id, title = reply.text("id", 256), reply.text("title", 20)
    if id != id.strip() or title != title.strip():
        raise reply.wrong("id", "must not begin or end with a space")
    return id, title


def _list(given: Part) -> None:
    _body(given, LONGEST_LIST_BODY)
    action = given.part("action")
    action.text("button", 20)
    sections = action.parts("sections", 1, 10)
    rows = [row for section in sections for row in section.parts("rows", 1, MOST_ROWS)]
    if len(rows) > MOST_ROWS:
        raise GraphError(131009, f"Total row count exceed max allowed count: {MOST_ROWS}")
    for section in sections:
        if len(sections) > 1:
            section.text("title", 24)
        else:
            section.optional_text("title", 24)
    for row in rows:
        row.text("title", 24)
        row.optional_text("description", 72)
    _distinct(given, [row.text("id", 200) for row in rows], "Row ids")


def _cta_url(given: Part) -> None:
    _body(given)
    _address_button(_named_action(given, "cta_url").part("parameters"))


def _address_button(parameters: Part) -> None:
    parameters.text("display_text", 20)
    if not parameters.text("url", 2000).startswith(("http://", "https://")):
        raise parameters.wrong("url", "must be an http or https address")


def _location_request(given: Part) -> None:
    given.without("footer")
    _body(given)
    _named_action(given, "send_location")


def _flow(given: Part) -> None:
    _body(given)
    parameters = _named_action(given, "flow").part("parameters")
    parameters.text("flow_message_version", 10)
    parameters.text("flow_cta", 30)
    if ("flow_id" in parameters) == ("flow_name" in parameters):
        raise parameters.wrong("flow_id", "or flow_name must be given, and not both")
    if "mode" in parameters:
        parameters.choice("mode", ("draft", "published"))
    if "flow_action" in parameters:
        action = parameters.choice("flow_action", ("navigate", "data_exchange"))
        if action == "data_exchange" and "flow_action_payload" in parameters:
            raise parameters.wrong("flow_action_payload", "must be omitted with the action data_exchange")


def _product(given: Part) -> None:
    action = given.part("action")
    action.text("catalog_id", 100)
    action.text("product_retailer_id", 100)


def _product_list(given: Part) -> None:
    given.part("header").choice("type", ("text",))
    _body(given)
    action = given.part("action")
    action.text("catalog_id", 100)
    sections = action.parts("sections", 1, 10)
    products = [product for section in sections for product in section.parts("product_items", 1, 30)]
    if len(products) > 30:
        raise GraphError(131009, "Total product count exceed max allowed count: 30")
    for product in products:
        product.text("product_retailer_id", 100)


def _carousel(given: Part) -> None:
    given.without("footer")
    _body(given)
    for card in given.part("action").parts("cards", 2, 10):
        card.require("card_index")
        if "body" in card:
            card.part("body").text("text", 160)
        if "header" in card:
            _header(card, ("image", "video"))
        _card_action(card.part("action"))


def _card_action(action: Part) -> None:
    """A product, up to three quick replies, or one address."""
    if "buttons" in action:
        for button in action.parts("buttons", 1, 3):
            button.choice("type", ("quick_reply",))
            _reply(button.part("quick_reply"))
    elif "product_retailer_id" in action:
        action.text("product_retailer_id", 100)
        action.text("catalog_id", 100)
    else:
        action.choice("name", ("cta_url",))
        _address_button(action.part("parameters"))


def _voice_call(given: Part) -> None:
    _body(given)
    _named_action(given, "voice_call")


def _address(given: Part) -> None:
    _body(given)
    _named_action(given, "address_message").part("parameters").text("country", 2)


def _plainly(name: str, body_needed: bool) -> Callable[[Part], None]:
    def check(given: Part) -> None:
        if body_needed or "body" in given:
            _body(given)
        _named_action(given, name)

    return check


def _named_action(given: Part, name: str) -> Part:
    action = given.part("action")
    action.choice("name", (name,))
    return action


def _distinct(given: Part, values: list[str], what: str) -> None:
    if len(set(values)) < len(values):
        raise GraphError(131009, f"{what} must be distinct in {given.path}.action.")


# For each type: which headers it may carry, and what else is checked.
KINDS: dict[str, tuple[tuple[str, ...], Callable[[Part], None]]] = {
    "button": (ANY_HEADER, _button),
    "list": (("text",), _list),
    "cta_url": (ANY_HEADER, _cta_url),
    "location_request_message": ((), _location_request),
    "flow": (ANY_HEADER, _flow),
    "product": ((), _product),
    "product_list": (("text",), _product_list),
    "catalog_message": ((), _plainly("catalog_message", body_needed=True)),
    "carousel": ((), _carousel),
    "call_permission_request": ((), _plainly("call_permission_request", body_needed=False)),
    "voice_call": ((), _voice_call),
    "request_contact_info": ((), _plainly("request_contact_info", body_needed=True)),
    "address_message": (ANY_HEADER, _address),
}
