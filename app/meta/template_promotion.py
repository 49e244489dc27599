"""Words that make a utility text look like marketing to Meta."""

from __future__ import annotations

import re

# Stems with `*` match whatever follows; the rest are whole words. Written without accents for Latin script.
_WORDS = {
    "en": """
        on sale|sale ends|sale is on|flash sale|summer sale|winter sale|big sale|sales event|clearance|discount*
        promo|promos|promo code*|promotion|promotions|promotional|special offer*|limited time|limited-time
        exclusive offer*|best deal*|deal of|great deal*|black friday|cyber monday|coupon*|voucher code|buy now
        shop now|order now|buy one|free shipping|free gift*|free trial|save up to|save big|up to % off|% off
        lowest price*|best price*|don't miss|do not miss|last chance|hurry|while stocks last|while supplies last
        new arrival*|new collection|explore our|discover our|upgrade now|refer a friend|win a|earn points|cashback
        we miss you|you may also like|recommended for you
    """,
    "fr": """
        soldes|promo|promos|promotion|promotions|promotionnel*|% de remise|remise de %|code de remise|rabais
        reduction*|offre speciale|offre exclusive|offre limitee|offres speciales|bon plan|bons plans|code promo
        profitez|achetez maintenant|commandez maintenant|livraison gratuite|cadeau offert|cadeau gratuit
        essai gratuit|meilleur prix|meilleurs prix|prix casse*|derniere chance|ne manquez pas|depechez-vous
        duree limitee|temps limite|nouvelle collection|decouvrez nos|decouvrez notre|parrainez|gagnez
        vous nous manquez|economisez|destockage|vente flash|vente privee
    """,
    "es": """
        oferta|ofertas|oferton|promo|promos|promocion|promociones|promocional*|descuento*|rebaja|rebajas
        liquidacion total|cupon|cupones|codigo promocional|compra ahora|compre ahora|aprovecha|aproveche
        aprovechen|no te lo pierdas|no se lo pierda|envio gratis|regalo gratis|prueba gratis|mejor precio
        mejores precios|precio especial|ultima oportunidad|ultimos dias|tiempo limitado|hasta agotar*
        nueva coleccion|descubre nuestr*|descubra nuestr*|recomienda a un amigo|gana un|gana una|te extranamos
        te echamos de menos|ahorra|ahorre|dos por uno|2x1|3x2
    """,
    "pt": """
        oferta|ofertas|promo|promos|promocao|promocoes|promocional|promocionais|desconto*|cupom|cupons|cupao
        cupoes|codigo promocional|compre agora|compre ja|peca agora|aproveite|aproveitem|nao perca|frete gratis
        frete gratuito|portes gratis|brinde|brindes|teste gratis|melhor preco|melhores precos|preco especial
        ultima chance|ultimas horas|ultimos dias|tempo limitado|enquanto durar*|nova colecao|conheca nossa
        conheca nosso|descubra noss*|indique um amigo|ganhe|sentimos sua falta|sentimos a sua falta|economize
        poupe|queima de estoque
    """,
    "de": """
        sonderangebot*|exklusives angebot|exklusive angebote|angebot der woche|angebote der woche|nur fur kurze zeit
        solange der vorrat reicht|rabatt*|% nachlass|schnappchen*|aktionspreis*|sonderaktion*|rabattaktion*
        werbeaktion*|gutschein*|promo|promos|aktionscode*|jetzt kaufen|jetzt bestellen|jetzt zugreifen|jetzt sparen
        jetzt sichern|sparen sie|spar dir|sichern sie sich|sichere dir|gratisversand|versand gratis
        kostenloser versand|kostenlosen versand|versandkostenfrei*|gratis dazu|gratis testen|kostenlos testen
        bester preis|beste preise|zum besten preis|bestpreis*|tiefpreis*|letzte chance|nicht verpassen
        verpassen sie nicht|verpasse nicht|beeilen sie sich|ausverkauf|schlussverkauf|sommerschlussverkauf
        winterschlussverkauf|raumungsverkauf|neue kollektion|entdecken sie unsere|entdecken sie unser
        entdecke unsere|freunde werben|gewinnen sie|wir vermissen sie|wir vermissen dich|fur sie empfohlen
        das konnte ihnen auch gefallen
    """,
    "ar": """
        عرض خاص|عروض خاصة|عرض حصري|عروض حصرية|عروض|العروض|عروضنا|خصم|خصومات|الخصم|الخصومات|تخفيض|تخفيضات|التخفيضات
        تنزيلات|التنزيلات|كوبون|كود الخصم|رمز الخصم|قسيمة شراء|اشتر الآن|اشتري الآن|تسوق الآن|تسوقي الآن|اطلب الآن
        شحن مجاني|توصيل مجاني|هدية مجانية|تجربة مجانية|أفضل سعر|أفضل الأسعار|الفرصة الأخيرة|آخر فرصة|لا تفوت
        لا تفوتوا|لفترة محدودة|لوقت محدود|حتى نفاد الكمية|مجموعة جديدة|وصل حديثا|اكتشف مجموعتنا|ادع صديقك|اربح
        اشتقنا إليك|وفر حتى|الجمعة البيضاء|الجمعة السوداء
    """,
}
MOST_LOOKED_AT = 4_096
_ACCENTS = str.maketrans("àâäáãåçèéêëìíîïñòóôöõùúûüýÿ", "aaaaaaceeeeiiiinooooouuuuyy")
# Arabic vowel signs and the stretching stroke say nothing about the word; forms of alef are one letter.
_UNSAID = re.compile("[\u0640\u064b-\u065f\u0670]")
_ALEF = str.maketrans("أإآٱى", "ااااي")


def lint_promotion(text: str, language: str) -> list[str]:
    """The promotional words in its first MOST_LOOKED_AT characters, as they are written there.

    English ones are found in every language; of a text in no certain language ("") all are looked for.
    """
    text = text[:MOST_LOOKED_AT]
    own = language.replace("-", "_").partition("_")[0].lower()
    folded, places = _fold(text)
    matches = {
        (match.start(), match.end())
        for code in ({own, "en"} if own else _PATTERNS)
        if code in _PATTERNS
        for match in _PATTERNS[code].finditer(folded)
    }
    passages = [text[places[start] : places[end - 1] + 1] for start, end in sorted(matches)]
    return list(dict.fromkeys(one.strip() for one in passages))


def _fold(text: str) -> tuple[str, list[int] | range]:
    """The text in lower case, without accents and vowel signs, and where each character of it was."""
    plain = text.replace("’", "'").translate(_ALEF)
    if not _UNSAID.search(plain):
        return _lower(plain), range(len(plain))
    places = [index for index, character in enumerate(plain) if not _UNSAID.match(character)]
    return _lower("".join(plain[index] for index in places)), places


def _lower(text: str) -> str:
    """In as many characters as before: lower case may be longer."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(one if len(one := character.lower()) == 1 else character for character in text)
    return lower.translate(_ACCENTS)


def _pattern(words: str) -> re.Pattern[str]:
    """Longer phrases first, grouped by their first character: most words of a text are passed over at once."""
    folded = _lower(words.translate(_ALEF))
    phrases = [phrase.strip() for line in folded.splitlines() for phrase in line.split("|") if phrase.strip()]
    groups: dict[str, list[str]] = {}
    for phrase in sorted(map(_phrase, phrases), key=len, reverse=True):
        first = 2 if phrase.startswith("\\") else 1
        groups.setdefault(phrase[:first], []).append(phrase[first:])
    branches = (f"{first}(?:{'|'.join(rests)})" for first, rests in groups.items())
    return re.compile(rf"(?<!\w)(?=\w)(?:{'|'.join(branches)})")


def _phrase(phrase: str) -> str:
    """A number may come before a percent sign; any spaces between words."""
    is_stem = phrase.endswith("*")
    body = re.escape(phrase.rstrip("*")).replace(r"\ ", " ").replace(" ", r"\s{1,3}").replace("%", r"\d\d?\d? ?%")
    return rf"{body}\w{{0,20}}" if is_stem else rf"{body}(?!\w)"


_PATTERNS = {code: _pattern(words) for code, words in _WORDS.items()}
