"""What a page calls the values of a dimension. Looks names up once."""

from __future__ import annotations

import json
import uuid
from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.contacts.tags import Tag
from app.entry_points.models import EntryPoint
from app.message_templates.models import MessageTemplate
from app.team.models.teams import Team, colleagues
from app.tenancy import db
from app.wabas.models import PhoneNumber


class Names:
    @cached_property
    def numbers(self) -> dict[str, str]:
        return self.of_all(PhoneNumber.id, PhoneNumber.display_number)

    @cached_property
    def teams(self) -> dict[str, str]:
        return self.of_all(Team.id, Team.name)

    @cached_property
    def members(self) -> dict[str, str]:
        return {str(user.id): user.name for user in colleagues()}

    @cached_property
    def tags(self) -> dict[str, str]:
        return self.of_all(Tag.id, Tag.name)

    @cached_property
    def entry_points(self) -> dict[str, str]:
        return self.of_all(EntryPoint.id, EntryPoint.name)

    @cached_property
    def templates(self) -> dict[str, str]:
        rows = db.session.execute(select(MessageTemplate.id, MessageTemplate.name, MessageTemplate.language))
        return {str(row.id): f"{row.name} ({row.language})" for row in rows}

    def of_all(self, *columns: Any) -> dict[str, str]:
        return {str(id): name for id, name in db.session.execute(select(*columns))}

    def of(self, dimension: str, key: str, title: str = "") -> str:
        match dimension:
            case "number":
                return self.numbers.get(key, key)
            case "team":
                return self.teams.get(key, "") if key else str(_("No team"))
            case "agent":
                return self.member(key) if key else str(_("No one in particular"))
            case "tag":
                return self.tags.get(key, "")
            case "entry_point":
                return self.entry_points.get(key, "")
            case "subject":
                return title or ": ".join(map(str, json.loads(key)))
        return self.templates.get(key) or str(_("Deleted template"))

    def member(self, id: uuid.UUID | str) -> str:
        return self.members.get(str(id)) or str(_("Former team member"))
