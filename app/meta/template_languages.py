"""The languages that templates may be in, and which to fall back to."""

from __future__ import annotations

import unicodedata
from itertools import islice

from app.words import N_

LANGUAGES: dict[str, str] = {
    "af": N_("Afrikaans"),
    "sq": N_("Albanian"),
    "ar": N_("Arabic"),
    "ar_EG": N_("Arabic (Egypt)"),
    "ar_AE": N_("Arabic (United Arab Emirates)"),
    "ar_LB": N_("Arabic (Lebanon)"),
    "ar_MA": N_("Arabic (Morocco)"),
    "ar_QA": N_("Arabic (Qatar)"),
    "az": N_("Azerbaijani"),
    "be_BY": N_("Belarusian"),
    "bn": N_("Bengali"),
    "bn_IN": N_("Bengali (India)"),
    "bg": N_("Bulgarian"),
    "ca": N_("Catalan"),
    "zh_CN": N_("Chinese (China)"),
    "zh_HK": N_("Chinese (Hong Kong)"),
    "zh_TW": N_("Chinese (Taiwan)"),
    "hr": N_("Croatian"),
    "cs": N_("Czech"),
    "da": N_("Danish"),
    "prs_AF": N_("Dari"),
    "nl": N_("Dutch"),
    "nl_BE": N_("Dutch (Belgium)"),
    "en": N_("English"),
    "en_GB": N_("English (United Kingdom)"),
    "en_US": N_("English (United States)"),
    "en_AE": N_("English (United Arab Emirates)"),
    "en_AU": N_("English (Australia)"),
    "en_CA": N_("English (Canada)"),
    "en_GH": N_("English (Ghana)"),
    "en_IE": N_("English (Ireland)"),
    "en_IN": N_("English (India)"),
    "en_JM": N_("English (Jamaica)"),
    "en_MY": N_("English (Malaysia)"),
    "en_NZ": N_("English (New Zealand)"),
    "en_QA": N_("English (Qatar)"),
    "en_SG": N_("English (Singapore)"),
    "en_UG": N_("English (Uganda)"),
    "en_ZA": N_("English (South Africa)"),
    "et": N_("Estonian"),
    "fil": N_("Filipino"),
    "fi": N_("Finnish"),
    "fr": N_("French"),
    "fr_BE": N_("French (Belgium)"),
    "fr_CA": N_("French (Canada)"),
    "fr_CH": N_("French (Switzerland)"),
    "fr_CI": N_("French (Ivory Coast)"),
    "fr_MA": N_("French (Morocco)"),
    "ka": N_("Georgian"),
    "de": N_("German"),
    "de_AT": N_("German (Austria)"),
    "de_CH": N_("German (Switzerland)"),
    "el": N_("Greek"),
    "gu": N_("Gujarati"),
    "ha": N_("Hausa"),
    "he": N_("Hebrew"),
    "hi": N_("Hindi"),
    "hu": N_("Hungarian"),
    "id": N_("Indonesian"),
    "ga": N_("Irish"),
    "it": N_("Italian"),
    "ja": N_("Japanese"),
    "kn": N_("Kannada"),
    "kk": N_("Kazakh"),
    "rw_RW": N_("Kinyarwanda"),
    "ko": N_("Korean"),
    "ky_KG": N_("Kyrgyz"),
    "lo": N_("Lao"),
    "lv": N_("Latvian"),
    "lt": N_("Lithuanian"),
    "mk": N_("Macedonian"),
    "ms": N_("Malay"),
    "ml": N_("Malayalam"),
    "mr": N_("Marathi"),
    "nb": N_("Norwegian"),
    "ps_AF": N_("Pashto"),
    "fa": N_("Persian"),
    "pl": N_("Polish"),
    "pt_BR": N_("Portuguese (Brazil)"),
    "pt_PT": N_("Portuguese (Portugal)"),
    "pa": N_("Punjabi"),
    "ro": N_("Romanian"),
    "ru": N_("Russian"),
    "sr": N_("Serbian"),
    "si_LK": N_("Sinhala"),
    "sk": N_("Slovak"),
    "sl": N_("Slovenian"),
    "es": N_("Spanish"),
    "es_AR": N_("Spanish (Argentina)"),
    "es_CL": N_("Spanish (Chile)"),
    "es_CO": N_("Spanish (Colombia)"),
    "es_CR": N_("Spanish (Costa Rica)"),
    "es_DO": N_("Spanish (Dominican Republic)"),
    "es_EC": N_("Spanish (Ecuador)"),
    "es_HN": N_("Spanish (Honduras)"),
    "es_MX": N_("Spanish (Mexico)"),
    "es_PA": N_("Spanish (Panama)"),
    "es_PE": N_("Spanish (Peru)"),
    "es_ES": N_("Spanish (Spain)"),
    "es_UY": N_("Spanish (Uruguay)"),
    "sw": N_("Swahili"),
    "sv": N_("Swedish"),
    "ta": N_("Tamil"),
    "te": N_("Telugu"),
    "th": N_("Thai"),
    "tr": N_("Turkish"),
    "uk": N_("Ukrainian"),
    "ur": N_("Urdu"),
    "uz": N_("Uzbek"),
    "vi": N_("Vietnamese"),
    "zu": N_("Zulu"),
}
# The scripts of languages that are not written in Latin letters, as Unicode names them.
SCRIPTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("ar", "fa", "ur", "ps", "prs"), frozenset({"ARABIC"})),
    **dict.fromkeys(("be", "bg", "ky", "mk", "ru", "uk"), frozenset({"CYRILLIC"})),
    **dict.fromkeys(("az", "kk", "sr", "uz"), frozenset({"CYRILLIC", "LATIN"})),
    **dict.fromkeys(("hi", "mr"), frozenset({"DEVANAGARI"})),
    "bn": frozenset({"BENGALI"}),
    "el": frozenset({"GREEK"}),
    "gu": frozenset({"GUJARATI"}),
    "he": frozenset({"HEBREW"}),
    "ja": frozenset({"HIRAGANA", "KATAKANA", "CJK", "KATAKANA-HIRAGANA"}),
    "ka": frozenset({"GEORGIAN"}),
    "kn": frozenset({"KANNADA"}),
    "ko": frozenset({"HANGUL"}),
    "lo": frozenset({"LAO"}),
    "ml": frozenset({"MALAYALAM"}),
    "pa": frozenset({"GURMUKHI"}),
    "si": frozenset({"SINHALA"}),
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
    "th": frozenset({"THAI"}),
    "zh": frozenset({"CJK"}),
}
_LATIN = frozenset({"LATIN"})
_LETTERS_LOOKED_AT = 300
# Which form of a language most of its readers take for their own, before its other forms.
FIRST = {
    "ar": ("ar",),
    "de": ("de",),
    "en": ("en_US", "en", "en_GB"),
    "es": ("es", "es_MX", "es_ES"),
    "fr": ("fr",),
    "pt": ("pt_BR", "pt_PT"),
    "zh": ("zh_CN",),
}
# Chinese is written in two scripts: each form falls back within its own first.
_NEAREST = {"zh_HK": ("zh_TW",), "zh_TW": ("zh_HK",)}


def fallbacks(code: str) -> list[str]:
    """The codes to try in this order where a template does not exist in `code`; all are of its language.

    `code` may be written with a hyphen, and itself be none of WhatsApp's.
    """
    own = code.replace("-", "_")
    language = own.partition("_")[0].lower()
    relatives = [one for one in LANGUAGES if one.partition("_")[0] == language]
    chain = [*_NEAREST.get(own, ()), *FIRST.get(language, (language,)), *relatives]
    return [one for one in dict.fromkeys(chain) if one in LANGUAGES and one != code]


def is_written_in(words: str, code: str) -> bool:
    """Whether a third of the letters, of which there may be none, are in a script of the language."""
    letters = list(islice(filter(str.isalpha, words), _LETTERS_LOOKED_AT))
    scripts = SCRIPTS.get(code.partition("_")[0], _LATIN)
    fitting = sum(unicodedata.name(letter, "").partition(" ")[0] in scripts for letter in letters)
    return 3 * fitting >= len(letters)
