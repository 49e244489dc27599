"""What customers read in a form while they fill it in, beside the form's own words, in their language."""

from __future__ import annotations

USUAL = "en"
NOTHING_FREE = {
    "en": "Nothing is free",
    "fr": "Rien n'est libre",
    "ar": "لا يوجد شيء متاح",
    "es": "No hay nada libre",
    "pt": "Nada disponível",
    "de": "Nichts ist frei",
}
TAKEN = {
    "en": "This time has just been booked. Choose another one.",
    "fr": "Cet horaire vient d'être réservé. Choisissez-en un autre.",
    "ar": "تم حجز هذا الموعد للتو. اختر موعدًا آخر.",
    "es": "Esta hora acaba de reservarse. Elija otra.",
    "pt": "Este horário acabou de ser reservado. Escolha outro.",
    "de": "Dieser Termin wurde gerade gebucht. Wählen Sie einen anderen.",
}
UNAVAILABLE = {
    "en": "This isn't available at the moment. Try again in a few minutes.",
    "fr": "Ce n'est pas disponible pour le moment. Réessayez dans quelques minutes.",
    "ar": "هذا غير متاح حاليًا. حاول مرة أخرى بعد بضع دقائق.",
    "es": "No está disponible en este momento. Inténtelo de nuevo en unos minutos.",
    "pt": "Não está disponível no momento. Tente novamente em alguns minutos.",
    "de": "Das ist gerade nicht verfügbar. Versuchen Sie es in ein paar Minuten noch einmal.",
}


def supported(language: str) -> str:
    """The code, where these words are in its language."""
    return language if language in NOTHING_FREE else ""
