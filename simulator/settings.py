import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Settings:
    """The simulator's configuration: one app, the partner that owns it, and the app's callback."""

    host: str = "127.0.0.1"
    port: int = 9000
    data: Path = Path(".local/simulator")
    public_url: str = "http://127.0.0.1:9000"
    media_url: str = ""
    app_id: str = "1234567890"
    app_name: str = "Demo app"
    app_secret: list[str] = field(default_factory=lambda: ["simulated-app-secret"], repr=False)
    config_id: str = "998877665544332"
    callback_url: str = ""
    verify_token: str = field(default="simulated-verify-token", repr=False)
    allowed_origins: list[str] = field(default_factory=lambda: ["http://127.0.0.1:8000", "http://localhost:8000"])
    business_id: str = "506914307656634"
    system_user_id: str = "61555822107539"
    system_user_token: str = field(default="EAASimulatedSystemUserToken", repr=False)
    credit_line_id: str = "1972385232742146"
    token_days: int = 60
    speed: float = 1.0
    seed: int = 1

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        return cls(**_parse_all(cls, {f.name: environ.get(f"SIMULATOR_{f.name.upper()}") for f in fields(cls)}))

    @classmethod
    def from_command_line(cls, arguments: Sequence[str] | None = None) -> Self:
        parser = argparse.ArgumentParser(prog="simulator", description="Plays Meta on this machine.")
        base = cls.from_environment()
        for f in fields(cls):
            parser.add_argument(f"--{f.name.replace('_', '-')}", metavar="VALUE")
        chosen = _parse_all(cls, vars(parser.parse_args(arguments)))
        return cls(**{f.name: chosen.get(f.name, getattr(base, f.name)) for f in fields(cls)})


def _parse_all(cls: type[Settings], texts: Mapping[str, str | None]) -> dict[str, Any]:
    kinds = {f.name: f.type for f in fields(cls)}
    return {name: _parse(kinds[name], text) for name, text in texts.items() if text is not None}


def _parse(kind: Any, text: str) -> Any:
    if kind == list[str]:
        return [part.strip() for part in text.split(",") if part.strip()]
    return kind(text)
