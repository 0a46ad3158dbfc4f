"""A small folder of texts and fonts: the font inside Pillow, and a few of the system's."""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

import orjson
import pytest
from pagemill.engine.typeset.compose import KINDS, Typesetter
from pagemill.engine.typeset.config import KindConfig, TypesetConfig
from pagemill.engine.typeset.material import Material, load_material
from PIL import ImageFont

SYSTEM = (
    ("DejaVu Serif", "serif", "dejavu/DejaVuSerif.ttf", "dejavu/DejaVuSerif-Bold.ttf"),
    ("DejaVu Sans Mono", "mono", "dejavu/DejaVuSansMono.ttf", "dejavu/DejaVuSansMono-Bold.ttf"),
    ("Liberation Sans", "sans", "liberation/LiberationSans-Regular.ttf", ""),
)
TRAINED = "The mill stood by the river, and its wheel turned all day. "
HELD = "Nobody had seen the ferry since spring; the rope lay in the grass. "
GERMAN = "Die Mühle stand am Fluß, und das Rad drehte sich über dem Wasser. "


def pillow_font() -> bytes:
    """Aileron, which every Pillow with FreeType carries: ASCII, and little more."""
    font = ImageFont.load_default(10)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font.path.getvalue()


def make_folder(folder: Path) -> Path:
    """A folder as tools/make_small_data.py makes one."""
    manifest: dict = {"schema": "pagemill.material.1", "fonts": [], "texts": [], "words": []}

    def put(section: str, file: str, data: bytes, **entry: object) -> None:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        entry |= {"file": file, "bytes": len(data), "sha256": sha256}
        manifest[section].append(entry)

    def font(name: str, data: bytes, family: str, kind: str, bold: bool, held: bool) -> None:
        put("fonts", f"fonts/{name}", data, family=family, kind=kind, bold=bold, italic=False,
            held_out=held)  # fmt: skip

    def text(name: str, language: str, content: str, held: bool) -> None:
        data = lzma.compress("\n".join([content * n for n in (2, 3, 5)]).encode())
        put("texts", f"texts/{name}.txt.xz", data, name=name, language=language, held_out=held,
            licence="public domain")  # fmt: skip

    font("aileron.ttf", pillow_font(), "Aileron", "sans", False, False)
    font("other.ttf.xz", lzma.compress(pillow_font()), "Aileron Two", "sans", False, True)
    root = Path("/usr/share/fonts/truetype")
    for family, kind, *files in SYSTEM:
        for bold, file in enumerate(files):
            if file and (root / file).is_file():
                data = (root / file).read_bytes()
                font(Path(file).name, data, family, kind, bool(bold), False)
    text("mill", "en", TRAINED, False)
    text("ferry", "en", HELD, True)
    text("muehle", "de", GERMAN, False)
    words = "\n".join(
        f"{a}{b}" for a in ("bar", "con", "del") for b in ("ley", "tin", "phi", "ten")
    )
    put("words", "words/en.txt.xz", lzma.compress(words.encode()), name="words", language="en")
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return make_folder(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="session")
def material(folder) -> Material:
    return load_material(folder)


@pytest.fixture
def typesetter_of(material):
    """A typesetter of one kind."""

    def build(kind: str, seed: int = 0) -> Typesetter:
        kinds = KindConfig(**{name: float(name == kind) for name in KINDS})
        return Typesetter(TypesetConfig(kind=kinds), material, seed)

    return build
