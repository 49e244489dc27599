"""Notifications as the API shows and takes them."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal, Self

from flask_babel import gettext as _
from pydantic import Field

from app.api import Shape
from app.api.declaring import Time
from app.inbox.api.sending import Addressed
from app.message_templates.models import MessageTemplate
from app.notifications.models import LONGEST_PAUSE, Notification
from app.notifications.values import LONGEST, MOST_VARIABLES, Variable

Type = Literal["text", "number", "money", "date", "time", "url"]
Access = Literal["any", "chosen", "none"]
Text = Annotated[str, Field(max_length=LONGEST)]
MOST_KEYS = 100


class VariableShape(Shape):
    """One row of the mapping: the value that callers give as `name` fills the template's variable `target`."""

    name: Annotated[str, Field(min_length=1, max_length=40, examples=["amount"])]
    type: Type = "text"
    required: bool = True
    example: Text = Field("", examples=["500000 XOF"])
    default: Text = Field("", description="Of one that is not required: what goes out where no value is given.")
    target: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="As the template's own schema names it (`GET /templates/{template_id}/schema`)."
    )

    @classmethod
    def of(cls, one: Variable) -> Self:
        more = {"example": one.example, "default": one.default, "target": one.target}
        return cls(name=one.name, type=one.type, required=one.is_required, **more)  # type: ignore[arg-type]

    @property
    def variable(self) -> Variable:
        return Variable(self.name, self.type, self.required, self.example, self.default, self.target)


class ObstacleShape(Shape):
    """A language of the template that can't be sent, and why."""

    language: str
    waba_id: uuid.UUID
    detail: str


class NotificationSummary(Shape):
    """A notification in a list."""

    name: str = Field(examples=["payment_received"])
    title: str = Field(examples=["Payment received"])
    template: str = Field(description="The name of the template that it goes out with.")
    language: str = Field(description="For everybody whose language the template doesn't have.")
    is_paused: bool
    created_at: Time

    @classmethod
    def of(cls, one: Notification) -> NotificationSummary:
        return NotificationSummary(**cls.summary(one))

    @classmethod
    def summary(cls, one: Notification) -> dict[str, Any]:
        names = ("name", "title", "template", "language", "created_at")
        return {name: getattr(one, name) for name in names} | {"is_paused": not one.is_active}


class NotificationShape(NotificationSummary):
    """A notification: what it is sent with, by whom, and the JSON Schema of its variables."""

    id: uuid.UUID
    category: str = Field(description="The template's own, in Meta's words; empty while no account has the template.")
    languages: list[str] = Field(description="Those in which it can be sent now.")
    obstacles: list[ObstacleShape]
    language_field_id: uuid.UUID | None = Field(description="The field of contacts that says their language.")
    from_: uuid.UUID | None = Field(
        alias="from", description="The number it goes from; without one, the number they wrote to last."
    )
    variables: list[VariableShape]
    variable_schema: dict[str, Any] = Field(alias="schema", description="JSON Schema of `variables` when sending.")
    access: Access = Field(description="Which keys may send it: any with the scope, the chosen ones, or none.")
    api_key_ids: list[str]
    pause_minutes: int = Field(description="A contact gets it once in so many minutes; 0: whenever it is sent.")

    @classmethod
    def of(cls, one: Notification) -> NotificationShape:
        variants = one.variants()
        results = [(variant, one.obstacle(variant)) for variant in variants]
        more: dict[str, Any] = {"from": one.phone_number_id, "schema": one.schema, "access": one.access}
        return NotificationShape(
            **cls.summary(one),
            **more,
            id=one.id,
            category=variants[0].category if variants else "",
            languages=sorted({variant.language for variant, obstacle in results if obstacle is None}),
            obstacles=[obstacle_shape(variant, why.explain(_)) for variant, why in results if why],
            language_field_id=one.language_field_id,
            variables=[VariableShape.of(variable) for variable in one.variables],
            api_key_ids=one.api_key_ids,
            pause_minutes=one.pause_minutes,
        )


def obstacle_shape(variant: MessageTemplate, detail: str) -> ObstacleShape:
    return ObstacleShape(language=variant.language, waba_id=variant.waba_id, detail=detail)


class GivenNotification(Shape):
    """What a notification is to be. What is left out is as it would be in a new one."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    template: Annotated[str, Field(min_length=1, max_length=512)]
    language: Annotated[str, Field(min_length=2, max_length=20)]
    variables: list[VariableShape] = Field(default_factory=list, max_length=MOST_VARIABLES)
    language_field_id: uuid.UUID | None = None
    from_: uuid.UUID | None = Field(None, alias="from")
    access: Access = "any"
    api_key_ids: list[uuid.UUID] = Field(default_factory=list, max_length=MOST_KEYS)
    pause_minutes: int = Field(0, ge=0, le=LONGEST_PAUSE)
    is_paused: bool = False


class NotificationChange(Shape):
    """A member that is left out stays as it is."""

    title: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    template: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    language: Annotated[str, Field(min_length=2, max_length=20)] | None = None
    variables: list[VariableShape] | None = Field(None, max_length=MOST_VARIABLES)
    language_field_id: uuid.UUID | None = None
    from_: uuid.UUID | None = Field(None, alias="from")
    access: Access | None = None
    api_key_ids: list[uuid.UUID] | None = Field(None, max_length=MOST_KEYS)
    pause_minutes: int | None = Field(None, ge=0, le=LONGEST_PAUSE)
    is_paused: bool | None = None


class NotificationSending(Addressed):
    """A notification to somebody. `variables` are as its schema says.

    `language` is the recipient's, such as `fr`; where it is left out, the contact's own.
    """

    variables: dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=20_000)]] = Field(
        default_factory=dict, max_length=100
    )
    language: Annotated[str, Field(max_length=20)] = ""
