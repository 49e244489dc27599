"""Checks the lock files and their packages for known vulnerabilities: `python -m dev.audit`.

With `locks` as its argument it checks only the lock files, without asking another server.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).parent.parent
SECONDS = 120
PINNED = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
# How pip-audit's output shows that its service is unreachable.
UNREACHABLE = re.compile(r"Connect|Proxy|Time(?:d )?out|ServiceError", re.IGNORECASE)


def main() -> int:
    problems = [*locks(), *(() if "locks" in sys.argv[1:] else vulnerabilities())]
    for problem in problems:
        print(f"  {problem}")
    return int(bool(problems))


def locks() -> Iterator[str]:
    """Nothing in a lock file says where it came from, and each holds what it is made from."""
    for name, wanted in requirements().items():
        text = (ROOT / name).read_text()
        pinned = {canonicalize_name(package): version for package, version in PINNED.findall(text)}
        if "://" in text:
            yield f"{name} contains an address"
        for requirement in wanted:
            version = pinned.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                yield f"{name} has {version or 'no'} {requirement.name}; pyproject.toml wants {requirement}"
    if '"resolved"' in (ROOT / "package-lock.json").read_text():
        yield 'package-lock.json contains addresses ("resolved")'


def requirements() -> dict[str, list[Requirement]]:
    """What each lock file is made from."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    ours, groups = project["project"]["dependencies"], project["dependency-groups"]
    wanted = {
        "requirements.lock": ours,
        "requirements-demo.lock": [*ours, *members(groups, "demo")],
        "requirements-dev.lock": [*ours, *members(groups, "dev")],
    }
    return {name: [Requirement(text) for text in texts] for name, texts in wanted.items()}


def members(groups: dict[str, list[Any]], name: str) -> Iterator[str]:
    for member in groups[name]:
        if isinstance(member, str):
            yield member
        else:
            yield from members(groups, member["include-group"])


def vulnerabilities() -> Iterator[str]:
    """Known vulnerabilities of production packages. An unreachable service is printed, not counted as a finding."""
    answer, complaint = ask()
    if answer is None and UNREACHABLE.search(complaint):
        print("Known vulnerabilities: NOT CHECKED, the vulnerability service cannot be reached.")
        return
    if answer is None:
        yield f"pip-audit failed: {complaint.strip()[-500:]}"
        return
    checked = [package for package in answer["dependencies"] if "vulns" in package]
    unchecked = len(answer["dependencies"]) - len(checked)
    if unchecked:
        print(f"Known vulnerabilities: NOT CHECKED for {unchecked} packages that the service does not list.")
    print(f"Known vulnerabilities: {len(checked)} packages checked.")
    for package in checked:
        for vuln in package["vulns"]:
            fix = f"fixed in {', '.join(vuln['fix_versions'])}" if vuln["fix_versions"] else "no fix yet"
            yield f"{package['name']} {package['version']}: {vuln['id']}, {fix}"


def ask() -> tuple[dict[str, Any] | None, str]:
    """pip-audit's report; None and its error output where it made none."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / "requirements.lock")]
    command += ["--require-hashes", "--disable-pip", "--format", "json", "--desc", "off", "--progress-spinner", "off"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None, "timed out"
    try:
        return json.loads(done.stdout), ""
    except ValueError:
        return None, done.stderr


if __name__ == "__main__":
    sys.exit(main())
