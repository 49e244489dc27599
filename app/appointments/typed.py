"""Words by which customers answer a reminder, typed instead of tapped. The whole message has to be one of them."""

from __future__ import annotations

import re

from app.folding import fold

# By answer and language; compared folded, without the marks around them.
WORDS = {
    "confirm": {
        "en": "confirm; confirmed; i confirm; yes confirm; yes i confirm; i will be there; i'll be there",
        "fr": "confirmer; confirme; je confirme; oui je confirme; confirmé; c'est confirmé; je serai là; j'y serai",
        "ar": "تأكيد; أؤكد; نعم أؤكد; مؤكد; أنا قادم; سأحضر; نعم سأحضر; تم التأكيد",
        "es": "confirmar; confirmo; sí confirmo; confirmado; confirmada; allí estaré; ahí estaré",
        "pt": "confirmar; confirmo; sim confirmo; confirmado; confirmada; estarei lá; vou estar lá",
        "de": "bestätigen; ich bestätige; ja ich bestätige; bestätigt; ich komme; ich bin da; passt ich komme",
    },
    "reschedule": {
        "en": "reschedule; change time; another time; can we reschedule; please reschedule; i want to reschedule",
        "fr": "reporter; déplacer; changer l'heure; autre heure; un autre jour; je veux reporter; reprogrammer",
        "ar": "تغيير الموعد; تأجيل; تأجيل الموعد; موعد آخر; أريد تغيير الموعد; إعادة جدولة",
        "es": "cambiar; reprogramar; cambiar la hora; cambiar la cita; otra hora; otro día; quiero cambiar la cita",
        "pt": "remarcar; reagendar; mudar o horário; outro horário; outro dia; quero remarcar",
        "de": "verschieben; verlegen; anderer termin; termin verschieben; ich möchte verschieben; bitte verschieben",
    },
    "cancel": {
        "en": "cancel; cancel it; please cancel; i cancel; cancel appointment; cancel my appointment",
        "fr": "annuler; annulez; j'annule; annuler le rendez-vous; je veux annuler; annulation",
        "ar": "إلغاء; ألغي; إلغاء الموعد; أريد الإلغاء; أريد إلغاء الموعد; الغاء",
        "es": "cancelar; cancelo; anular; cancelar la cita; quiero cancelar; anular la cita",
        "pt": "cancelar; cancelo; desmarcar; quero cancelar; quero desmarcar; cancelar o horário",
        "de": "absagen; stornieren; ich sage ab; termin absagen; bitte absagen; ich möchte absagen",
    },
}
LONGEST = 60
EDGES = re.compile(r"^[^\w]+|[^\w]+$")
MARKS = re.compile(r"[,;:.!?،؛؟\"“”«»]+")


def plain(words: str) -> str:
    """Without the marks of a sentence, in and around it."""
    return " ".join(EDGES.sub("", MARKS.sub(" ", fold(words))).split())


# By the words: the answer, and the languages that say it so.
ANSWER_OF: dict[str, tuple[str, tuple[str, ...]]] = {}
for _answer, _languages in WORDS.items():
    for _language, _listed in _languages.items():
        for _words in map(plain, _listed.split(";")):
            ANSWER_OF[_words] = (_answer, (*ANSWER_OF.get(_words, ("", ()))[1], _language))


def answer_in(body: str) -> tuple[str, tuple[str, ...]] | None:
    """The answer that a message is and the languages it may be in; None where it says anything else or more."""
    return ANSWER_OF.get(plain(body)) if len(body) <= LONGEST else None
