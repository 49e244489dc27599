"""What the columns of other programs hold, by their titles."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from app.folding import fold
from app.meta.written_numbers import looks_like_one

ONE_EACH = ("name", "first_name", "last_name", "marketing")
# fmt: off
TITLES = {
    "name": (
        "name", "full name", "fullname", "display name", "contact", "contact name",
        "customer", "customer name", "client", "nombre", "nombre completo", "nome",
        "nome completo", "nom", "nom complet", "vollstandiger name", "kunde", "kundenname",
        "kontakt", "kontaktname", "client name", "cliente", "nombre del cliente", "nome do cliente",
        "nom du client", "klant", "klantnaam", "naam", "imie i nazwisko",
        "имя", "фио", "имя и фамилия", "الاسم", "اسم", "الاسم الكامل", "نام", "שם", "姓名", "名前",
        "氏名", "お名前", "이름", "ad soyad", "isim", "adi soyadi", "ονομα", "ชื่อ", "nama", "ten",
        "ho va ten", "नाम", "jmeno", "meno", "nev", "nume", "nimi", "ime", "ім'я",
    ),
    "first_name": (
        "first name", "firstname", "given name", "forename", "vorname", "prenom", "primer nombre",
        "nombre de pila", "voornaam", "imie", "ad", "adi", "fornavn", "fornamn",
        "etunimi", "名", "الاسم الاول", "שם פרטי", "krestni jmeno", "krstne meno", "keresztnev", "utonev",
        "prenume", "nama depan", "primeiro nome",
    ),
    "last_name": (
        "last name", "lastname", "family name", "surname", "nachname", "familienname", "apellido",
        "apellidos", "cognome", "sobrenome", "nom de famille", "achternaam", "nazwisko", "soyad",
        "soyadi", "etternavn", "efternavn", "efternamn", "sukunimi", "фамилия", "прізвище", "姓", "성",
        "اسم العائله", "الاسم الاخير", "نام خانوادگي", "שם משפחה", "επωνυμο", "prijmeni", "priezvisko", "vezeteknev",
        "prezime", "apelido", "nama belakang", "นามสกุล",
    ),
    "tags": (
        "tags", "tag", "labels", "label", "groups", "group", "group membership", "categories",
        "category", "kategorien", "kategorie", "schlagworte", "schlagwort", "schlagworter", "stichworte",
        "etikett", "etiketten",
        "mots cles", "etiquetas", "etichette", "etiquettes", "segment", "segments", "gruppe", "gruppen",
        "grupo", "grupos", "groupe", "groupes", "gruppo", "gruppi", "categorias", "categorie", "categorieen",
        "kategorier", "kategoriler", "kategoriak", "категории", "категорії", "κατηγοριες", "הקטגוריות", "קטגוריות",
        "الفئات", "分类", "类别", "分類", "類別", "범주",
        "teги", "теги", "метки", "标签", "タグ",
    ),
    "marketing": (
        "marketing", "marketing consent", "agreed to marketing", "accepts marketing",
        "email marketing consent", "consent", "opt in", "optin", "opted in", "subscribed",
        "newsletter", "einwilligung", "consentimiento", "consenso", "accepts whatsapp marketing",
        "whatsapp opt in",
    ),
}
PHONE_ELSEWHERE = (
    "telefon", "telefonnummer", "handy", "handynummer", "mobil", "mobilnummer", "mobiltelefon",
    "telefon mobil", "telefono", "telefon privat", "telefon privatlich", "telefon geschaftlich",
    "rufnummer", "nummer", "telefono movil", "movil", "celular", "numero", "numero de telefono",
    "numero de telefone", "cellulare", "numero di telefono", "telefone", "telemovel", "portable",
    "numero de telephone", "tel portable", "telefoon", "telefoonnummer", "mobiel", "gsm",
    "numer telefonu", "telefon komorkowy", "komorka", "cep telefonu", "cep", "telefonu",
    "telefon numarasi", "τηλεφωνο", "κινητο", "телефон", "номер", "номер телефона", "мобильныи",
    "мобильныи телефон", "мобильный", "мобильный телефон", "الهاتف", "هاتف", "رقم الهاتف", "رقم",
    "الجوال", "جوال", "رقم الجوال", "الموبايل", "تلفن", "موبايل", "شماره", "شماره تلفن", "טלפון",
    "נייד", "电话", "手机", "手机号", "手机号码", "电话号码", "電話", "手機", "手機號碼", "電話番号", "携帯",
    "携帯電話", "電話號碼",
    "전화", "전화번호", "휴대폰", "휴대전화", "โทร", "โทรศัพท์", "เบอร์โทร", "เบอร์โทรศัพท์", "telepon",
    "nomor telepon", "no hp", "dien thoai", "so dien thoai", "फोन", "मोबाइल", "puhelin",
    "matkapuhelin", "telefonnumer",
)
# fmt: on
# In English, in whatever combination.
PHONE = re.compile(
    r"(?:(?:primary|main|home|business|work|other|mobile|cell|private|contact|customer|billing|shipping|default|your)\s)*"
    r"(?:phones?|phone ?(?:no|nr|number)|telephone|telephone number|tel|tel (?:no|nr)|mobile|"
    r"mobile ?(?:no|number|phone)|cell|cellphone|cell number|number|msisdn|"
    r"whatsapp|whatsapp (?:number|id)|wa id|waid|wa|e ?164)(?: \d+)?(?: value)?"
)

# Words of phones in a longer title, such as “Telefon geschäftlich 2”; and of numbers that are somebody else's.
MENTIONED = re.compile(
    r"\b(?:\w*telefo\w*|telep(?:ho|o)n\w*|phones?|mobil\w*|mobiel\w*|handy\w*|cell\w*|celular\w*|movil\w*|tel|tlf|gsm|"
    r"whatsapp|msisdn|telemovel|ufficio|abitazione|particular|puhelin\w*|тел\w*|моб\w*|τηλεφων\w*|κινητ\w*)\b|"
    r"هاتف|جوال|موبايل|محمول|تلفن|טלפון|נייד|电话|手机|電話|手機|携帯|전화|휴대|โทร|फोन"
)
SOMEBODY_ELSE = re.compile(
    r"fax|faks|факс|传真|傳真|팩스|פקס|فاكس|φαξ|ファクス|assist|secretar|manager|emergency|notfall|urgence|company|"
    r"firma|societe|empresa|organi[sz]a|bedrijf|centralita|callback|pager|телекс|telex|\btty\b|horbehindert"
)

MOBILE = re.compile(
    r"mobil|mobiel|cell|whatsapp|handy|movil|celular|gsm|telemovel|portable|komork|cep tel|matkapuhelin|hp\b|di dong|"
    r"моб|переносн|κινητ|手机|手機|移动|移動|行動|携帯|휴대|جوال|محمول|موبايل|נייד|มือถือ|मोबाइल"
)


def guess_column(title: str) -> str:
    """What a column of this title probably holds; empty where it isn't in the lists."""
    words = simplified(title)
    if words in COLUMN_BY_TITLE:
        return COLUMN_BY_TITLE[words]
    return "phone" if words in PHONE_WORDS or PHONE.fullmatch(words) else ""


def mentions_phone(title: str) -> bool:
    """Whether a title that is in no list speaks of the person's phone, in some language."""
    words = simplified(title)
    return bool(MENTIONED.search(words)) and not SOMEBODY_ELSE.search(words)


@functools.lru_cache(maxsize=1_000)
def simplified(title: str) -> str:
    """The words of a title. Each row of an import needs those of its columns again."""
    return " ".join(re.sub(r"[\W_]+", " ", fold(title[:80])).split())


COLUMN_BY_TITLE = {simplified(title): column for column, titles in TITLES.items() for title in titles}
PHONE_WORDS = {simplified(title) for title in PHONE_ELSEWHERE}


def is_mobile(title: str) -> bool:
    """Of several columns with numbers, the one that most likely uses WhatsApp."""
    words = simplified(title)
    return bool(MOBILE.search(words))


def guess_columns(header: Sequence[str]) -> list[str]:
    """What each column probably holds. What there is one of goes to the first that fits."""
    columns: list[str] = []
    for title in header:
        guess = guess_column(title)
        columns.append("" if guess in ONE_EACH and guess in columns else guess)
    return columns


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether a first row names the columns rather than being somebody's."""
    return not any(map(looks_like_one, cells)) or bool({"phone", "name"} <= set(map(guess_column, cells)))
