"""What an answer may hold, whatever the model was talked into: checked after the model, before anything goes out.

Links, numbers to call, accounts, prices and promises have to come from the passages that the model was given, or be the
customer's own. So a customer who makes the model obey gains nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.folding import fold
from app.languages import is_surely, words_of

from .phrases import phrases

MOST_LETTERS = 4_096
# So many words in a row of its instructions are no coincidence, nor are so many in shorter rows.
OVERLAP, SHORT_OVERLAP, MOST_OVERLAPPED = 8, 4, 12
# No word of any language is so long; what is encoded is.
LONGEST_WORD = 60

URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'）)\]]+|(?<![\w@.-])(?:[\w-]{1,63}\.){1,5}(?:[^\W\d_]{2,24}|xn--[\w-]+)(?:/[^\s<>\"'）)\]]*)?(?![\w@])",
    re.IGNORECASE,
)
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){3,8}\b", re.IGNORECASE)
PHONE = re.compile(r"\+?\d(?:[ ()./-]{0,3}\d){6,17}")
DETAIL = re.compile(rf"{PHONE.pattern}|{EMAIL.pattern}")
NUMBER = r"\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
CURRENCY = (
    r"€|\$|£|¥|₹|₺|₽|R\$|%|٪|eur(?:os?)?|usd|dollars?|gbp|pounds?|chf|francs?|franken|aed|dirhams?|sar|riyals?|reais|real"
    r"|pesos?|mxn|ars|brl|inr|rupees?|f ?cfa|cfa|xof|xaf|xpf|pln|zl|zloty|kr|sek|nok|dkk|kroner|kronor|jpy|yen|cny|rmb"
    r"|yuan|kwd|qar|bhd|omr|egp|dzd|tnd|ngn|naira|kes|ksh|ghs|cedis?|zar|rand|cop|clp|soles|uah|rub|roubles?|rubles?"
    r"|idr|rp|php|thb|baht|vnd|krw|won|aud|cad|nzd|hkd|sgd|ils|shekels?|tl|lira|czk|huf|ron|lei|cents?|centimes?"
    r"|centavos?|centimos?|₦|₴|₩|₫|฿|₱|₪|₵|₡|₲|﷼|percent|prozent|por ciento|por cento|pour cent"
    r"|درهم|ريال|دولار|يورو|جنيه|دينار|فرنك|ليره|د\.ا|ر\.س|د\.ك|ر\.ق|ج\.م|د\.م"
)
PRICE = re.compile(rf"(?:({CURRENCY})\s?({NUMBER}))|(?:({NUMBER})\s?({CURRENCY})(?!\w))", re.IGNORECASE)
PROMISES = phrases(
    """free of charge; for free; free; discount; refund; refunded; money back; voucher; coupon; guarantee; guaranteed;
    gratis; gratuito; gratuita; descuento; reembolso; cupon; garantizado; garantia; de graca; gratis; desconto;
    reembolso; cupom; garantido; gratuit; gratuite; gratuitement; remise; reduction; remboursement; rembourse;
    bon d'achat; garanti; kostenlos; umsonst; gratis; rabatt; ruckerstattung; erstattung; gutschein; garantiert;
    مجانا; مجاني; خصم; استرداد; قسيمه; ضمان"""
)
PROMISE = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(PROMISES, key=len, reverse=True)))})(?!\w)")
ANY_DETAIL = re.compile(rf"{EMAIL.pattern}|{IBAN.pattern}|{PHONE.pattern}", re.IGNORECASE)
# What ends a sentence and no address.
ENDS = ".,;:!?*_~"
# Letters that show nothing, and full stops that browsers read as a dot.
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f")
DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": ".", "\u2024": "."})
# The form in which it is given its data, and no way to write to a customer.
OBJECT = re.compile(r"[{\[]\s*\"[\w ]{1,40}\"\s*:")
# Names of files look like hosts: only endings that are none.
NO_HOSTS = frozenset(("pdf", "docx", "xlsx", "csv", "txt", "jpg", "jpeg", "png", "gif", "mp3", "mp4"))


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an answer may draw from: the passages given, and hosts that the business named.

    `own` are the contact's own numbers and emails: what is written in a name or a field counts for nothing else.
    """

    passages: tuple[str, ...]
    own: tuple[str, ...] = ()
    hosts: frozenset[str] = field(default_factory=frozenset)
    secret: str = ""
    language: str = ""

    @property
    def facts(self) -> str:
        return as_seen("\n".join(self.passages))

    def secret_runs(self, length: int) -> set[tuple[str, ...]]:
        """So many words in a row of the instructions, which are in no passage."""
        known = (run for passage in self.passages for run in runs(words_of(passage), length))
        return set(runs(words_of(self.secret), length)).difference(known)

    @property
    def details(self) -> str:
        """Where numbers to call and emails may be from."""
        own = [value.strip() for value in self.own]
        return "\n".join([self.facts, *(value for value in own if DETAIL.fullmatch(value))])


def problem_of(reply: str, allowed: Allowed) -> str:
    """Why this must not be sent (a key of `words.REASONS`), or "" where it may."""
    if not reply.strip():
        return "empty"
    if len(reply) > MOST_LETTERS:
        return "too_long"
    seen = as_seen(reply)
    checks = {
        "link": has_strange_link(seen, allowed),
        "contact_detail": has_strange_contact(seen, allowed),
        "price": has_strange_price(seen, allowed.facts),
        "promise": has_strange_promise(seen, allowed.facts),
        "prompt_leak": bool(OBJECT.search(seen)) or is_encoded(seen, allowed) or overlaps(seen, allowed),
        "wrong_language": bool(allowed.language) and is_surely(reply) not in ("", allowed.language),
    }
    return next((problem for problem, is_so in checks.items() if is_so), "")


def as_seen(text: str) -> str:
    """As a reader sees it: without characters that show nothing, one character for those that look the same."""
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf" and letter not in BLANK)
    return unicodedata.normalize("NFKC", visible).translate(DOTS)


def apart_from(answer: str, arguments: Iterable[str]) -> str:
    """What a program answered, without what could only be the echo of what the model asked it.

    A link or a number that the model made up is no fact because a program repeats it.
    """
    echoed = as_seen("\n".join(arguments))
    links = {normal_url(url) for url in urls_in(echoed)}
    details = {re.sub(r"[\W_]", "", found[0]).casefold() for found in re.finditer(ANY_DETAIL, echoed)}
    amounts, promises = set(amounts_in(echoed)), set(PROMISE.findall(fold(echoed)))
    rest = URL.sub(lambda found: " " if normal_url(found[0].rstrip(ENDS)) in links else found[0], as_seen(answer))
    rest = ANY_DETAIL.sub(lambda found: " " if re.sub(r"[\W_]", "", found[0]).casefold() in details else found[0], rest)
    rest = PRICE.sub(lambda found: " " if normal_amount(fold(found[2] or found[3])) in amounts else found[0], rest)
    return PROMISE.sub(lambda found: " " if found[0] in promises else found[0], fold(rest)) if promises else rest


def has_strange_link(reply: str, allowed: Allowed) -> bool:
    allowed_values = {normal_url(url) for url in urls_in(allowed.facts)}
    return any(
        normal_url(url) not in allowed_values and host_of(url) not in allowed.hosts
        for url in urls_in(EMAIL.sub(" ", reply))
    )


def urls_in(text: str) -> Iterator[str]:
    for match in URL.finditer(text):
        url = match[0].rstrip(ENDS)
        if "/" in url or url.rpartition(".")[2].lower() not in NO_HOSTS:
            yield url


def normal_url(url: str) -> str:
    without = re.sub(r"^(?:https?://)?(?:www\.)?", "", url.casefold())
    return without.rstrip("/")


def host_of(url: str) -> str:
    try:
        return (urlsplit(url if "://" in url else f"https://{url}").hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def has_strange_contact(reply: str, allowed: Allowed) -> bool:
    """Emails, accounts and telephone numbers that are in no passage and not the contact's own."""
    everything = allowed.details
    emails = {email.casefold() for email in EMAIL.findall(everything)}
    if any(email.casefold() not in emails for email in EMAIL.findall(reply)):
        return True
    letters = re.sub(r"[\s-]", "", everything).casefold()
    if any(re.sub(r"[\s-]", "", account).casefold() not in letters for account in IBAN.findall(reply)):
        return True
    digits = re.sub(r"\D", "", digits_folded(everything))
    return any(re.sub(r"\D", "", number).lstrip("0") not in digits for number in phones_in(digits_folded(reply)))


def phones_in(text: str) -> Iterator[str]:
    """Runs of seven digits and more that are no date or time."""
    for match in PHONE.finditer(text):
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}.*|\d{1,2}[./]\d{1,2}[./]\d{4}.*", match[0]):
            yield match[0]


def digits_folded(text: str) -> str:
    return fold(text)


def has_strange_price(reply: str, facts: str) -> bool:
    allowed_values = set(amounts_in(facts))
    return any(amount not in allowed_values for amount in amounts_in(reply))


def amounts_in(text: str) -> Iterator[str]:
    """Each amount of money and each percentage, as digits without separators and trailing zeros."""
    for match in PRICE.finditer(fold(text)):
        yield normal_amount(match[2] or match[3])


def normal_amount(written: str) -> str:
    """48, 48.00 and 48,00 are the same; 1.200 and 1,200 are twelve hundred."""
    whole, _mark, cents = (written, "", "")
    if decimals := re.search(r"[.,](\d{1,2})$", written):
        whole, cents = written[: decimals.start()], decimals[1].ljust(2, "0")
    digits = re.sub(r"\D", "", whole).lstrip("0") or "0"
    return digits if cents in ("", "00") else f"{digits}.{cents}"


def has_strange_promise(reply: str, facts: str) -> bool:
    allowed_values = set(PROMISE.findall(fold(facts)))
    return any(promise not in allowed_values for promise in PROMISE.findall(fold(reply)))


def is_encoded(reply: str, allowed: Allowed) -> bool:
    """Whether it has a word that no one reads, such as Base64, that is in no passage and no address."""
    words = URL.sub(" ", reply).split()
    return any(len(word) > LONGEST_WORD and word.isascii() and word not in allowed.facts for word in words)


def overlaps(reply: str, allowed: Allowed) -> bool:
    """Whether so many of its words are those of its instructions, and of no passage: in order, or backwards."""
    words = words_of(reply)
    for read in (words, words[::-1]):
        if has_run(read, allowed, OVERLAP) or covered(read, allowed) >= MOST_OVERLAPPED:
            return True
    return False


def has_run(words: Sequence[str], allowed: Allowed, length: int) -> bool:
    return bool(set(runs(words, length)) & allowed.secret_runs(length))


def covered(words: Sequence[str], allowed: Allowed) -> int:
    """How many of the words are in short rows of the instructions."""
    secret = allowed.secret_runs(SHORT_OVERLAP)
    rows = (place for place, run in enumerate(runs(words, SHORT_OVERLAP)) if run in secret)
    return len({place + step for place in rows for step in range(SHORT_OVERLAP)})


def runs(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + length]) for place in range(len(words) - length + 1)]


HEADING = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
BOLD = re.compile(r"\*\*(?=\S)([^*\n]{1,1000}?)(?<=\S)\*\*|__(?=\S)([^_\n]{1,1000}?)(?<=\S)__")
LINK = re.compile(r"\[([^\]\n]{1,300})\]\(([^)\s]{1,2000})\)")
STRUCK = re.compile(r"~~(?=\S)([^~\n]{1,1000}?)(?<=\S)~~")
RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$\n{0,2}", re.MULTILINE)
STAR_ITEM = re.compile(r"^([ \t]*)[*+][ \t]+", re.MULTILINE)


def as_whatsapp(reply: str) -> str:
    """Markdown as WhatsApp knows it: one star for bold, no headings, a link as its words and its address."""
    text = RULE.sub("", reply)
    text = STAR_ITEM.sub(r"\1- ", text)
    text = HEADING.sub(lambda match: f"*{match[1].replace('*', '')}*", text)
    text = BOLD.sub(lambda match: f"*{match[1] or match[2]}*", text)
    text = STRUCK.sub(r"~\1~", text)
    return LINK.sub(lambda match: match[2] if match[1] == match[2] else f"{match[1]}: {match[2]}", text).strip()
