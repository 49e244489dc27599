from __future__ import annotations

import pytest

from app.contacts.models import Contact, ContactIdentity


def named(name: str, username: str = "") -> Contact:
    contact = Contact(name=name)
    contact.identities = [ContactIdentity(kind="username", value=username)] if username else []
    return contact


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Carla Mendes", "Carla"),
        ("Mendes, Carla", "Carla"),
        ("Dr. Ana Souza", "Ana"),
        ("🌸 Carla", "Carla"),
        ("王小明", "王小明"),
        ("Zoë", "Zoë"),
        ("فاطمة الزهراء", "فاطمة"),
    ],
)
def test_a_first_name_is_what_people_are_called_by(name: str, first: str) -> None:
    assert named(name).first_name == first


@pytest.mark.parametrize(
    "name", ["", "+994 12 345 67 89", "+1 650-555-1234", "994123456789", "🌸", "٠٥٠١٢٣٤٥٦٧", "Dr."]
)
def test_a_number_is_no_first_name(name: str) -> None:
    assert named(name).first_name is None


def test_a_username_is_no_first_name() -> None:
    assert named("carla.m", username="carla.m").first_name is None
    assert named("@carla.m", username="carla.m").first_name is None
