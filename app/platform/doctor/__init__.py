"""Checks everything this installation needs, each with what to do where it fails."""

from __future__ import annotations

from collections.abc import Iterator

from app.meta.errors import MetaError
from app.tenancy import commit
from app.words import N_

from . import at_meta, here, reached
from .checks import Check, CheckFailed, Finding

__all__ = ["CHECKS", "Finding", "examine"]

META_REFUSES = N_("Compare the META_ settings with the app's dashboard at Meta (docs/settings.md).")
LOOK_IN_LOG = N_("See the web process's log.")

CHECKS: tuple[Check, ...] = (
    reached.public_url,
    reached.tls,
    reached.proxy,
    reached.challenge,
    at_meta.meta_app,
    at_meta.callback,
    at_meta.fields,
    at_meta.system_user,
    at_meta.credit_line,
    at_meta.hosted_signup,
    here.clock,
    here.postgres,
    here.cluster,
    here.queues,
    here.backlog,
    here.sweeps,
    here.storage,
    here.keys,
    here.mail,
    here.local_model,
)


def examine() -> Iterator[Finding]:
    """Runs every check; one that breaks counts as failed and does not stop the others."""
    for check in CHECKS:
        commit()
        yield finding(check)


def finding(check: Check) -> Finding:
    try:
        return Finding(check.title, True, check.look())
    except CheckFailed as failed:
        return Finding(check.title, False, failed.words, failed.fix)
    except MetaError as error:
        words = " ".join(filter(None, (error.title, error.details, f"({error.code})" if error.code else "")))
        return Finding(check.title, False, words, META_REFUSES)
    except Exception as error:  # noqa: BLE001  a check that breaks has found something too
        return Finding(check.title, False, type(error).__name__, LOOK_IN_LOG)
