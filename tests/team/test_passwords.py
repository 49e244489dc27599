import pytest

from app.team import passwords


def test_a_hash_is_argon2id_with_its_parameters_and_a_salt_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    first, second = passwords.hash_password("three unrelated words"), passwords.hash_password("three unrelated words")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert passwords.matches("three unrelated words", first)
    assert not passwords.matches("three unrelated word", first)


def test_the_same_letters_match_however_a_keyboard_composes_them() -> None:
    assert passwords.matches("cafe\u0301 creme", passwords.hash_password("caf\u00e9 creme"))


@pytest.mark.parametrize("stored", ["!", "", "x", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"])
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not passwords.matches("anything", stored)
    assert not passwords.matches(stored, stored)


@pytest.mark.parametrize(
    "password",
    [
        "short12",
        "x" * 201,
        "ann.baker@example.com",
        "Ann.Baker",
        "ANN.BAKER@EXAMPLE.COM",
        "password",
        "Password123!",
        "12345678",
        "Switchboard2026",
        "switchboard",
        "qwertyuiop",
        "aaaaaaaaaa",
        "abababababab",
        "iloveyou1",
    ],
)
def test_an_easy_password_is_refused(password: str) -> None:
    with pytest.raises(passwords.TooEasy):
        passwords.check(password, "ann.baker@example.com")


@pytest.mark.parametrize(
    "password", ["tulip-anvil-rain", "Gx7!pq2z", "x" * 190 + "yz12", "пароль мой кот", "  spaces ok  "]
)
def test_any_other_password_will_do(password: str) -> None:
    passwords.check(password, "ann.baker@example.com")
