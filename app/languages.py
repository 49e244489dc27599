"""The languages that customers are answered in: which one a text is in, and which one a country mainly speaks.

A language is recognised by its function words and its script; a short text may be in none of them.
"""

from __future__ import annotations

import functools
import re
from collections import Counter

from babel import Locale, UnknownLocaleError

from app.folding import fold

# The order decides between languages that share a word.
NAMES = {"en": "English", "es": "Español", "pt": "Português", "fr": "Français", "de": "Deutsch", "ar": "العربية"}
# What a language is called in itself: those that a text can be written in, whether or not it is recognised.
OWN_NAMES = {
    "ar": "العربية",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fa": "فارسی",
    "fr": "Français",
    "hi": "हिन्दी",
    "it": "Italiano",
    "pt": "Português",
    "tr": "Türkçe",
}
FUNCTION_WORDS = {
    "en": """a about all also am an and any are as at be been but by can could did do does for from had has have he her
        here him his how i if in is it its just me more my no not of on or our please she so some that the their them
        then there they this to too up us was we were what when where which who why will with would you your hello hi
        hey dear thanks thank want like know tell need got get ok okay yes im ive id lets it's i'd i'm don't""",
    "es": """a al algo aqui como con cual cuando cuanto de del desde donde el ella ellos en entre es esa ese eso esta
        este esto estoy fue ha han hasta hay la las le les lo los mas me mi mis muy no nos o para pero por porque puede
        puedo que quien quiero se ser si sin sobre son su sus tambien te tengo tiene tienen tu un una uno unos usted y
        ya yo hola gracias buenos buenas dias tardes necesito quisiera saber favor podria pueden""",
    "pt": """a ao aos aqui as ate com como da das de do dos e ela ele em entre era essa esse esta este eu foi ha isso
        isto ja la mais mas me mesmo meu minha muito na nao nas no nos o os ou para pela pelo por porque pode posso
        qual quando quanto que quem quero se sem ser seu sim sobre sua tambem tem tenho um uma voce voces ola oi
        obrigado obrigada bom dia boa tarde preciso gostaria saber favor onde""",
    "fr": """a au aux avec c'est ce ces cette comme comment dans de des du elle en est et etre eux il ils j'ai je la
        le les leur lui ma mais me mes moi mon ne nos notre nous on ou par pas pour pourquoi qu quand que quel quelle
        quels qui sa sans se ses si son sont sur ta te tes toi ton tu un une vos votre vous y bonjour merci salut
        voudrais peux puis avez avoir besoin savoir plait combien est-ce""",
    "de": """aber alle als am an auch auf aus bei bin bis bitte da das dass dem den der des die dir doch du ein eine
        einem einen einer er es euch fur gibt habe haben hat hier ich ihr ihre im in ist ja kann kein keine konnen
        konnten man mein mich mir mit nach nicht noch nur oder ohne sehr sich sie sind so um und uns unser vom von vor
        war was wann wenn wer wie wieviel wir wird wo zu zum zur hallo danke guten tag morgen mochte mochten brauche""",
    "ar": """في من على الي عن ان هل ما ماذا كيف متي اين كم لماذا هذا هذه ذلك التي الذي هو هي انا انت نحن هم كان لا نعم
        مع او و ثم لكن قد كل بعد قبل عند اذا لو يا مرحبا السلام عليكم شكرا اريد ممكن لديكم عندكم لي لكم هناك اهلا""",
}
FUNCTION_SETS = {code: frozenset(words.split()) for code, words in FUNCTION_WORDS.items()}
MEANINGLESS = frozenset().union(*FUNCTION_SETS.values())
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
ARABIC = re.compile(r"[\u0600-\u06ff]")
# No other language of these begins a sentence with them.
SPANISH = re.compile("[¿¡]")
LATIN = re.compile(r"[a-z]")
BEGINNING = re.compile(r"[^\W\d_]")
# Letters that Persian, Urdu and others write in this script, and Arabic does not.
NOT_ARABIC = re.compile(r"[پچژکگیٹڈڑںےہھ]")
# Of so many words, so many more have to be of one language than of any other.
SURE_WORDS, SURE_LEAD = 5, 2
# So much of a text is looked at.
LONGEST = 2_000


def words_of(text: str) -> list[str]:
    return WORD.findall(fold(text))


def detect(text: str) -> str:
    """The code of the language it is in, "" where that is not clear."""
    return best(text, lead=1)


def is_surely(text: str) -> str:
    """As `detect`, only where there is hardly a doubt: enough words, or one of Arabic's own in its script."""
    words = words_of(text[:LONGEST])
    if len(words) >= SURE_WORDS:
        return best(text, lead=SURE_LEAD)
    return "ar" if not FUNCTION_SETS["ar"].isdisjoint(words) and best(text, lead=1) == "ar" else ""


def best(text: str, *, lead: int) -> str:
    if SPANISH.search(text[:LONGEST]):
        return "es"
    folded = fold(text[:LONGEST])
    words = set(words_of(folded))
    begins = BEGINNING.search(folded)
    # Names in Latin letters are in many Arabic texts, so its own words decide where it begins in its script.
    is_worded = begins is not None and ARABIC.match(begins[0]) and not FUNCTION_SETS["ar"].isdisjoint(words)
    if is_worded or len(ARABIC.findall(folded)) > len(LATIN.findall(folded)):
        return "" if NOT_ARABIC.search(text[:LONGEST]) else "ar"
    counts = Counter({code: len(words & mine) for code, mine in FUNCTION_SETS.items() if code != "ar"})
    (first, most), (_second, next_most) = counts.most_common(2)
    return first if most and most - next_most >= lead else ""


def main_language(code: str) -> str:
    return re.split(r"[-_]", code.casefold())[0]


@functools.cache
def language_of_region(region: str) -> str:
    """Read once for each country: thousands of reminders ask for it at once."""
    try:
        return main_language(str(Locale.parse(f"und_{region}", resolve_likely_subtags=True)))
    except (UnknownLocaleError, ValueError):
        return ""
