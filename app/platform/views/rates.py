"""Meta's loaded price lists, and the prices that are missing."""

from __future__ import annotations

import uuid

from flask import abort, render_template, request
from sqlalchemy import func, select

from app.billing.rate_cards import UNKNOWN, RateCard, day_of
from app.billing.terms import CATEGORY_WORDS
from app.billing.usage import Usage
from app.platform.blueprint import bp
from app.tenancy import db, in_menu, now, platform_only
from app.wabas.models import Waba
from app.words import N_


@bp.get("/rates")
@in_menu("console", N_("Rates"), "coins", order=80)
@platform_only
def rates() -> str:
    """Shows one card, the requested or else the first in force, and links to the others."""
    cards, today = list(db.session.scalars(RateCard.newest_first())), day_of(now())
    in_force = [card for currency in {card.currency for card in cards} if (card := RateCard.on(currency, today))]
    card_id = request.args.get("card", type=uuid.UUID)
    shown = next((card for card in cards if (card.id == card_id if card_id else card in in_force)), None)
    if card_id and shown is None:
        abort(404)
    return render_template(
        "platform/rates.html",
        cards=cards,
        shown=shown,
        in_force=in_force,
        categories=CATEGORY_WORDS,
        uncarded=without_card(),
        unpriced=[(UNKNOWN[reason], count) for reason, count in count_unpriced()],
    )


def without_card() -> list[tuple[str, int]]:
    """Currencies in which accounts are billed and that have no card; an empty currency is not reported by Meta yet."""
    currencies = select(RateCard.currency)
    query = select(Waba.currency, func.count()).where(Waba.currency.not_in(currencies)).group_by(Waba.currency)
    return [(currency, count) for currency, count in db.session.execute(query.order_by(Waba.currency))]


def count_unpriced() -> list[tuple[str, int]]:
    query = select(Usage.unknown, func.count()).where(Usage.unknown != "").group_by(Usage.unknown)
    return [(reason, count) for reason, count in db.session.execute(query.order_by(Usage.unknown))]
