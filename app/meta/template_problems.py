"""What is wrong with a template or with what is sent with it, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.words import N_


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` points at a form's field: `name`, `body`, `body.examples.<variable>`, `buttons.2.url`, `cards.1.body`."""

    path: str
    kind: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_warning(self) -> bool:
        """Whether Meta may take it, but often refuses it."""
        return self.kind in WARNINGS

    def explain(self, translate: Callable[[str], str] = str) -> str:
        """What is wrong and what to change."""
        return translate(WORDS[self.kind]).format(**self.facts)


def too_long(path: str, value: str, most: int) -> list[Problem]:
    """Empty where the value fits."""
    over = len(value) - most
    return [Problem(path, "too_long", {"most": most, "over": over})] if over > 0 else []


_DEFINITION = {
    "name_missing": N_("Enter a name for the template."),
    "name_form": N_("Use only small letters a to z, digits and underscores in the name, for example order_update."),
    "language_unknown": N_("WhatsApp has no templates in “{language}”. Choose one of its languages."),
    "category_unknown": N_("Choose a category: marketing, utility or authentication."),
    "ttl_range": N_("Messages of this category can be valid for {least} to {most} seconds. Change the validity."),
    "ttl_marketing": N_(
        "The validity of a marketing template counts only in the Marketing Messages API, which isn't used here. "
        "Remove it."
    ),
    "part_unknown": N_("WhatsApp doesn't have a part called “{part}” in templates. Remove it."),
    "part_twice": N_("A template can have this part only once. Remove the second one."),
    "part_not_here": N_("This part can't be used in this kind of template. Remove it."),
    "needs_marketing": N_("WhatsApp takes this only in marketing templates. Change the category, or remove it."),
    "text_missing": N_("Enter a text."),
    "too_long": N_("Shorten this by {over}: WhatsApp takes {most} characters."),
    "line_breaks": N_("This text can't contain line breaks or tabs. Write it on one line."),
    "blank_lines": N_("Leave at most one blank line between paragraphs. WhatsApp refuses more."),
    "emoji": N_("This text can't contain emoji. Remove {emoji}."),
    "emoji_many": N_("WhatsApp takes 10 emoji in a text. Remove {over}."),
    "formatting": N_("This text can't be formatted. Remove the characters *, ~, ` and _ around words."),
    "braces": N_("A curly bracket is missing or too many. Write each variable as {{{{1}}}} or {{{{name}}}}."),
    "variable_marks": N_(
        "There is an invisible direction mark inside the brackets of {name}. Delete the variable and type it again."
    ),
    "variable_form": N_(
        "“{name}” can't be a variable. Use a number, or a name of small letters a to z, digits and underscores, "
        "without spaces."
    ),
    "variable_mixed": N_("Use either numbers or names for variables, not both. Change {name}."),
    "variable_order": N_("Number the variables from 1 without gaps. {name} is missing."),
    "variables_many": N_("This text can have only one variable. Remove the others."),
    "variable_not_here": N_("This text can't have variables. Remove {name}."),
    "variable_at_start": N_("The text can't start with a variable. Write at least one word before {name}."),
    "variable_at_end": N_("The text can't end with a variable. Write something after {name}, at least a full stop."),
    "variables_adjacent": N_("There is nothing between {name} and {next}. Write a word between them, or join them."),
    "variables_close": N_(
        "There is only a space between {name} and {next}. Meta sometimes rejects that; write a word between them."
    ),
    "variables_dense": N_(
        "The text is too short for its variables: it needs more words beside them ({needed}) than it has ({have}). "
        "Add words, or remove a variable."
    ),
    "header_only_variable": N_("A header that is only a variable is often rejected. Write a word before or after it."),
    "example_missing": N_("Give an example for {name}. Meta reviews the template with it."),
    "examples_surplus": N_("There are more examples than variables. Remove those that no variable uses."),
    "sample_missing": N_("Add a sample file. Meta reviews the template with it."),
    "header_format": N_("WhatsApp has no headers of this kind. Choose text, image, video, document or location."),
    "header_gif": N_("WhatsApp delivers GIF headers only through the Marketing Messages API. Use an image or a video."),
    "whatsapp_link": N_("Meta refuses links to WhatsApp itself, such as {link}. Link to your own website instead."),
    "short_link": N_("Meta often rejects shortened links such as {link}. Use the full address of your website."),
    "language_mismatch": N_(
        "This text doesn't look like {language}. Meta rejects templates in another language than the one chosen."
    ),
    "asks_for_secret": N_(
        "Meta rejects templates that ask for a “{secret}” or other secrets. Ask for it on your website, or only for "
        "its last digits."
    ),
    "same_text": N_(
        "The template {name} has the same text and footer. Meta often rejects the second one: change a word, or use "
        "that template."
    ),
    "threatening": N_("Meta may take “{threat}” for a threat and reject the template. Write it without."),
    "promotional": N_(
        "Meta may take “{found}” for advertising and make this a marketing template. Reword it, or change the "
        "category to marketing."
    ),
    "buttons_missing": N_("Add at least one button, or remove the buttons."),
    "buttons_many": N_("A template can have 10 buttons. Remove {over}."),
    "buttons_of_kind": N_("A template can have only {most} of this kind of button. Remove {over}."),
    "buttons_of_card": N_("A card can have {most} buttons. Remove {over}."),
    "buttons_order": N_("Put all quick replies next to each other, before or after the other buttons."),
    "button_unknown": N_("WhatsApp doesn't have buttons of this kind in templates. Choose another kind."),
    "button_not_here": N_("This kind of button can't be used in this kind of template. Remove it."),
    "button_alone": N_("This button must be the only one. Remove the others."),
    "label_twice": N_("Two buttons have the label “{label}”. Give each a label of its own."),
    "label_fixed": N_("WhatsApp writes this button's label itself. Leave it empty."),
    "link_missing": N_("Enter the address that the button opens."),
    "link_form": N_("Enter a full web address, for example https://example.com/orders."),
    "link_variables": N_("A link can have one variable, {{{{1}}}}, and only at its very end."),
    "link_variable_in_host": N_("The variable can't be part of the website's name. Put it after a slash, at the end."),
    "phone_missing": N_("Enter the phone number that the button calls."),
    "phone_form": N_("Enter the phone number with its country code, up to 20 characters, for example +15550051310."),
    "code_missing": N_("Enter an example of the code."),
    "code_form": N_("Codes of other characters than letters and digits are often rejected. Use only those."),
    "flow_missing": N_("Choose the flow that the button opens."),
    "flow_twice": N_("Name the flow in one way: by its id, its name or its JSON."),
    "flow_action": N_("A flow starts with “navigate” or “data_exchange”. Choose one of them."),
    "flow_screen": N_("A first screen can only be chosen where the flow starts with “navigate”. Remove it."),
    "flow_icon": N_("WhatsApp has the icons DOCUMENT, PROMOTION and REVIEW. Choose one of them."),
    "call_validity": N_("The button can be valid for 1 to 43,200 minutes. Change the number."),
    "product_header": N_("A product button and a product header belong together. Add the missing one."),
    "cards_count": N_("A carousel has 2 to 10 cards; this one has {count}."),
    "product_cards_count": N_(
        "A carousel of products is described with exactly two cards; up to 10 can be sent. This one has {count}."
    ),
    "card_shape": N_("All cards must have the same parts and buttons. Make this card like the first one."),
    "card_header": N_("Each card needs an image, a video or a product at its top."),
    "offer_needs_code": N_("An offer that expires needs a button that copies its code, before the other buttons."),
    "offer_code_first": N_("In an offer, the button that copies the code comes first. Move it up."),
    "offer_needs_link": N_("An offer needs a button that opens a link."),
    "offer_header": N_("Above an offer there can only be an image or a video. Change the header."),
    "otp_text": N_("Meta writes the text of authentication templates itself. Remove this text."),
    "otp_flag": N_("Choose whether the security advice is shown: yes or no."),
    "otp_minutes": N_("A code can be valid for 1 to 90 minutes. Change the number."),
    "otp_button": N_("An authentication template needs exactly one button, for the code."),
    "otp_type": N_("Choose how the code is taken over: copy code, one-tap or zero-tap."),
    "otp_apps_missing": N_("One-tap and zero-tap need your app: its package name and the hash of its signing key."),
    "otp_apps_many": N_("WhatsApp takes up to 5 apps. Remove {over}."),
    "otp_apps_not_here": N_("A button that copies the code has no apps. Remove them, or choose one-tap."),
    "otp_package": N_("Enter the app's package name, for example com.example.shop."),
    "otp_hash": N_("Enter the 11 characters of the hash of the app's signing key."),
    "otp_terms": N_("Zero-tap works only after you accept Meta's terms for it. Accept them, or choose one-tap."),
}

_SENDING = {
    "not_sendable": N_("WhatsApp doesn't allow this template any more. Choose another one."),
    "part_not_sendable": N_("This template has a part that can't be filled in here. Choose another template."),
    "name_differs": N_("The message names the template “{name}”, which is another one."),
    "language_differs": N_("The template is in “{expected}”, not in “{language}”. Send that language code."),
    "payload_form": N_("This part of the message doesn't have the form that WhatsApp needs."),
    "value_missing": N_("Fill in {name}."),
    "value_spaces": N_("“{name}” must be one line, without tabs and without more than four spaces in a row."),
    "value_type": N_("{name} must be text."),
    "value_count": N_(
        "Fill in every variable that the template has here. There are {expected}, and the message fills in {count}."
    ),
    "value_name": N_("The template has no variable called {name}."),
    "value_unnamed": N_("The variables of this template have names. Give the name with each value."),
    "value_twice": N_("{name} is filled in twice."),
    "body_too_long": N_("Filled in, the text is too long: WhatsApp takes {most} characters. Shorten it by {over}."),
    "header_too_long": N_("Filled in, the header is too long: WhatsApp takes {most} characters. Shorten it by {over}."),
    "link_too_long": N_("Filled in, the link is too long: WhatsApp takes {most} characters. Shorten it by {over}."),
    "code_too_long": N_("A code may have 15 characters; this has {over} too many."),
    "payload_too_long": N_("What a button sends back may have 128 characters; this has {over} too many."),
    "link_not_encoded": N_("The end of the link contains characters that a link can't hold. Encode them."),
    "header_missing": N_("This template starts with a file, a place or a product. The message must give it."),
    "header_surplus": N_("This template's header takes nothing, but the message fills it in."),
    "header_type": N_("This template's header is of the kind “{expected}”, and the message gives “{given}”."),
    "file_missing": N_("This template starts with a file. Choose one."),
    "file_form": N_("Give either the file's id or a link to it that starts with https://."),
    "location_missing": N_("Fill in the {name} of the place."),
    "latitude": N_("The latitude is a number from -90 to 90."),
    "longitude": N_("The longitude is a number from -180 to 180."),
    "button_index": N_("The template has no button at position {index}."),
    "button_twice": N_("The button at position {index} is filled in twice."),
    "button_type": N_("The button at position {index} is of the kind “{expected}”, and the message gives “{given}”."),
    "button_missing": N_("The button at position {index} needs a value. Fill it in."),
    "button_surplus": N_("The button at position {index} takes nothing, but the message fills it in."),
    "codes_differ": N_("The code in the text and the code in the button must be the same."),
    "expiration_missing": N_("Say when the offer expires."),
    "expiration_form": N_(
        "Enter the date and time when the offer expires. The API takes it with its time zone, or in milliseconds "
        "since 1970."
    ),
    "json_form": N_("The data for the flow must be a JSON object."),
    "minutes_form": N_("Enter a number of minutes from 1 to 43,200."),
    "sections_missing": N_("Choose the products that the button shows."),
    "sections_form": N_(
        "A list of products has up to 10 titled sections (24 characters) and up to 30 products in all."
    ),
    "cards_differ": N_("Fill in every card of the template. There are {expected}, and the message fills in {count}."),
    "card_index": N_("Number the cards from 0 on, each once."),
}

_DIRECT = {
    "direct_promotional": N_(
        "“{found}” reads like advertising, and Meta blocks accounts that advertise without a template. Reword it, or "
        "send a marketing template."
    ),
    "direct_type": N_("Direct Send takes text, and messages with links or reply buttons. Send a template instead."),
    "direct_links": N_("A message has at most 2 links as buttons. Remove {over}."),
}

WORDS: dict[str, str] = {**_DEFINITION, **_SENDING, **_DIRECT}
WARNINGS = frozenset(
    {
        "ttl_marketing",
        "language_mismatch",
        "asks_for_secret",
        "threatening",
        "same_text",
        "variables_close",
        "header_only_variable",
        "short_link",
        "promotional",
        "code_form",
    }
)
