"""Pages of links and buttons: add, edit, copy, draw, report; and the subject in the inbox."""

from __future__ import annotations

import datetime as dt
import gzip
import pathlib
import re
import subprocess
import zlib
from typing import Any

import pytest

from app.entry_points.models import EntryPoint
from app.entry_points.public_files import FOLDER, WIDGET, public_files
from app.inbox.conversations import Conversation
from app.tenancy import Actor, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from dev.assets import npm
from tests.client import Browser
from tests.world import World

from .conftest import VILLA, Site


def form(site: Site, **more: Any) -> dict[str, Any]:
    given = {"name": "Sign in the window", "kind": "qr", "phone_number_id": site.entry_point.phone_number_id}
    return given | {"language": "fr", "text_fr": "Bonjour", "text_ar": "مرحبا"} | more


def test_a_link_is_added_with_a_text_for_each_language(ann: Browser, villas: Site) -> None:
    answer = ann.post("~/entry-points/", form(villas, slug="window", last_day="2030-05-01"))
    made = villas.rows(EntryPoint)[-1]
    assert answer.status_code == 303 and made.slug == "window" and made.active_until.year == 2030
    assert made.texts == [{"language": "fr", "text": "Bonjour"}, {"language": "ar", "text": "مرحبا"}]
    page = ann.get(f"~/entry-points/{made.id}").text
    assert "/c/window" in page and "switchboard-chat" in page and "widget-1.js" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": " "}, "Enter a name."),
        ({"slug": "a/b c"}, "Use 3 to 60 letters"),
        ({"slug": "villas"}, "This short link is taken."),
        ({"text_fr": "x" * 301}, "300"),
    ],
)
def test_a_mistake_is_shown_at_its_field(ann: Browser, villas: Site, wrong: dict[str, str], words: str) -> None:
    answer = ann.post("~/entry-points/", form(villas, **wrong))
    assert answer.status_code == 422 and words in answer.text
    assert len(villas.rows(EntryPoint)) == 1


def test_editing_leaves_the_link_and_texts_of_other_languages(ann: Browser, villas: Site) -> None:
    id = villas.entry_point.id
    with tenant_scope(villas.tenant.id):
        EntryPoint.get_or_404(id).texts = [{"language": "sv", "text": "Hej"}]
    assert ann.post(f"~/entry-points/{id}", form(villas, slug="other")).status_code == 303
    (row,) = villas.rows(EntryPoint)
    assert row.slug == "villas" and [one["language"] for one in row.texts] == ["fr", "ar", "sv"]
    assert 'value="Bonjour"' in ann.get(f"~/entry-points/{id}/edit").text


def test_an_agent_sees_links_and_changes_none(ben: Browser, villas: Site) -> None:
    assert "Villas" in ben.get("~/entry-points/").text
    assert ben.post(f"~/entry-points/{villas.entry_point.id}/removal").status_code == 403


def test_the_code_is_drawn_as_svg_png_and_a_sign(ann: Browser, villas: Site) -> None:
    at = f"~/entry-points/{villas.entry_point.id}/code/"
    assert ann.get(f"{at}svg").data.lstrip().startswith(b"<svg") and ann.get(f"{at}png").data[:4] == b"\x89PNG"
    pdf = ann.get(f"{at}pdf").data
    start = int(pdf.rpartition(b"startxref\n")[2].split()[0])
    assert pdf.startswith(b"%PDF-1.4") and pdf[start:].startswith(b"xref") and b"[0 0 298 420]" in pdf
    assert ann.get(f"{at}gif").status_code == 404


def test_a_sign_says_the_business_and_what_to_do_and_not_the_teams_name(ann: Browser, villas: Site) -> None:
    with tenant_scope(villas.tenant.id):
        one = EntryPoint.get_or_404(villas.entry_point.id)
        one.name, one.texts = "Shop window, internal", [{"language": "fr", "text": "Bonjour"}]
        PhoneNumber.get_or_404(one.phone_number_id).verified_name = "Villas Dakar"
    at = f"~/entry-points/{villas.entry_point.id}"
    printed = ann.get(f"{at}/sign").text
    assert "Villas Dakar" in printed and "Écrire sur WhatsApp" in printed and "internal" not in printed
    pdf = ann.get(f"{at}/code/pdf").data
    drawing = zlib.decompress(pdf.partition(b"stream\n")[2].partition(b"\nendstream")[0])
    assert "(Villas Dakar)" in drawing.decode("cp1252") and "(Écrire sur WhatsApp)" in drawing.decode("cp1252")
    assert b"internal" not in drawing + ann.get(f"{at}/code/svg").data


def test_words_that_the_sign_cannot_write_are_left_to_the_browser(ann: Browser, villas: Site) -> None:
    with tenant_scope(villas.tenant.id):
        PhoneNumber.get_or_404(villas.entry_point.phone_number_id).verified_name = "فيلات (داكار)"
    at = f"~/entry-points/{villas.entry_point.id}"
    assert ann.get(f"{at}/code/pdf").data.startswith(b"%PDF") and "leaves out other words" in ann.get(at).text
    assert "فيلات (داكار)" in ann.get(f"{at}/sign").text


def test_without_a_text_the_message_begins_with_one_of_ours(villas: Site) -> None:
    with tenant_scope(villas.tenant.id):
        EntryPoint.get_or_404(villas.entry_point.id).texts = []
    assert villas.words({"lang": "fr"}).startswith("Bonjour, j’ai une question") or villas.words().startswith("Hello")


def test_the_snippet_is_a_link_without_script_or_style(ann: Browser, villas: Site) -> None:
    page = ann.get(f"~/entry-points/{villas.entry_point.id}?language=ar").text
    snippet = page[page.index('id="button-html"') :].partition("</textarea>")[0]
    assert "راسلنا على واتساب" in snippet and "dir=&#34;rtl&#34;" in snippet and "integrity=" in snippet
    assert "script" not in snippet.replace("spellcheck", "") and "style=" not in snippet


def test_the_widget_is_small_asks_for_nothing_and_is_what_its_source_says(tmp_path: pathlib.Path) -> None:
    widget = public_files()[WIDGET].data
    assert len(gzip.compress(widget)) < 6_000
    assert not re.search(rb"fetch\(|XMLHttpRequest|sendBeacon|cookie|localStorage|import\(", widget)
    command, environment = npm()
    node = ["node"] if len(command) == 1 else command[:1]
    subprocess.run([*node, "assets/widget.mjs", str(tmp_path)], env=environment, check=True)
    for file in FOLDER.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), f"{file.name}: run node assets/widget.mjs"


def test_the_report_goes_from_clicks_to_resolved(ann: Browser, world: World, villas: Site) -> None:
    words = [villas.words(VILLA | {"utm_source": "site", "utm_campaign": "spring"}) for _ in range(3)]
    talk = villas.write(words[0])
    villas.write(words[1], wa_id="447911123456")
    with tenant_scope(villas.tenant.id):
        one = Conversation.get_or_404(talk.id)
        one.reply("Welcome", by=Actor.agent(world.ann), client_id=talk.id)
        one.put("resolved", by=Actor.agent(world.ann), asks=False)
    for by, name in (
        ("entry_point", "Villas"),
        ("object", "Villa in Dakar"),
        ("page", "https://agency.example/v/12"),
        ("campaign", "site / spring"),
    ):
        rows = ann.get(f"~/entry-points/report/export?by={by}&days=7").text.splitlines()
        assert len(rows) == 2 and rows[1].startswith(f'"{name}"') and rows[1].endswith('"3","2","1","1"'), rows
        assert name in ann.get(f"~/entry-points/report?by={by}").text


def test_the_report_counts_the_readers_days(ann: Browser, villas: Site) -> None:
    villas.open(VILLA)
    midnight = now().astimezone(dt.timezone(dt.timedelta(hours=14))).replace(hour=0, minute=0, second=1)
    at = midnight - dt.timedelta(days=6)
    with tenant_scope(villas.tenant.id):
        db.session.execute(
            db.text("update entry_references set created_at = :at where tenant_id = :tenant"),
            {"at": at, "tenant": villas.tenant.id},
        )
    ann.client.set_cookie("time_zone", "Pacific/Kiritimati")
    assert '"1","0","0","0"' in ann.get("~/entry-points/report/export?days=7").text
    ann.client.set_cookie("time_zone", "Pacific/Niue")
    counted = at >= (now() - dt.timedelta(hours=11)).replace(hour=11, minute=0, second=0) - dt.timedelta(days=6)
    assert ('"1","0","0","0"' in ann.get("~/entry-points/report/export?days=7").text) == counted


def test_a_formula_in_a_title_is_no_formula_in_the_file(ann: Browser, villas: Site) -> None:
    villas.open({"type": "property", "id": "1", "title": "=HYPERLINK(1)"})
    assert '"=HYPER' not in ann.get("~/entry-points/report/export?by=object").text


def test_the_list_and_the_pane_show_what_it_is_about(ann: Browser, villas: Site) -> None:
    talk = villas.write(villas.words(VILLA))
    assert "Villa in Dakar · 500,000\xa0XOF" in ann.get("~/inbox/?view=all").text
    pane = ann.get(f"~/inbox/{talk.id}/details").text
    assert 'href="https://agency.example/v/12"' in pane and "not verified" in pane and "V-12" in pane


def test_the_list_is_filtered_by_entry_point_and_subject(ann: Browser, villas: Site) -> None:
    villas.write("Hello", wa_id="33612345678")
    villas.write(villas.words(VILLA))
    for query in (f"entry={villas.entry_point.id}", "about=property", "about=property:V-12"):
        page = ann.get(f"~/inbox/list?view=all&{query}").text
        assert "16505551234" in page and "33612345678" not in page, query
    assert "16505551234" not in ann.get("~/inbox/list?view=all&about=property:V-13").text


def test_search_is_limited_to_an_entry_point(ann: Browser, villas: Site) -> None:
    villas.write("Bonjour, croissants", wa_id="33612345678")
    villas.write(f"croissants {villas.code(VILLA)}")
    page = ann.get(f"~/inbox/search?q=croissants&entry={villas.entry_point.id}").text
    results = page[page.index('id="found"') :]
    assert "16505551234" in results and "33612345678" not in results


def test_an_agent_corrects_removes_and_chooses_the_subject(ben: Browser, villas: Site) -> None:
    villas.write(villas.words(VILLA))
    talk = villas.write(villas.words(VILLA | {"id": "V-13", "title": "Flat in Thiès"}))
    at = f"~/inbox/{talk.id}/subject"
    ben.post(at, {"title": "Villa in Saly", "price": "750000.5 EUR", "url": "https://agency.example/v/14"})
    (row,) = villas.rows(Conversation)
    assert row.about.title == "Villa in Saly" and row.about.price_micros == 750_000_500_000 and not row.about.is_claimed
    ben.post(at, {"touch": str(villas.touches[1].id)})
    assert villas.rows(Conversation)[0].subject_external_id == "V-13"
    ben.post(f"{at}/removal")
    assert villas.rows(Conversation)[0].subject is None
    assert "removed what this was about" in ben.get(f"~/inbox/{talk.id}").text


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"title": "A", "price": "much"}, {"title": "A", "url": "javascript:1"}]
)
def test_a_subject_that_makes_no_sense_changes_nothing(ben: Browser, villas: Site, wrong: dict[str, str]) -> None:
    talk = villas.write(villas.words(VILLA))
    assert ben.post(f"~/inbox/{talk.id}/subject", wrong).status_code == 303
    assert villas.rows(Conversation)[0].about.title == "Villa in Dakar"
