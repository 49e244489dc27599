"""The languages of templates, and the scripts that some of them are written in."""

import re

LISTED = """
af sq ar ar_EG ar_AE ar_LB ar_MA ar_QA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr cs da prs_AF nl nl_BE en
en_GB en_US en_AE en_AU en_CA en_GH en_IE en_IN en_JM en_MY en_NZ en_QA en_SG en_UG en_ZA et fil fi fr fr_BE
fr_CA fr_CH fr_CI fr_MA ka de de_AT de_CH el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml
mr nb ps_AF fa pl pt_BR pt_PT pa ro ru sr si_LK sk sl es es_AR es_CL es_CO es_CR es_DO es_EC es_HN es_MX es_PA
es_PE es_ES es_UY sw sv ta te th tr uk ur uz vi zu
"""
CODES = frozenset(LISTED.split())
# The first part of a code, and what a text in that language has at least one letter of.
SCRIPTS = {
    **dict.fromkeys(("ar", "fa", "ur", "ps", "prs"), re.compile("[\u0600-\u06ff]")),
    **dict.fromkeys(("he",), re.compile("[\u0590-\u05ff]")),
    **dict.fromkeys(("ru", "uk", "bg", "be", "mk", "ky"), re.compile("[\u0400-\u04ff]")),
    **dict.fromkeys(("sr", "kk", "uz", "az"), re.compile("[\u0400-\u04ffA-Za-z\u00c0-\u024f]")),
    **dict.fromkeys(("hi", "mr"), re.compile("[\u0900-\u097f]")),
    **dict.fromkeys(("bn",), re.compile("[\u0980-\u09ff]")),
    **dict.fromkeys(("pa",), re.compile("[\u0a00-\u0a7f]")),
    **dict.fromkeys(("gu",), re.compile("[\u0a80-\u0aff]")),
    **dict.fromkeys(("ta",), re.compile("[\u0b80-\u0bff]")),
    **dict.fromkeys(("te",), re.compile("[\u0c00-\u0c7f]")),
    **dict.fromkeys(("kn",), re.compile("[\u0c80-\u0cff]")),
    **dict.fromkeys(("ml",), re.compile("[\u0d00-\u0d7f]")),
    **dict.fromkeys(("si",), re.compile("[\u0d80-\u0dff]")),
    **dict.fromkeys(("lo",), re.compile("[\u0e80-\u0eff]")),
    **dict.fromkeys(("ka",), re.compile("[\u10a0-\u10ff\u1c90-\u1cbf]")),
    **dict.fromkeys(("zh",), re.compile("[\u4e00-\u9fff]")),
    **dict.fromkeys(("ja",), re.compile("[\u3040-\u30ff\u4e00-\u9fff]")),
    **dict.fromkeys(("ko",), re.compile("[\uac00-\ud7af]")),
    **dict.fromkeys(("th",), re.compile("[\u0e00-\u0e7f]")),
    **dict.fromkeys(("el",), re.compile("[\u0370-\u03ff]")),
}
LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
LETTER = re.compile(r"[^\W\d_]")
NAMES = {
    "en": "English",
    "en_US": "English (US)",
    "en_GB": "English (UK)",
    "es": "Spanish",
    "de": "German",
    "fr": "French",
    "pt_BR": "Portuguese (BR)",
    "ar": "Arabic",
}


def name_of(code: str) -> str:
    """The English name of a language, or its code."""
    return NAMES.get(code, code)


def fits(text: str, code: str) -> bool:
    """False if hardly a letter of the text is in the script of the language."""
    letters = LETTER.findall(text)
    if not letters:
        return True
    script = SCRIPTS.get(code.partition("_")[0], LATIN)
    return sum(script.match(letter) is not None for letter in letters) * 3 >= len(letters)
