"""Phrases that no one would say at work do not come back."""

from __future__ import annotations

import pathlib
import re

from dev.messages import extract
from dev.stack import ROOT

RETIRED = (ROOT / "tests/retired_phrases.txt").read_text().splitlines()
# Words that no text for people has.
WORDS = re.compile(r"\b(nobody|e-mail|(carry|carries|carried) out|for good|stands?|stood)\b", re.IGNORECASE)
# These may be part of a good sentence: they are retired where they are all there is.
WHOLE = {"Keep", "Kept", "Keys", "Take back", "for good", "Empty chat", "Another name", "As it is", "What happened"}


def test_no_text_has_a_retired_phrase(tmp_path: pathlib.Path) -> None:
    extract(tmp_path / "messages.pot")
    blocks = re.findall(r'^msgid (".*"(?:\n".*")*)', (tmp_path / "messages.pot").read_text(), re.MULTILINE)
    texts = {"".join(re.findall(r'"(.*)"', block)).replace('\\"', '"') for block in blocks}
    assert len(texts) > 5000
    assert texts.isdisjoint(RETIRED)
    assert [one for one in RETIRED if one not in WHOLE and any(one in text for text in texts)] == []
    assert [text for text in texts if WORDS.search(text)] == []
