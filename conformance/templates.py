"""Calls about templates: submitting, changing, listing, deleting, samples, the library, analytics, Direct Send."""

from __future__ import annotations

from typing import Any

from conformance.session import APP, CUSTOMER, FILES, Session

VERIFICATION = [
    {"type": "BODY", "add_security_recommendation": True},
    {"type": "FOOTER", "code_expiration_minutes": 10},
    {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy Code"}]},
]
SHIPPED = {
    "type": "BODY",
    "text": "Thank you for your order, {{1}}! Your order number is {{2}}. Tap the PDF above to view your receipt.",
    "example": {"body_text": [["Mark", "860198-230332"]]},
}
OFFER = [
    {"type": "HEADER", "format": "TEXT", "text": "Our {{1}} is on!", "example": {"header_text": ["Summer Sale"]}},
    {"type": "BODY", "text": "Come by before the end of August and bring a friend with you."},
    {"type": "FOOTER", "text": "Use the buttons below to manage your marketing subscriptions"},
    {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Unsubscribe from Promos"}]},
]


def live(session: Session, waba: str, token: str) -> None:
    """The life of templates from the sample file to the deletion."""
    handle = _sample(session, token)
    receipt = [{"type": "HEADER", "format": "DOCUMENT", "example": {"header_handle": [handle]}}, SHIPPED]
    made = _create(session, waba, token, "order_confirmation_approved", "UTILITY", receipt)
    session.name_ids(template=made)
    _create(session, waba, token, "seasonal_promotion", "MARKETING", OFFER)
    code = _create(session, waba, token, "authentication_code", "AUTHENTICATION", VERIFICATION)
    session.call(token, "GET", f"{waba}/message_templates", params={"name": "authentication_code"})
    session.call(token, "GET", f"{made}?fields=name,status,quality_score,rejected_reason")
    session.call(token, "POST", made, json={"components": receipt})
    session.call(token, "DELETE", f"{waba}/message_templates", params={"name": "authentication_code", "hsm_id": code})
    session.call(token, "GET", "message_template_library", params={"search": "overdue"})
    about = {"name": "late", "language": "en_US", "category": "UTILITY", "library_template_name": "order_delay_1"}
    session.call(token, "POST", f"{waba}/message_templates", json=about)
    session.call(token, "POST", waba, params={"is_enabled_for_insights": "true"})
    period = {"start": 1_700_000_000, "end": 4_000_000_000, "granularity": "daily", "template_ids": f"[{made}]"}
    session.call(token, "GET", f"{waba}/template_analytics", params=period)
    many = {"name": "codes", "languages": ["en_US", "de"], "category": "AUTHENTICATION", "components": VERIFICATION}
    session.call(token, "POST", f"{waba}/upsert_message_templates", json=many)
    query = {"category": "AUTHENTICATION", "languages": "en_US,de"}
    session.call(token, "GET", f"{waba}/message_template_previews", params=query)


def send_directly(session: Session, waba: str, number: str, token: str) -> None:
    """A utility message without a template, and the template that Meta generates."""
    session.order("direct-send", waba_id=waba, state="on")
    to = {"recipient_type": "individual", "to": f"+{CUSTOMER}"}
    envelope = {"messaging_product": "whatsapp", "category": "utility"} | to
    text = {"type": "text", "text": {"body": "Hi Ann, your order 17 has been shipped."}}
    session.call(token, "POST", f"{number}/messages", json=envelope | text)
    session.call(token, "GET", f"{waba}/message_templates", params={"source": "AUTO_GENERATED"})


def _sample(session: Session, token: str) -> str:
    mime_type, data = FILES["document"]
    params = {"file_name": "receipt.pdf", "file_length": len(data), "file_type": mime_type}
    # With a slash in front, or the colon would make it a scheme.
    started = "/" + session.call(token, "POST", f"{APP}/uploads", params=params).json()["id"]
    session.call(token, "GET", started)
    return str(session.call(token, "POST", started, content=data).json()["h"])


def _create(session: Session, waba: str, token: str, name: str, category: str, components: list[Any]) -> str:
    body = {"name": name, "language": "en_US", "category": category, "components": components}
    return str(session.call(token, "POST", f"{waba}/message_templates", json=body).json()["id"])
