"""Message templates and flows: creating them and sending with them."""

from app.words import N_

from .explanation import Explanation, Kind

_ANOTHER_TEMPLATE = N_("Choose another template, or edit this one and wait for Meta to approve it again.")
_FILL_IN = N_("Fill in the template's variables again, as its example shows, and send it again.")
_EDIT = N_("Edit the template as Meta's own words below say, and submit it again.")
_CORRECT_FLOW = N_("The owner corrects the flow in WhatsApp Manager and tries again.")

_FLOW_FAILED = Explanation(Kind.HUMAN, N_("Meta did not accept this change to the flow."), _CORRECT_FLOW)
_BADLY_FORMED = Explanation(
    Kind.HUMAN, N_("A part of the template is too long, or not in the form Meta requires."), _EDIT
)
_VARIABLES = Explanation(
    Kind.HUMAN,
    N_("The template has too many variables for its text, or a variable at its very start or end."),
    N_("Add words around the variables and submit the template again."),
)
_GENERATED = Explanation(
    Kind.FINAL,
    N_("Meta made this template for messages that were sent without one, so it cannot be changed or deleted."),
    N_("Make a template of your own with the words you want."),
)
_NOT_NOW = Explanation(
    Kind.HUMAN,
    N_("Meta doesn't allow this template to be edited in its present state, or so soon after the last edit."),
    N_("Wait: an approved template can be edited once a day and 10 times in 30 days. Or make a new template."),
)
_INSIGHTS = Explanation(
    Kind.HUMAN,
    N_("Meta has no template figures for this WhatsApp account, or cannot turn them on or off."),
    N_("Confirm template insights in WhatsApp Manager."),
)

CODES: dict[int, Explanation] = {
    132000: Explanation(Kind.FINAL, N_("The number of values does not match the template's variables."), _FILL_IN),
    132001: Explanation(
        Kind.FINAL,
        N_("This template does not exist in this language, or is not approved yet."),
        N_("Choose an approved template. One approved a moment ago works after a few minutes."),
    ),
    132005: Explanation(
        Kind.FINAL,
        N_("With its variables filled in, the template's text is too long."),
        N_("Shorten what was filled in, and send it once more."),
    ),
    132007: Explanation(Kind.FINAL, N_("The template's content goes against Meta's policies."), _ANOTHER_TEMPLATE),
    132008: Explanation(Kind.FINAL, N_("The value of one of the template's variables has the wrong form."), _FILL_IN),
    132012: Explanation(Kind.FINAL, N_("The value of one of the template's variables is of the wrong type."), _FILL_IN),
    132018: Explanation(Kind.FINAL, N_("The value of one of the template's variables is not valid."), _FILL_IN),
    132015: Explanation(
        Kind.HUMAN,
        N_("Meta has paused this template because people did not welcome it."),
        N_("Wait until Meta ends the pause, or choose another template. Edit this one to make it welcome."),
    ),
    132016: Explanation(
        Kind.FINAL,
        N_("Meta has turned this template off for good because people did not welcome it."),
        N_("Make a new template with other words."),
    ),
    132068: Explanation(Kind.FINAL, N_("Meta has blocked the flow in this message."), _CORRECT_FLOW),
    132069: Explanation(
        Kind.RETRY_LATER,
        N_("Meta lets the flow in this message go out only ten times an hour, because it has problems."),
        N_("The app tries again in an hour. Meanwhile the owner corrects the flow in WhatsApp Manager."),
        wait=3_600,
    ),
    134011: Explanation(
        Kind.HUMAN,
        N_("The terms of WhatsApp Payments have not been accepted."),
        N_("The owner accepts them in WhatsApp Manager."),
    ),
    134100: Explanation(
        Kind.FINAL,
        N_("Only marketing templates can be sent this way."),
        N_("Choose a marketing template, or send this one as an ordinary template."),
    ),
    134101: Explanation(
        Kind.RETRY_LATER,
        N_("Meta is still preparing this template for marketing messages."),
        N_("Nobody has to do anything. The app tries again in ten minutes."),
        wait=600,
    ),
    134102: Explanation(Kind.FINAL, N_("This template cannot be used for marketing messages."), _ANOTHER_TEMPLATE),
    139000: Explanation(Kind.HUMAN, N_("Meta blocked the flow because of its policies."), _CORRECT_FLOW),
    139001: _FLOW_FAILED,
    139002: _FLOW_FAILED,
    139003: _FLOW_FAILED,
    139004: _FLOW_FAILED,
    139200: Explanation(
        Kind.HUMAN,
        N_("Meta has stopped this account from sending messages without a template, because some were not utility."),
        N_("Send a template instead. Meta says in WhatsApp Manager when the account may do it again."),
    ),
    141002: Explanation(
        Kind.HUMAN,
        N_("The template is not approved, so nothing can be sent with it."),
        _ANOTHER_TEMPLATE,
    ),
    2388019: Explanation(
        Kind.HUMAN,
        N_("This WhatsApp account has as many templates as Meta allows."),
        N_("Delete templates that you don't use, then submit this one again."),
    ),
    2388023: Explanation(
        Kind.HUMAN,
        N_("A template of this name and language is being deleted, so the name is taken."),
        N_("Choose another name, or wait: 30 days after an approved template was deleted."),
    ),
    2388024: Explanation(
        Kind.HUMAN,
        N_("A template of this name already exists in this language."),
        N_("Edit the existing one, or choose another name."),
    ),
    2388003: _NOT_NOW,
    2388039: Explanation(Kind.HUMAN, N_("Meta rejected the template's content."), _EDIT),
    2388040: _BADLY_FORMED,
    2388047: _BADLY_FORMED,
    2388072: _BADLY_FORMED,
    2388073: _BADLY_FORMED,
    2388293: _VARIABLES,
    2388299: _VARIABLES,
    2388318: _GENERATED,
    2388330: _GENERATED,
    2593002: Explanation(
        Kind.FINAL,
        N_("Meta does not have this template, or not any more."),
        N_("Compare the list of templates with Meta, and submit the template as a new one if it is still needed."),
    ),
    200005: _INSIGHTS,
    200006: _INSIGHTS,
    200007: _INSIGHTS,
}
