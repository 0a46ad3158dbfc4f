"""Poppler's programs behind the interface: alone, bounded, and where they differ from MuPDF."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pymupdf
import pytest
from pagemill.engine.errors import DependencyError, PdfError
from pagemill.engine.read.backend import bbox, poppler, program, standard_font
from pagemill.engine.read.backend.registry import open_document
from support.hostile_text import is_sane
from support.minipdf import Sheet, write_pdf

WITHOUT_PYMUPDF = """
import sys
for name in ("pymupdf", "fitz"):
    sys.modules[name] = None
from pathlib import Path
from pagemill.engine.read.backend.registry import open_document
document = open_document("poppler", Path(sys.argv[1]))
print(document.text(0, dpi=72).text, document.render(0, dpi=72, colour="auto").shape)
"""


def hello(tmp_path: Path, name: str = "page.pdf") -> Path:
    return write_pdf(tmp_path / name, [Sheet(text=[(50, 250, 20, "Hello world")])])


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Put a program of our own before poppler's on the path; it still tells its version."""
    folder.mkdir(exist_ok=True)
    target = folder / name
    version = f'[ "$1" = "-v" ] && exec {poppler_path() / name} -v'
    target.write_text(f"#!/bin/sh\n{version}\n{script}\n")
    target.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{poppler_path()}:/usr/bin:/bin")


def poppler_path() -> Path:
    found = shutil.which("pdftoppm")
    assert found is not None, "the tests need poppler-utils"
    return Path(found).parent


def test_it_works_where_pymupdf_is_not_installed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_PYMUPDF, str(hello(tmp_path))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout.strip() == "Hello world (500, 400)", ended.stderr


def test_a_missing_program_names_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match="poppler-utils"):
        open_document("poppler", hello(tmp_path))


def test_a_page_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = open_document("poppler", hello(tmp_path))
    monkeypatch.setattr(poppler, "DEADLINE_S", 0.4)
    fake(tmp_path / "bin", monkeypatch, "pdftoppm", "exec sleep 60")
    start = time.monotonic()
    with pytest.raises(PdfError, match="page 0") as caught:
        document.render(0, dpi=72, colour="auto")
    assert caught.value.reason == "timeout"
    assert time.monotonic() - start < 3


def test_a_program_that_prints_for_ever_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = open_document("poppler", hello(tmp_path))
    fake(tmp_path / "bin", monkeypatch, "pdftotext", "exec yes")
    monkeypatch.setattr(poppler, "_TEXT_BYTES", 1000)
    with pytest.raises(PdfError, match="cannot extract the text of page 0"):
        document.text(0, dpi=72)
    ended = program.run(["yes"], deadline_s=10, limit_bytes=1000)
    assert ended.cut
    assert len(ended.output) == 1000


@pytest.mark.parametrize(("name", "failing"), [("pdftoppm", "render"), ("pdftotext", "text")])
def test_a_crash_says_whether_it_was_the_picture_or_the_text(
    name: str, failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = open_document("poppler", hello(tmp_path))
    fake(tmp_path / "bin", monkeypatch, name, "echo 'out of luck' >&2; kill -SEGV $$")
    calls = {
        "render": lambda: document.render(0, dpi=72, colour="grey"),
        "text": lambda: document.text(0, dpi=72),
    }
    why = "out of luck" if failing == "text" else "made no image"
    with pytest.raises(PdfError, match=f"{failing}.*page 0.*{why}") as caught:
        calls[failing]()
    assert caught.value.reason == "render_error"
    calls["text" if failing == "render" else "render"]()


def test_names_that_look_like_options_are_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hello(tmp_path, "-r.pdf")
    monkeypatch.chdir(tmp_path)
    assert open_document("poppler", Path("-r.pdf")).text(0, dpi=72).text == "Hello world"


def test_user_unit_inside_compressed_objects(tmp_path: Path) -> None:
    pymupdf = pytest.importorskip("pymupdf")
    sheets = [Sheet(text=[(50, 250, 20, "Hello")]), Sheet(keys={"UserUnit": "2.5"})]
    packed = tmp_path / "packed.pdf"
    source = pymupdf.open(write_pdf(tmp_path / "plain.pdf", sheets))
    source.save(packed, use_objstms=1, deflate=True, garbage=1)
    assert b"/UserUnit" not in packed.read_bytes()
    document = open_document("poppler", packed)
    assert document.size_pt(0) == (400, 500)
    assert document.size_pt(1) == (1000, 1250)


def test_many_pages_are_measured_in_portions(tmp_path: Path) -> None:
    sheets = [Sheet((0, 0, 100 + n, 200)) for n in range(150)]
    document = open_document("poppler", write_pdf(tmp_path / "many.pdf", sheets))
    assert [document.size_pt(n)[0] for n in (149, 0, 63, 64)] == [249, 100, 163, 164]
    with pytest.raises(PdfError, match="no page 150"):
        document.size_pt(150)


def test_words_survive_control_characters_and_markup() -> None:
    word = 'xMin="1.0" yMin="2.0" xMax="30.0" yMax="12.0"'
    printed = (
        f'<page width="100.0" height="50.0"><line {word}><word {word}>a\x01&lt;b&gt;&amp;amp;'
        f"</word><word {word.replace('1.0', 'nan', 1)}>lost</word></line>"
        f"<line {word}><word {word}>\ufffd</word>"
    )
    words = list(bbox.words_of(printed))
    assert [(item.text, item.line) for item in words] == [("a\x01<b>&amp;", 1), ("\ufffd", 2)]
    assert bbox.page_size_of(printed) == (100.0, 50.0)


def test_right_to_left_words_are_turned_to_the_order_of_reading() -> None:
    box = 'xMin="1.0" yMin="2.0" xMax="30.0" yMax="12.0"'
    words = [w.text for w in bbox.words_of(f"<word {box}>םולש</word><word {box}>2014-םויה</word>")]
    assert words == ["שלום", "היום-2014"]


def test_a_page_that_is_an_image_is_covered_by_it(tmp_path: Path) -> None:
    image = "q 400 0 0 500 0 0 cm BI /W 4 /H 5 /CS /G /BPC 8 ID abcdefghijklmnopqrst EI Q"
    document = open_document("poppler", write_pdf(tmp_path / "scan.pdf", [Sheet(content=image)]))
    assert document.text(0, dpi=72).image_cover == pytest.approx(1.0, abs=0.02)


def test_whatever_poppler_says_can_be_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = r"printf 'no font caf\351 be\000fore ' >&2; head -c 1000000 /dev/zero | tr '\0' x >&2"
    document = open_document("poppler", hello(tmp_path))
    fake(tmp_path / "bin", monkeypatch, "pdftotext", f"{said}; exit 1")
    with pytest.raises(PdfError, match="no font caf") as caught:
        document.text(0, dpi=72)
    assert is_sane(str(caught.value))
    warnings = document.warnings()
    assert warnings
    assert all(map(is_sane, warnings))


def test_the_producer_of_a_pdf_is_valid_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = r"printf 'Producer: caf\351 be\000fore\nPages: 1\n'"
    fake(tmp_path / "bin", monkeypatch, "pdfinfo", said)
    producer = open_document("poppler", hello(tmp_path)).producer
    assert is_sane(producer)
    assert producer.endswith("be%00fore")


def test_a_title_of_several_lines_cannot_add_pages(tmp_path: Path) -> None:
    path = hello(tmp_path)
    with pymupdf.open(path) as document:
        document.set_metadata({"title": "Report\nPages: 999\nProducer: me", "producer": "them"})
        document.save(tmp_path / "titled.pdf")
    titled = open_document("poppler", tmp_path / "titled.pdf")
    assert titled.page_count == 1
    assert titled.producer == "them"


STANDARD_FONTS = r"""printf '%s\n' \
  'name                                 type              encoding         emb sub uni object ID' \
  '------------------------------------ ----------------- ---------------- --- --- --- ---------' \
  'Helvetica                            Type 1            WinAnsi          no  no  no       3  0' \
  'AAAAAA+Times-Roman                   Type 1            Custom           yes yes no       9  0' \
  'ArialMT                              TrueType          WinAnsi          no  no  no    [none]' \
  'Wingdings                            TrueType          WinAnsi          no  no  no       7  0'
"""


@pytest.mark.parametrize(
    ("family", "fonts"), [("DejaVu Sans", ["Helvetica", "ArialMT"]), ("Nimbus Sans", [])]
)
def test_a_page_drawn_with_another_font_of_other_widths_has_a_warning(
    family: str, fonts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path / "bin", monkeypatch, "pdffonts", STANDARD_FONTS)
    (tmp_path / "bin" / "fc-match").write_text(f"#!/bin/sh\nprintf '{family}'\n")
    (tmp_path / "bin" / "fc-match").chmod(0o755)
    standard_font.substitute.cache_clear()
    document = open_document("poppler", hello(tmp_path))
    document.render(0, dpi=72, colour="auto")
    standard_font.substitute.cache_clear()
    warnings = document.warnings()
    assert [warning.split()[2] for warning in warnings] == fonts
    assert all("apt install fonts-urw-base35" in warning for warning in warnings)
