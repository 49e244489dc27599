"""Meta's error codes: what each is called and which HTTP status carries it."""

from typing import Any

from simulator import ids

TITLES = {
    0: (401, "AuthException"),
    1: (400, "An unknown error occurred"),
    2: (503, "Service temporarily unavailable"),
    3: (500, "API Method"),
    4: (400, "Application request limit reached"),
    10: (403, "Application does not have permission for this action"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    101: (400, "Error validating application. Cannot get application info due to a system error."),
    190: (401, "Error validating access token"),
    200: (403, "Permissions error"),
    368: (403, "Temporarily blocked for policies violations"),
    803: (404, "Some of the aliases you requested do not exist"),
    2500: (400, "An active access token must be used to query information about the current user."),
    80007: (400, "Rate limit issues"),
    130403: (400, "User is blocked"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131031: (403, "Account has been locked"),
    131037: (400, "Display name approval is required before message can be sent"),
    131041: (400, "Group unknown"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement."),
    131050: (400, "User has stopped marketing messages"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131055: (400, "Method not allowed"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131060: (400, "This message is currently unavailable"),
    131062: (400, "Business-scoped user ID recipients are not supported for this message"),
    131063: (400, "Marketing templates are disabled on Cloud API"),
    131064: (400, "Messaging limit reached because of template classification violations"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Translated text too long"),
    132007: (400, "Template format character policy violated"),
    132008: (400, "Template parameter value is wrongly formatted"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "Invalid template parameters"),
    132021: (400, "Template name is not available"),
    132068: (400, "Flow is blocked"),
    132069: (400, "Flow is throttled"),
    139000: (400, "Blocked by integrity"),
    139001: (400, "Flow can't be updated"),
    139002: (400, "Flow can't be published"),
    139003: (400, "Flow can't be deprecated"),
    139004: (400, "Flow can't be deleted"),
    133000: (500, "Incomplete deregistration"),
    133004: (503, "Server temporarily unavailable"),
    133005: (400, "Two step verification PIN mismatch"),
    133006: (400, "Phone number re-verification needed"),
    133008: (400, "Too many two step verification PIN guesses"),
    133009: (400, "Two step verification PIN guessed too fast"),
    133010: (400, "Account not registered"),
    133015: (400, "Please wait a few minutes before attempting to register this phone number"),
    133016: (400, "Account register or deregister rate limit exceeded"),
    134011: (400, "WhatsApp Payments terms of service have not been accepted"),
    135000: (400, "Generic user error"),
    137000: (400, "Recipient identity key hash mismatch"),
    136024: (400, "Request code error"),
    136025: (400, "Verify code error"),
    147001: (400, "Username is not valid"),
    147002: (400, "Username is not available"),
    2388001: (400, "Cannot migrate phone number"),
    2388012: (400, "Phone number already exists"),
    2388091: (400, "Phone number is not being migrated"),
    3962: (400, "The business has not shared an asset with the app"),
    139200: (403, "Direct Send is blocked"),
    139101: (400, "Blocklist size limit reached"),
    139102: (400, "Blocklist concurrent update"),
    139103: (400, "Internal error"),
    139100: (400, "Failed to block or unblock some users"),
    200005: (400, "Template Insights not available"),
    200006: (400, "Template Insights cannot be disabled"),
    200007: (400, "Template Insights is not enabled"),
    2593107: (400, "Synchronization request limit exceeded"),
    2593108: (400, "Synchronization request made outside of allowed time window"),
    2593109: (400, "History sync is turned off by the business from the WhatsApp Business App"),
}
CLOUD_API = range(130000, 140000)
# Meta accepts first and reports these in a `failed` status.
REPORTED_LATER = {130472, 130497, 131026, 131042, 131047, 131048, 131049, 131050, 131052, 131053}


def title_of(code: int) -> str:
    """The title of an error code."""
    return TITLES.get(code, (400, "An unknown error occurred"))[1]


class GraphError(Exception):
    """A refusal. WhatsApp's own codes explain themselves in `error_data`, older ones in `message`."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        subcode: int | None = None,
        http: int | None = None,
        beside: dict[str, Any] | None = None,
        for_user: tuple[str, str] | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """`beside` is the part of the request that succeeded, `for_user` a title and a sentence, `data` error_data."""
        super().__init__(code, details)
        self.for_user = for_user
        self.data = data
        self.beside = beside or {}
        self.code = code
        self.details = details
        self.subcode = subcode
        self.http = http or TITLES.get(code, (400, ""))[0]

    @property
    def message(self) -> str:
        """The text of the error; with WhatsApp's codes it starts with the code."""
        if self.code in CLOUD_API:
            return f"(#{self.code}) {title_of(self.code)}"
        return self.details or title_of(self.code)

    def body(self) -> dict[str, Any]:
        """The JSON body of the refusal."""
        error: dict[str, Any] = {"message": self.message, "type": self.type, "code": self.code}
        if self.code in CLOUD_API:
            details = self.details or title_of(self.code)
            error["error_data"] = {"messaging_product": "whatsapp", "details": details}
        if self.data:
            error["error_data"] = self.data
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.for_user:
            title, sentence = self.for_user
            error |= {"is_transient": False, "error_user_title": title, "error_user_msg": sentence}
        if self.code in (2, 4):
            error["is_transient"] = True
        return self.beside | {"error": error | {"fbtrace_id": ids.trace()}}

    @property
    def type(self) -> str:
        """Meta's class of the error."""
        return "GraphMethodException" if self.code == 803 or self.subcode == 33 else "OAuthException"


def nonexistent(method: str, node_id: str) -> GraphError:
    """What does not exist and what the token may not see look the same."""
    details = (
        f"Unsupported {method.lower()} request. Object with ID '{node_id}' does not exist,"
        " cannot be loaded due to missing permissions, or does not support this operation."
        " Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
    )
    return GraphError(100, details, subcode=33)


def missing(name: str) -> GraphError:
    """A required parameter is missing."""
    return GraphError(100, f"(#100) The parameter {name} is required.")


def invalid(details: str) -> GraphError:
    """A parameter is not valid."""
    return GraphError(100, f"(#100) {details}")


def forbidden(
    details: str = "You do not have the necessary permissions to perform this action.",
) -> GraphError:
    """The token lacks a permission."""
    return GraphError(200, f"(#200) {details}")
