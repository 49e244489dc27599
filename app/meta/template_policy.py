"""What reads like a request for secrets or like a threat, which Meta's reviewers reject."""

from __future__ import annotations

import re

MOST_LOOKED_AT = 4_096
# To advise against it is no request; part of a number may be asked for.
_NO = ("not", "n't", "n’t", "never", "ne", "no", "nunca", "não", "jamais", "لا")
_NOT = "".join(rf"(?<!{no}\ )" for no in _NO) + "(?<!n')(?<!n’)"
# Neither a part of a number, nor a German “never”, which comes after the verb.
_UNLESS = (
    r"(?![^.!?\n]{0,60}(?:last|four|4|letzten|vier)\ )"
    r"(?![^.!?\n]{0,90}(?<!\w)(?:nie|niemals|nicht|kein\w{0,2})(?!\w))"
)
_ASK = r"""
    send|enter|provide|reply\ with|share|give|confirm|tell|type
    |envoyez|saisissez|indiquez|donnez|communiquez|confirmez|partagez|répondez\ avec
    |env[íi][ea]|envíenos|envíanos|ingres[ea]|introduzca|proporcione|comparta|indique|confirme|responda\ con
    |informe|digite|forneça|compartilhe|responda\ com
    |senden\ sie|sende|schicken\ sie|schicke?|geben\ sie|gib|nennen\ sie|nenne|teilen\ sie|bestätigen\ sie|bestätige
    |tippen\ sie|antworten\ sie\ mit|antworte\ mit
    |أرسل|ارسل|أدخل|ادخل|زودنا|شاركنا|أكد
"""
_IDENTIFIER = r"""
    card\ number|cvv|cvc|pin\ code|password|passport\ number|social\ security|national\ id|bank\ account\ number
    |numéro\ de\ (?:carte|passeport|compte\ bancaire|sécurité\ sociale)|mot\ de\ passe|code\ pin
    |número\ de\ (?:(?:su|tu|la|seu|o)\ )?(?:tarjeta|pasaporte|cuenta\ bancaria|cartão|passaporte|conta\ bancária)
    |número\ do\ (?:seu\ )?(?:cartão|passaporte)|contraseña|senha|cpf
    |passwort|kennwort|(?:ihre|deine)\ pin|geheimzahl|(?:kredit)?kartennummer|kontonummer|iban|(?:reise)?passnummer
    |ausweisnummer|sozialversicherungsnummer
    |رقم\ (?:البطاقة|بطاقتك|الحساب\ البنكي|حسابك\ البنكي|جواز\ السفر|الهوية)|كلمة\ (?:المرور|السر)
"""
_REQUEST = re.compile(
    rf"{_NOT}(?<!\w)(?:{_ASK})(?!\w){_UNLESS}"
    rf"[^.!?\n]{{0,60}}(?<!\w)(?P<secret>{_IDENTIFIER})(?!\w)",
    re.IGNORECASE | re.VERBOSE,
)
_THREAT = re.compile(
    r"(?<!\w)(?:legal\ action|we\ will\ sue|press\ charges|report\ you\ to\ the\ police|or\ else"
    r"|poursuites\ (?:judiciaires|en\ justice)|nous\ porterons\ plainte|acciones\ legales|lo\ denunciaremos"
    r"|(?:rechtliche|gerichtliche)\ schritte|wir\ erstatten\ anzeige|wir\ verklagen\ (?:sie|dich)"
    r"|medidas\ legais|ações?\ judiciais|إجراءات\ قانونية|سنقاضيك)(?!\w)",
    re.IGNORECASE | re.VERBOSE,
)


def request_for_secret(words: str) -> str:
    """The secret that is asked for, as it is written in the first MOST_LOOKED_AT characters; or an empty text."""
    match = _REQUEST.search(words[:MOST_LOOKED_AT])
    return match["secret"] if match else ""


def threat_in(words: str) -> str:
    """The threatening words, or an empty text."""
    match = _THREAT.search(words[:MOST_LOOKED_AT])
    return match[0] if match else ""
