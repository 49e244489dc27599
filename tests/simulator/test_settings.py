from pathlib import Path

import pytest

from simulator import Settings


def test_flags_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_PORT", "9100")
    monkeypatch.setenv("SIMULATOR_SPEED", "10")
    settings = Settings.from_command_line(["--port", "9200", "--data", "/tmp/x"])
    assert (settings.port, settings.speed, settings.data) == (9200, 10.0, Path("/tmp/x"))


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_APP_SECRET", "new, old")
    assert Settings.from_environment().app_secret == ["new", "old"]


def test_settings_do_not_print_secrets() -> None:
    assert "secret" not in repr(Settings(app_secret=["top-secret"], system_user_token="EAAsecret"))
