"""Rate cards that come with the product: a migration for each, which loads its file from `app/billing/cards`."""

import json
import pathlib

from alembic import op
from sqlalchemy import text

from app.billing.price_lists import PriceList
from app.tenancy import uuid7

CARDS = pathlib.Path(__file__).parent.parent / "app" / "billing" / "cards"


def add_card(currency: str, valid_from: str) -> None:
    lines = (CARDS / f"{currency}-{valid_from}.csv").read_text().splitlines()
    prices = PriceList.read(lines)
    source = " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))
    card = {"id": str(uuid7()), "currency": currency, "valid_from": valid_from, "source": source}
    codes = [{"code": code, "market": market} for code, market in prices.codes.items()]
    rates = [{"market": market, "category": each, "micros": m} for (market, each), m in prices.prices.items()]
    connection = op.get_bind()
    op.execute("set role switchboard_platform")
    connection.execute(CARD, card)
    connection.execute(CODES, {"card": card["id"], "rows": json.dumps(codes)})
    connection.execute(RATES, {"card": card["id"], "rows": json.dumps(rates)})
    op.execute("reset role")


CARD = text("""
    insert into rate_cards (id, currency, valid_from, source, loaded_at)
    values (:id, :currency, :valid_from, :source, now())
""")
CODES = text("""
    insert into market_codes (rate_card_id, code, market)
    select :card, code, market from jsonb_to_recordset(cast(:rows as jsonb)) as r(code text, market text)
""")
RATES = text("""
    insert into rates (rate_card_id, market, category, micros)
    select :card, market, category, micros
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(market text, category text, micros bigint)
""")
