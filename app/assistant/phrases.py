"""What the assistant says by itself, in the customer's language, and words of customers that decide without a model.

These are words to customers, so they do not follow the reader's language. A business may write its own.
"""

from __future__ import annotations

import re

from app.folding import fold
from app.languages import NAMES, words_of

LANGUAGES = tuple(NAMES)
DISCLOSURES = {
    "en": "I'm the automated assistant of {business}. I'm not a person.",
    "es": "Soy el asistente automático de {business}. No soy una persona.",
    "pt": "Sou o assistente automático de {business}. Não sou uma pessoa.",
    "fr": "Je suis l'assistant automatique de {business}. Je ne suis pas une personne.",
    "de": "Ich bin der automatische Assistent von {business}. Ich bin kein Mensch.",
    "ar": "أنا المساعد الآلي لدى {business}، ولست شخصًا.",
}
HAND_OVERS = {
    "en": "I'll ask a colleague. Somebody from the team will reply here.",
    "es": "Voy a preguntar a un compañero. Alguien del equipo te responderá aquí.",
    "pt": "Vou perguntar a um colega. Alguém da equipe responderá aqui.",
    "fr": "Je demande à un collègue. Quelqu'un de l'équipe vous répondra ici.",
    "de": "Ich frage eine Kollegin oder einen Kollegen. Jemand aus dem Team antwortet Ihnen hier.",
    "ar": "سأسأل أحد زملائي، وسيجيبك أحد أفراد الفريق هنا.",
}
CLOSED_HAND_OVERS = {
    "en": "I'll ask a colleague. We're closed at the moment; somebody will reply here when we open.",
    "es": "Voy a preguntar a un compañero. Ahora estamos cerrados; alguien te responderá aquí cuando abramos.",
    "pt": "Vou perguntar a um colega. Estamos fechados agora; alguém responderá aqui quando abrirmos.",
    "fr": "Je demande à un collègue. Nous sommes fermés ; quelqu'un vous répondra ici à l'ouverture.",
    "de": "Ich frage im Team nach. Wir haben gerade geschlossen; jemand antwortet hier, sobald wir öffnen.",
    "ar": "سأسأل أحد زملائي. نحن مغلقون الآن، وسيجيبك أحدنا هنا عند الافتتاح.",
}
GREETINGS = {
    "en": "Hello. How can I help you?",
    "es": "Hola. ¿En qué puedo ayudarte?",
    "pt": "Olá. Como posso ajudar?",
    "fr": "Bonjour. Comment puis-je vous aider ?",
    "de": "Guten Tag. Wie kann ich Ihnen helfen?",
    "ar": "مرحبًا. كيف يمكنني مساعدتك؟",
}
# At most 20 characters, as WhatsApp asks of a button.
PERSON_BUTTONS = {
    "en": "Talk to a person",
    "es": "Hablar con alguien",
    "pt": "Falar com alguém",
    "fr": "Parler à quelqu'un",
    "de": "Mit Mensch sprechen",
    "ar": "التحدث مع شخص",
}
PERSON_BUTTON_ID = "assistant-person"

PEOPLE = """human; a person; real person; talk to someone; speak to someone; speak to a person; talk to a person;
 live agent; agent please; representative; operator; customer service; somebody real; talk to somebody;
 una persona; un humano; humano; hablar con alguien; agente humano; persona real; un asesor; operador; atencion humana;
 uma pessoa; falar com alguem; atendente; pessoa real; um humano; operadora;
 un humain; une personne; une vraie personne; parler a quelqu'un; un conseiller; une conseillere; un agent;
 ein mensch; einen menschen; mit einem menschen; echter mensch; mitarbeiter; mitarbeiterin; jemand echten; mensch;
 mit jemandem sprechen; موظف; شخص حقيقي; انسان; التحدث مع شخص; اكلم شخص; خدمه العملاء"""
EMERGENCIES = """emergency; ambulance; suicide; kill myself; heart attack; can't breathe; bleeding; gas leak;
 emergencia; ambulancia; suicidio; suicidarme; infarto; no puedo respirar; sangrando; fuga de gas;
 emergencia medica; suicidar; ataque cardiaco; nao consigo respirar; sangrando muito; vazamento de gas;
 urgence medicale; urgence; suicide; me suicider; crise cardiaque; je saigne; fuite de gaz;
 notfall; krankenwagen; selbstmord; umbringen; herzinfarkt; keine luft; blute stark; gasleck;
 طوارئ; اسعاف; انتحار; نوبه قلبيه; لا استطيع التنفس; نزيف; تسرب غاز"""
ANGER = """terrible service; worst service; unacceptable; disgusting; scam; fraud; lawyer; sue you; complaint; furious;
 rip off; useless bot; stupid bot; inaceptable; estafa; abogado; denuncia; queja; vergonzoso; bot inutil;
 inaceitavel; golpe; advogado; reclamacao; vergonha; absurdo; robo inutil;
 inacceptable; arnaque; avocat; plainte; honteux; scandaleux; bot inutile;
 unverschamt; betrug; anwalt; beschwerde; frechheit; unmoglich; nutzloser bot;
 غير مقبول; احتيال; محامي; شكوي; فضيحه; سيئ جدا"""
HELLOS = """hello; hi; hey; good morning; good afternoon; good evening; hola; buenos dias; buenas tardes; buenas noches;
 buenas; ola; oi; bom dia; boa tarde; boa noite; bonjour; bonsoir; salut; hallo; guten tag; guten morgen; guten abend;
 moin; servus; مرحبا; السلام عليكم; اهلا; صباح الخير; مساء الخير"""
THANKS = """thanks; thank you; thank you very much; thx; great thanks; ok thanks; ok; okay; perfect; great; bye;
 gracias; muchas gracias; vale; perfecto;
 obrigado; obrigada; muito obrigado; valeu; perfeito; merci; merci beaucoup; parfait;
 d'accord; danke; vielen dank; danke schon; perfekt; alles klar; شكرا; شكرا جزيلا; تمام; حسنا"""


def phrases(listed: str) -> frozenset[str]:
    return frozenset(fold(phrase) for phrase in listed.split(";"))


def finder(listed: str) -> re.Pattern[str]:
    longest_first = sorted(phrases(listed), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


PERSON_WORDS, EMERGENCY_WORDS, ANGRY_WORDS = finder(PEOPLE), finder(EMERGENCIES), finder(ANGER)
HELLO_PHRASES, THANKS_PHRASES = phrases(HELLOS), phrases(THANKS)


def why_people(text: str, topics: list[str]) -> str:
    """Why people have to answer this, whatever a model would say: a key of `words.REASONS`, or ""."""
    folded = fold(text)
    if EMERGENCY_WORDS.search(folded):
        return "emergency"
    if PERSON_WORDS.search(folded):
        return "asked_for_person"
    if ANGRY_WORDS.search(folded):
        return "anger"
    return "topic" if any(names_topic(topic, folded) for topic in topics) else ""


def names_topic(topic: str, folded: str) -> bool:
    """Whether a topic of the business is named, also as the beginning of a longer word: “refund” in “refunds”."""
    wanted = fold(topic)
    return bool(wanted) and re.search(rf"(?<!\w){re.escape(wanted)}", folded) is not None


def is_greeting(text: str) -> bool:
    return bare_phrase(text) in HELLO_PHRASES


def is_thanks(text: str) -> bool:
    """Whether there is nothing to answer: thanks, a good-bye, an emoji."""
    bare = bare_phrase(text)
    return not bare or bare in THANKS_PHRASES


def bare_phrase(text: str) -> str:
    return " ".join(words_of(text))


def in_language(texts: dict[str, str], defaults: dict[str, str], language: str) -> str:
    """The business's own text, else ours, in this language; else in English."""
    return texts.get(language) or defaults.get(language) or texts.get("en") or defaults["en"]
