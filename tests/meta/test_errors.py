import json
import re
from typing import Any

import pytest

from app.meta import errors
from app.meta.codes import CODES, SUBCODES
from app.meta.codes.explanation import Explanation
from app.meta.errors import Kind, NoAnswer, NotConnected, ReportedError, explain


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (130429, Kind.THROTTLE),
        (131056, Kind.PAIR),
        (80007, Kind.RETRY_LATER),
        (4, Kind.RETRY_LATER),
        (133004, Kind.RETRY),
        (131047, Kind.FINAL),
        (131026, Kind.FINAL),
        (131049, Kind.FINAL),
        (132015, Kind.HUMAN),
        (133005, Kind.HUMAN),
        (133016, Kind.HUMAN),
        (131000, Kind.UNKNOWN_OUTCOME),
        (2, Kind.UNKNOWN_OUTCOME),
    ],
)
def test_a_code_says_what_to_do(code: Any, kind: str) -> None:
    assert explain(code).kind is kind


@pytest.mark.parametrize("code", [0, 3, 10, 190, 200, 299, 368, 131005, 131031, 131037, 131042, 133010])
def test_a_broken_connection_pauses_the_number_and_fails_nothing(code: Any) -> None:
    assert explain(code).kind is Kind.PAUSE_NUMBER


def test_permission_codes_end_at_299() -> None:
    assert explain(300).kind is Kind.HUMAN


def test_an_unknown_code_is_reported_as_unknown() -> None:
    assert "don't know yet" in explain(424242).title
    assert explain(None) is explain(424242)


def test_a_subcode_decides_where_it_has_words_of_its_own() -> None:
    assert explain(190, 463).title != explain(190).title
    assert explain(100, 33).kind is Kind.PAUSE_NUMBER
    assert explain(100, 36009).kind is Kind.HUMAN


def test_a_subcode_without_words_leaves_the_code_to_decide() -> None:
    assert explain(130429, 2494055) is explain(130429)


def test_template_codes_may_come_as_subcodes() -> None:
    assert explain(100, 2388024) is explain(2388024)


def test_an_outcome_left_open_in_an_answer_is_settled_by_a_failed_status() -> None:
    assert explain(131000).kind is Kind.UNKNOWN_OUTCOME
    assert explain(131000, settled=True).kind is Kind.RETRY
    assert explain(131047, settled=True) is explain(131047)


WITHOUT_CODE = {each for each in vars(errors).values() if isinstance(each, errors.Explanation)}
EVERY_EXPLANATION = sorted(
    {*CODES.values(), *SUBCODES.values(), *WITHOUT_CODE}, key=lambda each: (each.title, each.fix)
)


@pytest.mark.parametrize("explanation", EVERY_EXPLANATION)
def test_every_code_is_explained_in_whole_sentences(explanation: Any) -> None:
    for words in (explanation.title, explanation.fix):
        assert words[0].isupper()
        assert words.endswith(".")
        assert len(words.split()) > 3


@pytest.mark.parametrize("explanation", EVERY_EXPLANATION)
def test_the_fix_speaks_to_the_reader(explanation: Any) -> None:
    assert not re.search(r"\b(The owner|An agent|[Nn]obody|[Ss]omeone|The app|by itself)\b", explanation.fix)


def test_errors_without_a_code_explain_themselves() -> None:
    assert NoAnswer("ReadTimeout").kind is Kind.UNKNOWN_OUTCOME
    assert NotConnected("ConnectError").kind is Kind.RETRY
    assert str(NotConnected("ConnectError")).endswith("ConnectError")


def test_a_reported_error_is_stored_in_the_form_of_any_other() -> None:
    raw = {"code": 131047, "title": "Re-engagement message", "error_data": {"details": "24 hours"}}
    stored = json.loads(json.dumps(ReportedError.read(raw).as_dict()))
    assert stored.keys() == NoAnswer("lost").as_dict().keys()
    assert (stored["kind"], stored["code"], stored["details"]) == ("final", 131047, "24 hours")


@pytest.mark.parametrize("raw", [None, "boom", {}, {"code": "x", "title": [], "error_data": "s"}])
def test_a_reported_error_without_sense_is_still_an_error(raw: Any) -> None:
    assert ReportedError.read(raw).explanation.title


EXPLANATIONS = dict.fromkeys((*CODES.values(), *SUBCODES.values(), explain(None)))


@pytest.mark.parametrize("explanation", EXPLANATIONS, ids=lambda one: one.title)
def test_a_remedy_speaks_to_the_reader_or_names_whom_to_ask(explanation: Explanation) -> None:
    words = f"{explanation.title} {explanation.fix}"
    assert not re.search(r"\b(The owner|An agent|[Nn]obody|The app|this app|by itself)\b", words)
