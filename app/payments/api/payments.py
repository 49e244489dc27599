"""Payments for programs: list, get, put by the id of their own system, refund."""

from __future__ import annotations

import uuid

from flask import request
from pydantic import Field
from werkzeug.exceptions import NotFound

from app.api import Created, Page, PageQuery, Place, Problem, check_match, current_key, endpoint, scope
from app.api.declaring import AddressTime
from app.api.pages import after, page_of
from app.inbox.api import reach
from app.inbox.api.reach import OUT_OF_REACH
from app.payments.models import Payment
from app.tenancy import db
from app.words import N_

from .shapes import GivenPayment, PaymentShape, Status

READ = scope("payments:read", N_("Read payments"))
WRITE = scope("payments:write", N_("Report payments and refunds"))
TAG = "Payments"


class PaymentsQuery(PageQuery):
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")
    status: Status | None = Field(None, alias="filter[status]")
    paid_after: AddressTime | None = None
    paid_before: AddressTime | None = None


@endpoint("GET", "/payments", scope=READ, query=PaymentsQuery, gives=Page[PaymentShape], tag=TAG)
def list_payments(query: PaymentsQuery) -> Page[PaymentShape]:
    """List payments.

    Those that were paid last first.
    """
    rows = Payment.newest().order_by(None).where(reach.contact_reached(Payment.contact_id))
    if query.contact_id:
        rows = rows.where(Payment.contact_id == query.contact_id)
    if query.status:
        rows = rows.where(Payment.status == query.status)
    if query.paid_after:
        rows = rows.where(Payment.paid_at > query.paid_after)
    if query.paid_before:
        rows = rows.where(Payment.paid_at < query.paid_before)
    rows = after(rows, query.after, Payment.id, Payment.paid_at)
    results = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(results, query.limit, PaymentShape.of, lambda one: Place(one.id, one.paid_at))


def find_payment(external_id: str) -> Payment:
    mine = Payment.newest().where(Payment.external_id == external_id, reach.contact_reached(Payment.contact_id))
    if (results := db.session.scalar(mine)) is None:
        raise NotFound
    return results


@endpoint("GET", "/payments/<external:external_id>", scope=READ, gives=PaymentShape, tag=TAG)
def get_payment(external_id: str) -> PaymentShape:
    """Get a payment.

    By the id that your system has for it, percent-encoded.
    """
    return PaymentShape.of(find_payment(external_id))


@endpoint(
    "PUT",
    "/payments/<external:external_id>",
    scope=WRITE,
    body=GivenPayment,
    gives=PaymentShape,
    tag=TAG,
    problems=(OUT_OF_REACH,),
    creates=True,
)
def put_payment(external_id: str, body: GivenPayment) -> PaymentShape | Created:
    """Report a payment.

    By the id that your system has for it. Report it as often as you like: it is one payment, and the first time that it
    is received, `payment.received` happens and the customer gets the confirmation that the business chose.
    """
    if request.headers.get("If-Match") is not None and Payment.called(external_id) is None:
        raise Problem("changed_meanwhile")
    given = body.read()
    payment, is_new = Payment.claim(external_id, given)
    if not is_new:
        if not reach_of(payment):
            raise Problem(OUT_OF_REACH)
        check_match(PaymentShape.of(payment))
        payment.change(given)
    payment.settle(by=current_key().actor, confirms=body.notify)
    shape = PaymentShape.of(payment)
    return Created(shape) if is_new else shape


def reach_of(payment: Payment) -> bool:
    mine = Payment.newest().where(Payment.id == payment.id, reach.contact_reached(Payment.contact_id))
    return db.session.scalar(mine) is not None


@endpoint("POST", "/payments/<external:external_id>/refund", scope=WRITE, gives=PaymentShape, tag=TAG)
def refund_payment(external_id: str) -> PaymentShape:
    """Mark a payment as refunded.

    The customer gets no message.
    """
    payment = find_payment(external_id).refresh_locked()
    payment.refund()
    return PaymentShape.of(payment)
