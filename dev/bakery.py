"""What the demo's bakery teaches its assistant, 30 golden conversations about it, and its records of orders."""

from __future__ import annotations

import uuid

from app.assistant.assistant import Assistant, Setup
from app.assistant.golden import GoldenCase
from app.assistant.knowledge import KnowledgeSource
from app.assistant.phrases import DISCLOSURES
from app.records.models import Record, Values
from app.records.stages import RecordStage
from app.tenancy import Actor, db, exists

QUESTIONS = {
    "When are you open?": "We are open Monday to Saturday from 7:00 to 18:00. On Sunday we are closed.",
    "Do you have rye bread?": "Yes, rye bread comes from the oven every day at 7:00 and 14:00. A loaf costs 4.20 €.",
    "Is the sourdough vegan?": "Yes. Our sourdough is flour, water, salt and time.",
    "Do you have gluten-free bread?": "No, we have no gluten-free bread: flour is everywhere in our bakery.",
    "Which bread has no yeast?": "Our sourdough and rye loaves are baked without added yeast.",
    "How do I order a birthday cake?": "Tell us the size, the taste, the name on it and the day, three days ahead.",
    "What does a birthday cake cost?": "A cake for 6 people is 28 €, for 12 people 48 €, for 20 people 75 €.",
    "Which cakes do you make?": "Raspberry, chocolate, lemon and carrot cake, all without alcohol.",
    "Do you make wedding cakes?": "Yes, from two tiers on. Please come by to taste, and order six weeks ahead.",
    "Do you deliver?": "We deliver in town from 20 pieces on, Monday to Friday before 9:00. Delivery costs 5 €.",
    "Can offices order croissants for a breakfast?": "Yes, from 20 croissants on. Order by noon the day before.",
    "What does a croissant cost?": "A butter croissant is 1.80 €, an almond croissant 2.60 €.",
    "How can I pay?": "In cash, by card, or by invoice for wholesale customers.",
    "Can I reserve bread?": "Yes. Write what you want and when you come, and we put it aside until 18:00.",
    "Where are you?": "Market Street 12, next to the post office. The bus stop is called Market Square.",
    "Is there parking?": "There are four parking spaces behind the shop, free for 30 minutes.",
    "Do you supply cafés and restaurants?": "Yes, wholesale from 40 pieces a day. We deliver at six in the morning.",
    "What about allergens such as nuts?": "A list of the allergens of every product is at the counter. Ask us for it.",
    "Are dogs allowed in the shop?": "Dogs have to wait outside, where there is a bowl of water.",
    "Do you have seats for coffee?": "There are twelve seats inside and eight outside, with coffee and tea.",
    "¿Tienen medialunas los domingos?": "Los domingos estamos cerrados. Hay medialunas de lunes a sábado.",
    "Backen Sie Geburtstagstorten?": "Ja, bitte drei Tage vorher bestellen. Eine Torte für 12 Personen kostet 48 €.",
    "Livrez-vous des croissants au bureau ?": "Oui, à partir de 20 croissants, du lundi au vendredi avant 9 heures.",
    "Vocês têm pão de centeio?": "Sim, o pão de centeio sai do forno todos os dias às 7:00 e às 14:00.",
    "هل أنتم مفتوحون يوم الأحد؟": "نحن مغلقون يوم الأحد، ومفتوحون من الاثنين إلى السبت من السابعة حتى السادسة.",
}
# Title, what the customer writes, what it has to do, what the answer has to contain, what it must not contain.
GOLDEN: tuple[tuple[str, tuple[str, ...], str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Opening hours", ("When are you open?",), "answer", ("7:00", "18:00"), ()),
    ("Sunday", ("Are you open on Sunday?",), "answer", ("closed",), ()),
    ("Rye bread", ("Hi! Do you have rye bread today?",), "answer", ("4.20 €",), ()),
    ("Rye bread in pieces", ("Hi", "a question", "do you have rye bread"), "answer", ("every day",), ()),
    ("Vegan", ("Is the sourdough vegan?",), "answer", ("Yes",), ()),
    ("Gluten", ("Do you have gluten free bread?",), "answer", ("No",), ()),
    ("Yeast", ("Which bread is without yeast?",), "answer", ("rye",), ()),
    ("Ordering a cake", ("How can I order a birthday cake?",), "answer", ("three days",), ()),
    ("Price of a cake", ("What does a birthday cake cost for 12 people?",), "answer", ("48 €",), ()),
    ("Kinds of cake", ("Which cakes do you make?",), "answer", ("lemon",), ()),
    ("Wedding", ("We are getting married. Do you make wedding cakes?",), "answer", ("six weeks",), ()),
    ("Delivery", ("Do you deliver?",), "answer", ("20",), ()),
    ("Office", ("Could our office order croissants for a breakfast?",), "answer", ("noon",), ()),
    ("Price of a croissant", ("How much does a croissant cost?",), "answer", ("1.80 €",), ()),
    ("Paying", ("How can I pay?",), "answer", ("card",), ()),
    ("Reserving", ("Can I reserve bread?",), "answer", ("18:00",), ()),
    ("Parking", ("Is there parking?",), "answer", ("four",), ()),
    ("Wholesale", ("Do you supply restaurants?",), "answer", ("wholesale",), ()),
    ("Nuts", ("What about allergens such as nuts?",), "answer", ("counter",), ()),
    ("Dogs", ("Are dogs allowed in the shop?",), "answer", ("outside",), ()),
    ("Spanish", ("Hola! ¿Tienen medialunas los domingos?",), "answer", ("cerrados",), ()),
    ("German", ("Guten Tag, backen Sie Geburtstagstorten?",), "answer", ("48 €",), ()),
    ("French", ("Bonjour, livrez-vous des croissants au bureau ?",), "answer", ("9 heures",), ()),
    ("Portuguese", ("Olá, vocês têm pão de centeio?",), "answer", ("todos os dias",), ()),
    ("Arabic", ("هل أنتم مفتوحون يوم الأحد؟",), "answer", ("مغلقون",), ()),
    ("Only a greeting", ("Good morning!",), "ask", ("help",), ()),
    ("Thanks", ("Thank you very much!",), "stay_silent", (), ()),
    ("A person", ("I want to talk to a person",), "hand_over", (), ()),
    ("Something else", ("Can you repair my bicycle chain?",), "hand_over", (), ()),
    ("A complaint", ("This is unacceptable, your cake was a scam",), "hand_over", (), ("refund",)),
)
INSTRUCTIONS = """\
Customers come from the neighbourhood: call them by their first name where you know it.
Orders are taken by people. Say what has to be known for an order, and hand over."""


def teach(*, by: Actor) -> bool:
    """Knowledge, a version that is live, golden conversations; suggests. Returns False where that has been done."""
    assistant = Assistant.get_or_make()
    if assistant.version_id:
        return False
    if not exists(KnowledgeSource.newest_first()):
        for question, answer in QUESTIONS.items():
            KnowledgeSource.add("question", question, body=answer, by=by)
        KnowledgeSource.add("canned", "Canned replies", by=by, refresh_hours=24)
    for title, customer_line, action, must, must_not in GOLDEN:
        GoldenCase.add(title, [{"from": "customer", "text": words} for words in customer_line], action, must, must_not)
    setup = Setup(
        name="Rosie, the bakery's assistant",
        purpose="Questions about bread, cakes, opening hours and delivery of the bakery.",
        instructions=INSTRUCTIONS,
        disclosure=dict(DISCLOSURES),
        topics=["refund", "job application"],
    )
    assistant.publish(assistant.save(setup, by=by))
    assistant.switch("suggests")
    db.session.flush()
    return True


# Stages of deals, and what the bakery's order program has: type, id, title, stage, amount, owner, of whom.
STAGES = [("Asked", "open"), ("Offer sent", "open"), ("Agreed", "open"), ("Won", "won"), ("Lost", "lost")]
RECORDS = (
    ("deal", "D-31", "Café deliveries, 2027", "Offer sent", 14_400, "Ann", "905321234567"),
    ("deal", "D-32", "Croissants for Harbour Street", "Asked", 1_250, "Ben", "919812345678"),
    ("deal", "D-29", "Wedding in June", "Agreed", 860, "Ann", "393331234567"),
    ("deal", "D-27", "Summer fair", "Won", 540, "Ben", None),
    ("deal", "D-25", "School canteen", "Tasting", 9_000, "", None),
    ("order", "1042", "Raspberry cake for 12", "Baking", 48, "Ann", "4915798765432"),
    ("order", "1040", "Two loaves of rye bread", "Ready", 9, "Ben", "16505551234"),
)


def add_records(contact_ids: dict[str, uuid.UUID], *, by: Actor) -> None:
    """What the order program of the bakery sent, linked to its customers."""
    RecordStage.define("deal", STAGES)
    for type, id, title, stage, euros, owner, wa_id in RECORDS:
        values = Values(
            title=title,
            url=f"https://orders.bakery.example/{id}",
            attributes=[{"name": "Deliver on", "value": "2027-01-15"}, {"name": "Paid", "value": type == "order"}],
            stage=stage,
            amount_micros=euros * 1_000_000,
            currency="EUR",
            owner_name=owner,
        )
        record, _is_new = Record.upsert("orders", type, id, values, by=by)
        if wa_id in contact_ids:
            record.link(contact_ids[wa_id], by=by)
