"""What Meta writes into authentication templates, by language; what is missing here is in English."""

from typing import Any

Json = dict[str, Any]
ADDRESS = "https://www.whatsapp.com/otp/code/?otp_type={kind}&code=otp{{{{1}}}}"
# Body, security recommendation, expiry, label of the copy button, label of the autofill button.
TEXTS = {
    "en": (
        "*{{1}}* is your verification code.",
        " For your security, do not share this code.",
        "This code expires in {minutes} minutes.",
        "Copy code",
        "Autofill",
    ),
    "es": (
        "Tu código de verificación es *{{1}}*.",
        " Por tu seguridad, no lo compartas.",
        "Este código caduca en {minutes} minutos.",
        "Copiar código",
        "Autocompletar",
    ),
    "de": (
        "Dein Verifizierungscode lautet *{{1}}*.",
        " Teile diesen Code zu deiner Sicherheit nicht mit anderen.",
        "Dieser Code läuft in {minutes} Minuten ab.",
        "Code kopieren",
        "Automatisch ausfüllen",
    ),
    "fr": (
        "Votre code de vérification est *{{1}}*.",
        " Pour votre sécurité, ne le partagez pas.",
        "Ce code expire dans {minutes} minutes.",
        "Copier le code",
        "Remplir",
    ),
    "pt": (
        "Seu código de verificação é *{{1}}*.",
        " Para sua segurança, não o compartilhe.",
        "Este código expira em {minutes} minutos.",
        "Copiar código",
        "Preencher",
    ),
    "ar": (
        "رمز التحقق الخاص بك هو *{{1}}*.",
        " للحفاظ على أمانك، لا تشارك هذا الرمز.",
        "تنتهي صلاحية هذا الرمز خلال {minutes} دقيقة.",
        "نسخ الرمز",
        "ملء تلقائي",
    ),
}


def components_of(parts: dict[str, Json], language: str) -> list[Json]:
    """The components as Meta gives them back: with texts, and the button as one that opens an address."""
    body, advice, expiry, copy, _autofill = TEXTS.get(language.partition("_")[0], TEXTS["en"])
    recommended = bool(parts["BODY"].get("add_security_recommendation"))
    text = body + (advice if recommended else "")
    made: list[Json] = [{"type": "BODY", "text": text, "add_security_recommendation": recommended}]
    made[0]["example"] = {"body_text": [["123456"]]}
    if "FOOTER" in parts:
        minutes = int(parts["FOOTER"]["code_expiration_minutes"])
        made.append({"type": "FOOTER", "text": expiry.format(minutes=minutes), "code_expiration_minutes": minutes})
    button = parts["BUTTONS"]["buttons"][0]
    address = ADDRESS.format(kind=str(button["otp_type"]).upper())
    shown = {"type": "URL", "text": button.get("text") or copy, "url": address}
    made.append({"type": "BUTTONS", "buttons": [shown | {"example": [address.replace("{{1}}", "123456")]}]})
    return made


def preview(language: str, recommended: bool, minutes: int | None) -> Json:
    """The texts of a template in one language, without creating it."""
    body, advice, expiry, copy, autofill = TEXTS.get(language.partition("_")[0], TEXTS["en"])
    shown: Json = {"body": body + (advice if recommended else ""), "language": language}
    shown["buttons"] = [{"autofill_text": autofill, "text": copy}]
    return shown | ({"footer": expiry.format(minutes=minutes)} if minutes else {})
