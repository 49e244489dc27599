"""The list of conversations, and the views over it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import g, render_template, request
from flask_login import current_user
from sqlalchemy import select

from app.contacts.tags import Tag
from app.entry_points.models import EntryPoint
from app.inbox.blueprint import bp
from app.inbox.compose.drafts import Draft
from app.inbox.conversations import Conversation, Cursor
from app.inbox.desk.addresses import LIST_ARGUMENTS
from app.inbox.desk.lists import PAGE, ConversationList, count, count_views
from app.inbox.desk.preferences import DeskPreference
from app.inbox.desk.read_pointers import count_unread
from app.inbox.desk.saved_views import SavedView
from app.team.models import Team
from app.team.models.teams import colleagues
from app.tenancy import User, db, exists, in_menu, requires
from app.tenancy.guard import is_fragment
from app.tenancy.places import next_steps
from app.wabas.models import PhoneNumber
from app.words import N_

MOST_TAGS = 50
MOST_ENTRY_POINTS = 20


@bp.get("/")
@in_menu("rail", N_("Inbox"), "inbox", order=10, key="g i")
@requires("inbox.read")
def index() -> str:
    """The page, or the list alone where the view changes."""
    if is_fragment() and "HX-History-Restore-Request" not in request.headers:
        return render_template("inbox/desk/_list.html", **list_context(), is_update=True)
    return render_template("inbox/desk/index.html", **list_context(), next_steps=next_steps())


@bp.get("/list")
@requires("inbox.read")
def conversation_list() -> str:
    """The list, or a further page of it."""
    return render_template("inbox/desk/_list.html", **list_context(), is_update=True)


def list_arguments() -> dict[str, str]:
    """The list's part of a conversation's address; the list is loaded separately."""
    return {name: value for name, value in request.args.items() if name in LIST_ARGUMENTS}


def list_context() -> dict[str, Any]:
    """A page of the list the address asks for, and with the first page the views."""
    preference = DeskPreference.get_or_new(g.membership)
    inbox_list = ConversationList.from_arguments(request.args, g.membership, preference.first_view)
    before = Cursor.read(request.args.get("before"))
    rows = inbox_list.page(before)
    context = {
        "inbox_list": inbox_list,
        "conversations": rows[:PAGE],
        "next_page": inbox_list.cursor(rows[PAGE - 1]) if len(rows) > PAGE else None,
        "is_first_page": before is None,
        "news": count_unread(rows[:PAGE], g.membership),
        "drafts": Draft.previews([row.id for row in rows[:PAGE]], current_user),
        "is_untouched": not rows and not exists(select(Conversation.id)),
        "people": {person.id: person for person in users_by_id([row.assignee_id for row in rows])},
    }
    return context | views_context(inbox_list, preference) if before is None else context


def entry_points_offered(inbox_list: ConversationList) -> list[EntryPoint]:
    """The newest to choose from, and the chosen one."""
    newest = select(EntryPoint).order_by(EntryPoint.id.desc()).limit(MOST_ENTRY_POINTS)
    offered = list(db.session.scalars(newest))
    if inbox_list.entry and all(one.id != inbox_list.entry for one in offered):
        offered += filter(None, [EntryPoint.find(inbox_list.entry)])
    return offered


def users_by_id(ids: list[uuid.UUID | None]) -> list[User]:
    given = {id for id in ids if id}
    return list(db.session.scalars(select(User).where(User.id.in_(given)))) if given else []


def views_context(inbox_list: ConversationList, preference: DeskPreference) -> dict[str, Any]:
    """Every view, with the number of its conversations."""
    me = g.membership
    numbers = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id)).all()
    teams = db.session.scalars(Team.in_order()).all()
    saved = db.session.scalars(SavedView.for_member(me)).all()
    inbox_lists = {str(view.id): ConversationList.from_arguments(view.arguments, me) for view in saved}
    more = {f"number {number.id}": ConversationList(me, number=number.id) for number in numbers if len(numbers) > 1}
    more |= {f"team {team.id}": ConversationList(me, team=team.id) for team in teams}
    return {
        "counts": count_views(me) | count(more | {f"saved {id}": one for id, one in inbox_lists.items()}),
        "numbers": numbers,
        "tags": db.session.scalars(Tag.in_order().limit(MOST_TAGS)).all(),
        "teams": teams,
        "entry_points": entry_points_offered(inbox_list),
        "saved_views": [(view, inbox_lists[str(view.id)]) for view in saved],
        "agents": colleagues() if inbox_list.agent else [],
        "keys": preference.custom_keys,
    }
