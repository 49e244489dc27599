"""Search, and the results of the command palette."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request
from sqlalchemy import select

from app.contacts.tags import Tag
from app.entry_points.models import EntryPoint
from app.folding import fold
from app.inbox.blueprint import bp
from app.inbox.conversations import Conversation, Cursor
from app.inbox.desk.lists import ConversationList
from app.inbox.desk.palette_items import items_for
from app.inbox.desk.saved_views import SavedView
from app.inbox.desk.search import TYPES, Search
from app.team.models.teams import colleagues
from app.tenancy import db, requires
from app.tenancy.guard import is_fragment
from app.wabas.models import PhoneNumber

MOST_ENTRY_POINTS, MOST_PEOPLE = 100, 8


@bp.get("/search")
@requires("inbox.read")
def search() -> str:
    query = Search.from_arguments(request.args)
    before = Cursor.read(request.args.get("before"))
    context: dict[str, Any] = {"search": query, "results": query.find(before), "is_first_page": before is None}
    if before is None:
        people = query.people(MOST_PEOPLE + 1)
        context |= {"people": people[:MOST_PEOPLE], "has_more_people": len(people) > MOST_PEOPLE}
        context["items"] = items_for(query.words)
    if is_fragment():
        return render_template("inbox/desk/_results.html", **context)
    numbers = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at)).all()
    conversation = Conversation.find(query.conversation) if query.conversation else None
    tags = Tag.offered()
    context["entry_points"] = db.session.scalars(EntryPoint.in_order().limit(MOST_ENTRY_POINTS)).all()
    context |= {"numbers": numbers, "agents": colleagues(), "tags": tags, "types": TYPES, "conversation": conversation}
    return render_template("inbox/desk/search.html", **context)


@bp.get("/palette")
@requires("inbox.read")
def palette() -> str:
    """Customers, records and saved views that match. Places and commands are in the palette itself."""
    query = Search.from_arguments(request.args)
    saved = db.session.scalars(SavedView.for_member(g.membership)).all()
    words = fold(query.words)
    matching = [view for view in saved if words in fold(view.name)]
    views = [(view.name, ConversationList.from_arguments(view.arguments, g.membership).arguments) for view in matching]
    return render_template(
        "inbox/desk/_palette_results.html",
        search=query,
        people=query.people(),
        views=views,
        items=items_for(query.words),
    )
