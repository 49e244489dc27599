"""The errors that Meta's screens can show instead of continuing; the tester chooses one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mishap:
    steps: tuple[str, ...]
    text: str


ANY = ("authorize", "portfolio", "account", "profile", "number", "verify", "review")
MISHAPS = {
    "too_many_businesses": Mishap(("portfolio",), "You have reached the limit of businesses you can create."),
    "account_too_new": Mishap(("portfolio",), "Your Facebook account is too new. Try again in an hour."),
    "account_flagged": Mishap(("portfolio",), "You are not allowed to advertise any more. Use another account."),
    "one_at_a_time": Mishap(("portfolio",), "You can create only one business at a time. Try again later."),
    "bad_business_name": Mishap(("portfolio",), "This business name is not valid. Choose another one."),
    "name_under_review": Mishap(("profile",), "Name verification is running, so this cannot be edited now."),
    "no_permission": Mishap(("account", "profile"), "You have no permission to create WhatsApp accounts here."),
    "too_many_accounts": Mishap(("account", "profile"), "Verify your business to create more WhatsApp accounts."),
    "not_verified": Mishap(("account", "profile"), "Your business could not be verified. Appeal or use another one."),
    "number_banned": Mishap(("number",), "This phone number is banned. See Business Support Home."),
    "too_many_numbers": Mishap(("number",), "You have reached the maximum of phone numbers."),
    "name_violates": Mishap(("number",), "The display name violates the guidelines. Choose another one."),
    "too_many_codes": Mishap(("number", "verify"), "Too many codes were requested. Wait and try again."),
    "too_many_attempts": Mishap(("verify",), "Too many attempts. Wait about 12 hours; you can go on from here."),
    "looks_invalid": Mishap(("number", "verify"), "The number does not look valid. Try again in 5 minutes."),
    "something_wrong": Mishap(ANY, "Something went wrong. Try again in a few minutes."),
}


def at(step: str) -> dict[str, str]:
    return {name: mishap.text for name, mishap in MISHAPS.items() if step in mishap.steps}
