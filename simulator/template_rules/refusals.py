"""Refusals of a submitted template: code 100 with a subcode, a title and a sentence for the user."""

from simulator.errors import GraphError

TOO_LONG, NO_EXAMPLE, BAD_NAME, SAMPLE_NAME = 2388040, 2388043, 2388046, 2388155
BAD_HEADER, BAD_BODY, BAD_FOOTER, BAD_BUTTON = 2388047, 2388072, 2388073, 2388060
TOO_MANY_VARIABLES, VARIABLE_AT_END, WRONG_FILE = 2388293, 2388299, 2388084
LANGUAGE_EXISTS, LANGUAGE_GOING, TOO_MANY_TEMPLATES = 2388024, 2388023, 2388019
GENERATED_EDIT, GENERATED_DELETE, NOT_EDITABLE, NOT_FOUND = 2388318, 2388330, 2388003, 2593002
CANNOT_CHANGE_STATUS = 2388039

TITLES = {
    TOO_LONG: "Character limit exceeded",
    NO_EXAMPLE: 'Message template "components" param is missing expected field(s)',
    BAD_NAME: "Name Format is Incorrect",
    SAMPLE_NAME: "Template name is already used as a sample template",
    BAD_HEADER: "Message header format is incorrect",
    BAD_BODY: "Message body format is incorrect",
    BAD_FOOTER: "Message footer format is incorrect",
    BAD_BUTTON: "Button format is incorrect",
    TOO_MANY_VARIABLES: "Parameters words ratio exceeds limit",
    VARIABLE_AT_END: "Leading or trailing params not allowed",
    WRONG_FILE: "File type not supported",
    LANGUAGE_EXISTS: "Content in This Language Already Exists",
    LANGUAGE_GOING: "Message template language is being deleted",
    TOO_MANY_TEMPLATES: "Message template limit exceeded",
    GENERATED_EDIT: "Can't update a Direct Send template",
    GENERATED_DELETE: "Can't delete a Direct Send template",
    NOT_EDITABLE: "Message template can't be edited",
    NOT_FOUND: "Message template not found",
    CANNOT_CHANGE_STATUS: "Message template status can't be changed",
}
# Meta's pages name no code of their own for these.
WITHOUT_CODE = "Invalid parameter"


def refusal(subcode: int | None, sentence: str, title: str = "") -> GraphError:
    """The error for a submission; without a subcode it has only a title and a sentence."""
    title = title or TITLES.get(subcode or 0, WITHOUT_CODE)
    return GraphError(100, "Invalid parameter", subcode=subcode, for_user=(title, sentence))


def too_long(place: str, longest: int) -> GraphError:
    """A text has more characters than its place takes."""
    return refusal(TOO_LONG, f"The {place} can have at most {longest} characters.")


def without_example(kind: str, member: str = "example") -> GraphError:
    """A component lacks a member that Meta requires."""
    return refusal(NO_EXAMPLE, f"component of type {kind} is missing expected field(s) ({member})")


def misplaced(sentence: str) -> GraphError:
    """A component or button is not allowed here, or not in this order or number."""
    return refusal(None, sentence, "Components sub-type or order is not valid")
