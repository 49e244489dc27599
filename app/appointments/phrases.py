"""Messages to customers about their appointments, in their language, whatever the language of whoever reads here."""

from __future__ import annotations

import datetime as dt
import functools

from babel import Locale
from babel.dates import format_date

from app import dates

LANGUAGES = ("en", "fr", "ar", "es", "pt", "de")
# By what came of the answer (`Answer.apply`).
OUTCOMES = {
    "confirm": {
        "en": "Thank you, your appointment is confirmed: {title}, {time}.",
        "fr": "Merci, votre rendez-vous est confirmé : {title}, {time}.",
        "ar": "شكرًا لك، تم تأكيد موعدك: {title}، {time}.",
        "es": "Gracias, tu cita está confirmada: {title}, {time}.",
        "pt": "Obrigado, o seu horário está confirmado: {title}, {time}.",
        "de": "Danke, Ihr Termin ist bestätigt: {title}, {time}.",
    },
    "booked": {
        "en": "Thank you, your appointment is booked: {title}, {time}.",
        "fr": "Merci, votre rendez-vous est réservé : {title}, {time}.",
        "ar": "شكرًا لك، تم حجز موعدك: {title}، {time}.",
        "es": "Gracias, tu cita está reservada: {title}, {time}.",
        "pt": "Obrigado, o seu horário está reservado: {title}, {time}.",
        "de": "Danke, Ihr Termin ist gebucht: {title}, {time}.",
    },
    "cancel": {
        "en": "Your appointment is cancelled: {title}, {time}. Write to us here if you would like another one.",
        "fr": "Votre rendez-vous est annulé : {title}, {time}. Écrivez-nous ici si vous en souhaitez un autre.",
        "ar": "تم إلغاء موعدك: {title}، {time}. راسلنا هنا إذا رغبت في موعد آخر.",
        "es": "Tu cita está cancelada: {title}, {time}. Escríbenos aquí si quieres otra.",
        "pt": "O seu horário foi cancelado: {title}, {time}. Escreva-nos aqui se quiser outro.",
        "de": "Ihr Termin ist abgesagt: {title}, {time}. Schreiben Sie uns hier, wenn Sie einen anderen möchten.",
    },
    "reschedule": {
        "en": "No problem. A colleague will write to you here to find another time for {title}.",
        "fr": "Pas de souci. Un collègue vous écrira ici pour trouver un autre moment : {title}.",
        "ar": "لا مشكلة. سيراسلك أحد زملائنا هنا لتحديد موعد آخر: {title}.",
        "es": "Sin problema. Un compañero te escribirá aquí para buscar otro momento: {title}.",
        "pt": "Sem problema. Um colega vai escrever aqui para encontrar outro horário: {title}.",
        "de": "Kein Problem. Wir schreiben Ihnen hier, um einen anderen Termin zu finden: {title}.",
    },
    "choose": {
        "en": "No problem. Choose another time for {title}:",
        "fr": "Pas de souci. Choisissez un autre moment : {title}",
        "ar": "لا مشكلة. اختر موعدًا آخر: {title}",
        "es": "Sin problema. Elige otro momento: {title}",
        "pt": "Sem problema. Escolha outro horário: {title}",
        "de": "Kein Problem. Wählen Sie einen anderen Termin: {title}",
    },
    "moved_before": {
        "en": "This appointment has been moved. It is now on {time}: {title}. Your reply changed nothing.",
        "fr": "Ce rendez-vous a été déplacé. Il est maintenant le {time} : {title}. Votre réponse n'a rien changé.",
        "ar": "تم تغيير هذا الموعد، وهو الآن {time}: {title}. لم يغيّر ردّك شيئًا.",
        "es": "Esta cita se ha cambiado. Ahora es el {time}: {title}. Tu respuesta no ha cambiado nada.",
        "pt": "Este horário foi alterado. Agora é {time}: {title}. A sua resposta não mudou nada.",
        "de": "Dieser Termin wurde verschoben. Er ist jetzt am {time}: {title}. Ihre Antwort hat nichts geändert.",
    },
    "cancelled_before": {
        "en": "This appointment was cancelled: {title}, {time}. Write to us here if you would like another one.",
        "fr": "Ce rendez-vous a été annulé : {title}, {time}. Écrivez-nous ici si vous en souhaitez un autre.",
        "ar": "تم إلغاء هذا الموعد: {title}، {time}. راسلنا هنا إذا رغبت في موعد آخر.",
        "es": "Esta cita se canceló: {title}, {time}. Escríbenos aquí si quieres otra.",
        "pt": "Este horário foi cancelado: {title}, {time}. Escreva-nos aqui se quiser outro.",
        "de": "Dieser Termin wurde abgesagt: {title}, {time}. Schreiben Sie uns hier, wenn Sie einen anderen möchten.",
    },
    "over": {
        "en": "This appointment is over: {title}, {time}. Write to us here if we can help.",
        "fr": "Ce rendez-vous est passé : {title}, {time}. Écrivez-nous ici si nous pouvons vous aider.",
        "ar": "انتهى هذا الموعد: {title}، {time}. راسلنا هنا إذا كان بإمكاننا المساعدة.",
        "es": "Esta cita ya pasó: {title}, {time}. Escríbenos aquí si podemos ayudarte.",
        "pt": "Este horário já passou: {title}, {time}. Escreva-nos aqui se pudermos ajudar.",
        "de": "Dieser Termin ist vorbei: {title}, {time}. Schreiben Sie uns hier, wenn wir helfen können.",
    },
    "not_yours": {
        "en": "This button belongs to a message to somebody else, so nothing was changed. Write to us here instead.",
        "fr": "Ce bouton vient d'un message à quelqu'un d'autre : rien n'a été changé. Écrivez-nous plutôt ici.",
        "ar": "هذا الزر من رسالة أُرسلت إلى شخص آخر، لذلك لم يتغير شيء. راسلنا هنا من فضلك.",
        "es": "Este botón es de un mensaje para otra persona, así que no ha cambiado nada. Escríbenos aquí.",
        "pt": "Este botão é de uma mensagem para outra pessoa, por isso nada mudou. Escreva-nos aqui.",
        "de": "Dieser Button gehört zu einer Nachricht an jemand anderen. Nichts ist geändert. Schreiben Sie uns hier.",
    },
}
# At most 30 characters, as WhatsApp asks of the button that opens a form.
CHOOSE = {
    "en": "Choose a time",
    "fr": "Choisir un horaire",
    "ar": "اختيار موعد",
    "es": "Elegir hora",
    "pt": "Escolher horário",
    "de": "Termin wählen",
}
# Where an appointment has no title.
UNTITLED = {
    "en": "your appointment",
    "fr": "votre rendez-vous",
    "ar": "موعدك",
    "es": "tu cita",
    "pt": "o seu horário",
    "de": "Ihr Termin",
}
# What a visit to a place is called before anybody writes another title.
VIEWINGS = {
    "en": "Viewing: {title}",
    "fr": "Visite : {title}",
    "ar": "معاينة: {title}",
    "es": "Visita: {title}",
    "pt": "Visita: {title}",
    "de": "Besichtigung: {title}",
}
LONGEST_TITLE = 120


def language_among(*codes: str) -> str:
    """The first of these that there are words in; English else."""
    bases = (code.replace("-", "_").partition("_")[0].lower() for code in codes if code)
    return next((base for base in bases if base in LANGUAGES), "en")


def time_words(local: dt.datetime, language: str) -> str:
    """“Montag, 30. November, 14:03”: by the clock of the appointment's zone."""
    return dates.with_clock(local, "MMMMEEEEd", Locale(language))


def viewing_of(title: str, language: str) -> str:
    return VIEWINGS[language_among(language)].format(title=title)


@functools.lru_cache(maxsize=1_000)
def day_in(day: dt.date, locale: Locale) -> str:
    """Once for all reminders of a day."""
    return str(format_date(day, "full", locale=dates.writing(locale)))


@functools.lru_cache(maxsize=1_000)
def clock_in(time: dt.time, locale: Locale) -> str:
    return dates.clock(time, locale)


@functools.lru_cache(maxsize=1_000)
def day_and_clock_in(day: dt.date, time: dt.time, locale: Locale) -> str:
    """Joined as the language does it: “mardi 1 décembre 2026 à 10:30”."""
    return dates.joined(day_in(day, locale), clock_in(time, locale), locale)


def outcome_in_words(outcome: str, language: str, title: str, local: dt.datetime | None) -> str:
    """The words of an answer; braces in a title are nothing special."""
    named = title[:LONGEST_TITLE] or UNTITLED[language]
    return OUTCOMES[outcome][language].format(title=named, time=time_words(local, language) if local else "")
