"""What a request says, read strictly: what an endpoint does not know is an error, never ignored."""

from __future__ import annotations

import codecs
import contextlib
import fnmatch
import json
import shutil
import tempfile
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError
from pydantic_core import ErrorDetails

from app.tenancy import commit

from .problems import Fault, Problem

JSON = "application/json"
# Bodies that a browser wraps around a file.
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
CHUNK = 64 * 1024
MOST_FAULTS = 50
# Of one body. What is larger is no request of an honest program, and would cost more than it is worth.
DEEPEST, MOST_MEMBERS, MOST_ITEMS = 32, 1_000, 10_000
TOO_DEEP = f"The body may be at most {DEEPEST} levels deep."
ENCODED = "Send the body as it is, without Content-Encoding: compressed bodies are not read."
# What Pydantic calls it, where there is a plainer word.
CODES = {"missing": "required", "extra_forbidden": "unknown_field", "union_tag_not_found": "required"}
WORDS = {
    "union_tag_not_found": "Field required",
    "union_tag_invalid": "Input should be one of {expected_tags}",
    "uuid_type": "Input should be a string that is a UUID",
}
Model = TypeVar("Model", bound=BaseModel)


class NoQuery(BaseModel):
    """The parameters of an address that takes none."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Unacceptable(ValueError):
    """JSON that could not be stored as it is, or that says two things at once."""


def read_body(model: type[Model], rewrite: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> Model:
    """The body as this model. Raises a `Problem` that names every part that is wrong.

    `rewrite` makes of a body that was written for an older version one of the newest.
    """
    if request.mimetype != JSON:
        raise Problem("unsupported_media_type", type=JSON)
    refuse_encoded()
    # What some programs of Windows begin every text with; RFC 8259 lets a reader pass over it.
    data = request.get_data().removeprefix(codecs.BOM_UTF8)
    body = parse(data)
    if not isinstance(body, dict):
        raise Problem("invalid_json")
    if rewrite:
        data = json.dumps(rewrite(body)).encode()
    try:
        return model.model_validate_json(data, strict=True)
    except ValidationError as error:
        is_union = issubclass(model, RootModel)
        raise Problem("invalid_request", errors=[fault_of_body(one, is_union) for one in first_errors(error)]) from None


def refuse_body() -> None:
    """Raises a `Problem` for what was sent to an endpoint that takes nothing: a member would be passed over silently.

    An empty object, null or nothing at all is what many programs send then.
    """
    if not request.get_data().strip():
        return
    if request.mimetype != JSON:
        raise Problem("unsupported_media_type", type=JSON)
    refuse_encoded()
    body = parse(request.get_data().removeprefix(codecs.BOM_UTF8))
    if body is None:
        return
    if not isinstance(body, dict):
        raise Problem("invalid_json")
    if body:
        names = list(body)[:MOST_FAULTS]
        faults = [Fault("unknown_field", "This call takes no body.", pointer=pointer_of([name])) for name in names]
        raise Problem("invalid_request", errors=faults)


@contextlib.contextmanager
def read_file(types: Sequence[str]) -> Iterator[IO[bytes]]:
    """The body as a file, of one of these media types or ranges. Commits first: it may take a while to arrive."""
    if request.mimetype in FORMS or not any(fnmatch.fnmatchcase(request.mimetype, each) for each in types):
        raise Problem("unsupported_media_type", type=", ".join(types))
    refuse_encoded()
    commit()
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(request.stream, file, CHUNK)
        file.seek(0)
        yield file


def refuse_encoded() -> None:
    """Raises a `Problem` for a compressed body: it would be taken for JSON that is broken, or stored as the file."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem("unsupported_media_type", ENCODED, headers={"Accept-Encoding": "identity"})


def parse(data: bytes) -> Any:
    """The JSON value of a body. Raises a `Problem`, also for a name given twice, NaN, NUL and halves of characters."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=members, parse_constant=refuse_constant)
        check_size(value)
    except Unacceptable as error:
        raise Problem("invalid_json", str(error)) from None
    except RecursionError:
        raise Problem("invalid_json", TOO_DEEP) from None
    except ValueError:
        raise Problem("invalid_json") from None
    return value


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # First: to find a name that is there twice among a hundred thousand would take a minute.
    if len(pairs) > MOST_MEMBERS:
        raise Unacceptable(f"An object may have at most {MOST_MEMBERS:,} members.")
    value = dict(pairs)
    if len(value) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise Unacceptable(f"The name {names.most_common(1)[0][0][:100]!r} is in one object twice.")
    return value


def refuse_constant(name: str) -> Any:
    raise Unacceptable(f"{name} is not a JSON value.")


def check_size(value: Any) -> None:
    """Refuses what no database could hold, and what is too deep or too long to be meant."""
    level = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                check_text(each)
            elif isinstance(each, dict):
                below += each
                below += each.values()
            elif isinstance(each, list):
                if len(each) > MOST_ITEMS:
                    raise Unacceptable(f"A list may have at most {MOST_ITEMS:,} items.")
                below += each
        if not below:
            return
        level = below
    raise Unacceptable(TOO_DEEP)


def check_text(value: str) -> None:
    if "\x00" in value:
        raise Unacceptable("A text may not contain the character U+0000.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unacceptable("A text contains half of a surrogate pair.") from None


def read_query(model: type[Model]) -> Model:
    """The parameters of the address as this model. Raises a `Problem` that names every one that is wrong."""
    values: dict[str, Any] = {}
    lists = {field.alias or name for name, field in model.model_fields.items() if is_list(field.annotation)}
    for name, given in request.args.lists():
        if name not in lists and len(given) > 1:
            fault = Fault("repeated", "This parameter can be given once.", parameter=name[:100])
            raise Problem("invalid_request", errors=[fault])
        # Lists are of words that hold no comma: repeated or with commas, as programs like.
        values[name] = [word for each in given for word in each.split(",")] if name in lists else given[0]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Problem("invalid_request", errors=[fault_of_query(one) for one in first_errors(error)]) from None


def is_list(annotation: Any) -> bool:
    """Whether a parameter may be repeated: `list[…]`, or that and None."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(map(is_list, typing.get_args(annotation)))
    return typing.get_origin(annotation) is list


def first_errors(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False)[:MOST_FAULTS]


def fault_of_body(error: ErrorDetails, is_union: bool) -> Fault:
    """Of a union, an error's place begins with which of its types it is; the body has no such member.

    Where the type is missing or unknown, the place is the member that names it."""
    place = error["loc"][1:] if is_union else error["loc"]
    if error["type"] in ("union_tag_not_found", "union_tag_invalid"):
        place = *place, error["ctx"]["discriminator"].strip("'")
    return Fault(code_of(error), words_of(error), pointer=pointer_of(place))


def pointer_of(place: Sequence[object]) -> str:
    parts = (str(part).replace("~", "~0").replace("/", "~1")[:100] for part in place)
    return "".join(f"/{part}" for part in parts)


def fault_of_query(error: ErrorDetails) -> Fault:
    name = str(error["loc"][0])[:100] if error["loc"] else None
    return Fault(code_of(error), words_of(error), parameter=name)


def code_of(error: ErrorDetails) -> str:
    return CODES.get(error["type"], error["type"])


def words_of(error: ErrorDetails) -> str:
    words = WORDS.get(error["type"], "")
    return words.format(**error.get("ctx", {})) or error["msg"].removeprefix("Value error, ")
