"""Calls about a number besides messages: adding, verifying, its public details, upkeep."""

from __future__ import annotations

from app.meta import (
    app_settings,
    blocked_users,
    business_profiles,
    conversational_components,
    credit_lines,
    message_links,
    phone_numbers,
    system_users,
)
from conformance.session import CUSTOMER, LINE, PARTNER, SYSTEM_TOKEN, Session


def add_by_api(session: Session, waba: str, token: str) -> None:
    """Adds a number by API and verifies it."""
    graph = session.graph
    number = phone_numbers.create(graph, token, waba, "1", "5550783885", "Bakery two")
    session.name_ids(number=number)
    phone_numbers.request_code(graph, token, number, "SMS", "en_US")
    answer = session.control.get("/verification-code", params={"phone_number_id": number}).json()
    phone_numbers.verify_code(graph, token, number, str(answer["code"]))


def connect_with_app(session: Session) -> None:
    """Connects a number together with the WhatsApp Business app."""
    cafe = session.client("seed", name="Cafe", display_phone_number="+1 555 078 3886")
    session.order("coexistence", phone_number_id=cafe["phone_number_id"], on=True)
    phone_numbers.synchronise(session.graph, cafe["token"], cafe["phone_number_id"], "smb_app_state_sync")


def change_public_details(session: Session, number: str, token: str) -> None:
    """Changes everything that customers see of a number."""
    graph = session.graph
    business_profiles.update(graph, token, number, about="Bread", vertical="GROCERY", websites=["https://b.example"])
    business_profiles.fetch(graph, token, number)
    handle = business_profiles.upload_picture(graph, token, b"\x89PNG\r\n\x1a\n", "image/png")
    business_profiles.update(graph, token, number, profile_picture_handle=handle)
    business_profiles.picture(graph, token, number)
    link = message_links.create(graph, token, number, "Hello")
    message_links.of_number(graph, token, number)
    message_links.create(graph, token, number, "Good morning", link.code)
    message_links.picture(graph, token, number, link.code, "SVG")
    message_links.delete(graph, token, number, link.code)
    conversational_components.update(graph, token, number, ["Open?"], [("hours", "When we are open")])
    conversational_components.fetch(graph, token, number)
    phone_numbers.rename(graph, token, number, "Best Bakery")
    phone_numbers.set_username(graph, token, number, "best.bakery")
    session.call(token, "GET", f"{number}/username")
    phone_numbers.delete_username(graph, token, number)
    blocked_users.block(graph, token, number, CUSTOMER)
    blocked_users.of_number(graph, token, number)
    blocked_users.unblock(graph, token, number, CUSTOMER)


def maintain(session: Session, business: str) -> None:
    """Makes the calls of regular upkeep."""
    graph = session.graph
    system_users.fetch_business_token(graph, SYSTEM_TOKEN, business)
    system_users.renew_business_token(graph, SYSTEM_TOKEN, business)
    credit_lines.of_business(graph, SYSTEM_TOKEN, PARTNER)
    credit_lines.fetch(graph, SYSTEM_TOKEN, LINE)
    app_settings.fetch(graph, graph.app_token)
    app_settings.callback(graph, graph.app_token)
