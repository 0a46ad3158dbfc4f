"""PyMuPDF behind the interface: what opens, what is refused and why, what a page gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
from pagemill.engine.errors import PdfError
from pagemill.engine.page import TextLayer, WordFlag
from pagemill.engine.read.backend import mupdf
from pagemill.engine.read.backend.registry import open_document
from pagemill.engine.read.reader import ReadConfig, read_page
from PIL import Image
from support.hostile_text import HOSTILE, LONE_BYTE, is_sane
from support.minipdf import Sheet, write_pdf


def page(tmp_path: Path, sheet: Sheet, **keys: str) -> mupdf.MupdfDocument:
    return mupdf.open_document(write_pdf(tmp_path / "page.pdf", [sheet], **keys))


def text(tmp_path: Path, sheet: Sheet, **keys: str) -> TextLayer:
    return page(tmp_path, sheet, **keys).text(0, dpi=144)


def show(operators: str) -> Sheet:
    return Sheet(content=operators)


@pytest.mark.parametrize("backend", ["mupdf", "poppler"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_file"),
        (b"Just some text.\n" * 50, "not_a_document"),
        (b"<html><body>Hello</body></html>", "not_a_document"),
        (b"PK\x03\x04" + bytes(300), "not_a_document"),
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog", "broken"),
        (None, "missing"),
    ],
)
def test_what_is_no_pdf_is_refused_with_a_reason(
    backend: str, data: bytes | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.pdf"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(PdfError, match=r"file\.pdf") as caught:
        open_document(backend, path)
    assert caught.value.reason == reason


@pytest.mark.parametrize("backend", ["mupdf", "poppler"])
def test_an_image_is_not_opened_as_a_pdf(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "image.pdf"
    Image.new("L", (50, 50)).save(path, "PNG")
    with pytest.raises(PdfError) as caught:
        open_document(backend, path)
    assert caught.value.reason == "not_a_document"


@pytest.mark.parametrize("backend", ["mupdf", "poppler"])
def test_a_name_does_not_make_a_document(backend: str, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "page.txt", [Sheet(text=[(50, 50, 12, "Hello")])])
    assert open_document(backend, path).page_count == 1


@pytest.mark.parametrize("backend", ["mupdf", "poppler"])
def test_a_name_that_is_not_utf8_is_opened_like_others(backend: str, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / LONE_BYTE, [Sheet(text=[(50, 250, 20, "Hello")])] * 2)
    document = open_document(backend, path)
    assert document.render(1, dpi=72, colour="grey").shape == (500, 400)
    assert document.text(1, dpi=72).text == "Hello"


@pytest.mark.parametrize("backend", ["mupdf", "poppler"])
def test_passwords(backend: str, tmp_path: Path) -> None:
    pymupdf = mupdf.pymupdf
    plain = pymupdf.open(write_pdf(tmp_path / "plain.pdf", [Sheet(text=[(50, 50, 12, "Hello")])]))
    for name, user in (("locked", "sesame"), ("owned", "")):
        plain.save(
            tmp_path / f"{name}.pdf",
            encryption=pymupdf.PDF_ENCRYPT_AES_256,
            user_pw=user,
            owner_pw="owner",
        )
    assert open_document(backend, tmp_path / "owned.pdf", "wrong").page_count == 1
    for password in ("sesame", "owner"):
        document = open_document(backend, tmp_path / "locked.pdf", password)
        assert document.text(0, dpi=72).text == "Hello"
        assert document.render(0, dpi=72, colour="auto").min() < 128
    for wrong in (None, "wrong"):
        with pytest.raises(PdfError, match="password") as caught:
            open_document(backend, tmp_path / "locked.pdf", wrong)
        assert caught.value.reason == "encrypted"


@pytest.mark.parametrize("backend", ["mupdf", "poppler"])
def test_a_document_without_pages(backend: str, tmp_path: Path) -> None:
    with pytest.raises(PdfError) as caught:
        open_document(backend, write_pdf(tmp_path / "none.pdf", []))
    assert caught.value.reason == "zero_pages"


def test_a_damaged_xref_is_repaired_and_said(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "page.pdf", [Sheet(text=[(50, 50, 12, "Hello")])])
    path.write_bytes(path.read_bytes().replace(b"startxref\n", b"startxref\n9"))
    document = mupdf.open_document(path)
    assert document.repaired
    assert document.text(0, dpi=72).text == "Hello"
    assert document.warnings()
    assert document.warnings() == []


def test_invisible_text_is_read_and_flagged(tmp_path: Path) -> None:
    layer = text(
        tmp_path,
        show(
            "BT /F1 20 Tf 50 400 Td (shown) Tj ET "
            "BT /F1 20 Tf 3 Tr 50 300 Td (hidden) Tj ET "
            "BT /F1 20 Tf 1 Tr 50 200 Td (outlined) Tj ET"
        ),
    )
    flags = {word.text: bool(word.flags & WordFlag.INVISIBLE) for word in layer.words}
    assert flags == {"shown": False, "hidden": True, "outlined": False}
    assert layer.glyphs is not None
    hidden = "".join(map(chr, layer.glyphs.codepoint[layer.glyphs.hidden]))
    assert hidden == "hidden"


def test_glyphs_have_their_box_size_and_advance(tmp_path: Path) -> None:
    glyphs = text(tmp_path, show("1 0 0 rg BT /F1 20 Tf 50 400 Td (Wi) Tj ET")).glyphs
    assert glyphs is not None
    assert [chr(code) for code in glyphs.codepoint] == ["W", "i"]
    assert glyphs.size_px == pytest.approx([40, 40])
    assert glyphs.advance_em == pytest.approx([0.944, 0.222], abs=0.01)
    assert glyphs.luminance == pytest.approx([0.299, 0.299], abs=0.01)
    assert glyphs.origin is not None
    assert glyphs.origin[0] == pytest.approx([100, 200])
    assert glyphs.box[1, 0] == pytest.approx(glyphs.box[0, 2], abs=0.5)
    assert glyphs.font_names[glyphs.font[0]] == "Helvetica"


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_glyph_boxes_lie_on_ink_of_turned_and_cropped_pages(rotation: int, tmp_path: Path) -> None:
    sheet = Sheet(
        (-20, 30, 380, 530),
        [(100, 300, 30, "HEM")],
        {"CropBox": "[50 100 350 450]", "Rotate": str(rotation), "UserUnit": "1.5"},
    )
    document = page(tmp_path, sheet)
    image = document.render(0, dpi=96, colour="grey")
    glyphs = document.text(0, dpi=96).glyphs
    assert glyphs is not None
    covered = image < 128
    for x0, y0, x1, y1 in glyphs.box:
        assert covered[int(y0) : int(y1), int(x0) : int(x1)].mean() > 0.1
        covered[int(y0) : int(y1) + 2, int(x0) : int(x1) + 2] = False
    assert not covered.any()


def test_a_page_of_many_glyphs_and_none(tmp_path: Path) -> None:
    assert text(tmp_path, Sheet()).words == ()
    lines = [(20, 480 - 4 * row, 3, "lorem ipsum dolor " * 10) for row in range(110)]
    layer = text(tmp_path, Sheet(text=lines))
    assert layer.glyphs is not None
    assert len(layer.glyphs.codepoint) > 15_000
    assert len(layer.words) == 3300


def test_words_outside_the_page_are_counted(tmp_path: Path) -> None:
    layer = text(
        tmp_path,
        Sheet(
            text=[
                (50, 250, 12, "inside here"),
                (50, 600, 12, "two above"),
                (-300, 250, 12, "left"),
                (450, 100, 12, "three words right"),
            ]
        ),
    )
    assert layer.text == "inside here"
    assert layer.outside == 6


def test_text_that_json_refuses_is_made_acceptable(tmp_path: Path) -> None:
    cmap = (
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> "
        "endcodespacerange 4 beginbfchar <41> <d800> <42> <0001> <43> <fb01> <44> <0041> "
        "endbfchar endcmap end"
    )
    path = tmp_path / "odd.pdf"
    pymupdf = mupdf.pymupdf
    write_pdf(path, [Sheet(text=[(50, 250, 20, "DABCD")])])
    document = pymupdf.open(path)
    stream = document.get_new_xref()
    document.update_object(stream, "<<>>")
    document.update_stream(stream, cmap.encode())
    document.xref_set_key(3, "ToUnicode", f"{stream} 0 R")
    document.save(tmp_path / "mapped.pdf")
    for backend in ("mupdf", "poppler"):
        layer = open_document(backend, tmp_path / "mapped.pdf").text(0, dpi=72)
        orjson.dumps([word.text for word in layer.words])
        joined = "".join(word.text for word in layer.words)
        assert joined.startswith("A")
        assert joined.endswith("fiA")
        assert layer.unmapped == joined.count("\ufffd") >= 1


def test_grey_pages_are_grey_and_coloured_ones_are_not(tmp_path: Path) -> None:
    grey = "0.3 g 50 50 200 200 re f BT /F1 12 Tf 50 400 Td (Plain text, as most pages) Tj ET"
    link = grey + " 0 0 0.9 rg BT /F1 10 Tf 50 300 Td (a blue link) Tj ET"
    paper = "0.98 0.96 0.90 rg 0 0 400 500 re f 0 g BT /F1 12 Tf 50 400 Td (Old paper) Tj ET"
    slide = "0.1 0.2 0.6 rg 0 0 400 500 re f 1 g BT /F1 12 Tf 50 400 Td (White on blue) Tj ET"
    for operators, channels in ((grey, 2), (link, 3), (paper, 2), (slide, 3)):
        for backend in ("mupdf", "poppler"):
            path = write_pdf(tmp_path / "page.pdf", [show(operators)])
            document = open_document(backend, path)
            assert document.render(0, dpi=144, colour="auto").ndim == channels, (backend, operators)
            assert document.render(0, dpi=72, colour="grey").ndim == 2
            assert document.render(0, dpi=72, colour="colour").ndim == 3


@pytest.mark.parametrize("dpi", [30, 47, 72, 100, 144, 250])
def test_colour_is_seen_at_every_resolution(tmp_path: Path, dpi: int) -> None:
    faint = "0.5 0.49 0.5 rg 50 50 300 300 re f"
    red = faint + " 1 0 0 rg 100 100 20 20 re f"
    for name, operators, dimensions in (("faint", faint, 2), ("red", red, 3)):
        document = open_document("mupdf", write_pdf(tmp_path / f"{name}.pdf", [show(operators)]))
        image = document.render(0, dpi=dpi, colour="auto")
        grey = document.render(0, dpi=dpi, colour="grey")
        assert (image.ndim, image.shape[:2]) == (dimensions, grey.shape)
        if dimensions == 2:
            assert np.abs(image.astype(int) - grey).max() <= 2


def test_figures(tmp_path: Path) -> None:
    grid = " ".join(f"50 {y} m 350 {y} l S" for y in (300, 330, 360, 390))
    grid += " ".join(f" {x} 300 m {x} 390 l S" for x in (50, 150, 250, 350))
    waves = " ".join(
        f"60 {60 + 20 * n} m 120 {140 + n} 180 {20 + n} 300 {200 - n} c S" for n in range(5)
    )
    rules = "20 480 m 380 480 l S 20 20 360 460 re S"
    image = "q 80 0 0 60 300 410 cm BI /W 2 /H 2 /CS /G /BPC 8 ID \x10\x80\xc0\xff EI Q"
    cells = [(60 + 100 * c, 308 + 30 * r, 10, f"cell{r}{c}") for r in range(3) for c in range(3)]
    layer = text(tmp_path, Sheet(text=cells, content=f"{grid} {waves} {rules} {image}"))
    found = {figure.kind: figure.box for figure in layer.figures}
    assert len(layer.figures) == 3
    assert found["table"] == pytest.approx((100, 220, 700, 400), abs=4)
    assert found["image"] == pytest.approx((600, 60, 760, 180), abs=1)
    x0, y0, x1, y1 = found["drawing"]
    assert (x0, x1) == pytest.approx((120, 600), abs=45)  # a stroke may be mitred
    assert 520 < y0 < y1 <= 1000
    assert layer.image_cover == pytest.approx(80 * 60 / (400 * 500), abs=0.005)


def test_prose_with_rules_and_underlines_has_no_figures(tmp_path: Path) -> None:
    lines = [(50, 450 - 14 * n, 11, "some prose that goes on and on") for n in range(20)]
    rules = " ".join(f"50 {447 - 14 * n} m {150 + n} {447 - 14 * n} l S" for n in range(20))
    assert text(tmp_path, Sheet(text=lines, content=rules)).figures == ()


def test_font_styles_become_flags(tmp_path: Path) -> None:
    pymupdf = mupdf.pymupdf
    document = pymupdf.open()
    sheet = document.new_page(width=300, height=200)
    for row, (name, word) in enumerate(
        [("helv", "plain"), ("hebo", "bold"), ("heit", "slanted"), ("cour", "mono")]
    ):
        sheet.insert_text((20, 40 + 30 * row), word, fontname=name)
    document.save(tmp_path / "styles.pdf")
    words = open_document("mupdf", tmp_path / "styles.pdf").text(0, dpi=72).words
    flags = {word.text: word.flags for word in words}
    assert flags["bold"] & WordFlag.BOLD
    assert flags["slanted"] & WordFlag.ITALIC
    assert flags["mono"] & WordFlag.MONO
    assert not flags["plain"] & (WordFlag.BOLD | WordFlag.ITALIC | WordFlag.MONO)


def test_slanted_lines_stay_whole(tmp_path: Path) -> None:
    tilted = "\n".join(
        f"BT /F1 12 Tf 0.966 0.259 -0.259 0.966 60 {250 + 15 * n} Tm (line{n} goes up {n}) Tj ET"
        for n in (2, 0, 3, 1)
    )
    layer = text(tmp_path, show(tilted))
    assert [line.text for line in layer.lines] == [f"line{n} goes up {n}" for n in (3, 2, 1, 0)]


def test_failures_say_what_failed_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = page(tmp_path, Sheet(text=[(50, 50, 12, "Hello")]))
    with pytest.raises(PdfError, match=r"cannot load page 7 of .*page\.pdf"):
        document.size_pt(7)

    def fail(*_: object) -> None:
        raise SystemError("code point out of range")

    monkeypatch.setattr(mupdf, "_trace", fail)
    assert document.render(0, dpi=72, colour="auto").shape == (500, 400)
    with pytest.raises(PdfError, match="extract the text of page 0") as caught:
        document.text(0, dpi=72)
    assert caught.value.reason == "render_error"
    monkeypatch.setattr(mupdf, "_trace", lambda *_: [][1])
    with pytest.raises(PdfError):
        document.text(0, dpi=72)


def test_memory_is_a_reason_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = page(tmp_path, Sheet())

    def starve(*_: object) -> np.ndarray:
        raise RuntimeError("code=2: malloc (123 bytes) failed")

    monkeypatch.setattr(document, "_list", starve)
    with pytest.raises(PdfError) as caught:
        document.render(0, dpi=72, colour="grey")
    assert caught.value.reason == "memory"


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_pdf(tmp_path / "page.pdf", [show("BT /None 12 Tf (x) Tj ET Q Q Q 1 2 3 bogus")])
    path.write_bytes(path.read_bytes().replace(b"startxref\n", b"startxref\n9"))
    document = mupdf.open_document(path)
    document.render(0, dpi=72, colour="auto")
    document.text(0, dpi=72)
    document.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("said", HOSTILE)
def test_a_warning_whose_font_name_is_not_utf8_can_be_written_down(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = page(tmp_path, Sheet(text=[(50, 250, 20, "Hello")]))
    monkeypatch.setattr(
        mupdf.pymupdf.TOOLS, "mupdf_warnings", lambda: f"no font '{said}'\nfor {said}"
    )
    warnings = document.warnings()
    assert len(warnings) == 2
    assert all(map(is_sane, warnings))
    fate = read_page(document, 0, "0" * 64, ReadConfig())
    assert is_sane(fate.warnings, 500)
    assert fate.warnings.startswith("no font")


@pytest.mark.parametrize("said", HOSTILE)
def test_whatever_mupdf_raises_can_be_written_down(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = page(tmp_path, Sheet(text=[(50, 250, 20, "Hello")]))

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(said)

    monkeypatch.setattr(mupdf.pymupdf.DisplayList, "get_pixmap", fail)
    fate = read_page(document, 0, "0" * 64, ReadConfig())
    assert fate.failed
    assert is_sane(fate.message)


def test_the_producer_of_a_pdf_is_valid_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = {"producer": LONE_BYTE + "\0" + "x" * 1_000_000}
    path = write_pdf(tmp_path / "page.pdf", [Sheet()])
    with mupdf.pymupdf.open(path) as doc:
        monkeypatch.setattr(doc, "metadata", metadata)
        assert is_sane(mupdf.MupdfDocument(doc, path, None).producer)
