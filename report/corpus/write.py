"""Put the report together and store it as `report.html`."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

import orjson

from ...engine.errors import ConfigError
from ...engine.store.place import Place
from .facts import CorpusFacts, gather
from .gallery import left_out, samples
from .markup import esc
from .overview import headline, masthead, reasons
from .profile import pages, text_layers
from .work import shards, timing

FILE = "report.html"
_LINKS = {
    "overview": "Overview",
    "reasons": "Reasons",
    "text": "Text",
    "pages": "Pages",
    "shards": "Shards",
    "time": "Time",
    "samples": "Samples",
    "rows": "Rows",
}


def write_corpus_report(place: Place, out: Path | None = None) -> str:
    """Write the report of a corpus; the same corpus gives the same bytes.

    Args:
        place: of the corpus.
        out: the file; `report.html` in the corpus if not given.

    Returns:
        Where it was written.

    Raises:
        ConfigError: the place holds no corpus, or the file cannot be written.
        ShardError: `corpus.json` or the ledger is damaged.
    """
    page = render(gather(place)).encode("utf-8")
    if out is None:
        place.write_bytes(FILE, page)
        return f"{place.uri}/{FILE}"
    try:
        Place.at(str(out.absolute().parent)).write_bytes(out.name, page)
    except OSError as err:
        raise ConfigError(f"cannot write {out}: {err.strerror}") from err
    return str(out)


def render(facts: CorpusFacts) -> str:
    """The report as HTML; scripts other than its own are forbidden by its own policy."""
    style, script = _asset("report.css"), _asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    anchors: set[str] = set()
    sections = [
        headline(facts),
        reasons(facts),
        text_layers(facts),
        pages(facts),
        shards(facts),
        timing(facts),
        samples(facts, anchors),
        left_out(facts, anchors),
        _making(facts),
    ]
    body = "".join(sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{esc(facts.name)} · Pagemill report</title>"
        f"<style>{style}</style></head><body>{masthead(facts)}{_navigation(body)}"
        f"<main>{body}</main><dialog></dialog><script>{script}</script></body></html>\n"
    )


def _navigation(body: str) -> str:
    links = "".join(
        f'<a href="#{name}">{title}</a>'
        for name, title in _LINKS.items()
        if f'<section id="{name}"' in body
    )
    return (
        f'<nav><div class="links">{links}</div><input id="find" type="search" '
        'placeholder="Find a key, file or reason" aria-label="Find a key, file or reason" '
        'autocomplete="off" spellcheck="false"><output id="found" for="find"></output></nav>'
    )


def _making(facts: CorpusFacts) -> str:
    """What the corpus was made from and with, folded."""
    info = facts.info
    config = orjson.dumps(info.config, option=orjson.OPT_INDENT_2).decode()
    versions = "".join(
        f'<tr><th scope="row">{esc(name)}</th><td>{esc(version)}</td></tr>'
        for name, version in info.versions.items()
    )
    generations = "".join(
        f'<tr><td class="num">{generation.number}</td><td class="num">{generation.documents:,}</td>'
        f"<td><code>{esc(generation.config_hash)}</code></td>"
        f'<td class="file"><bdi>{esc(", ".join(generation.inputs), 400)}</bdi></td></tr>'
        for generation in info.generations
    )
    return (
        '<section id="making"><h2>How it was made</h2>'
        f"<details><summary>Configuration <code>{esc(info.config_hash)}</code></summary>"
        f"<pre>{_lines(config)}</pre></details>"
        f'<details><summary>Versions</summary><div class="scroll"><table class="plain"><tbody>'
        f"{versions}</tbody></table></div></details>"
        '<details><summary>Builds</summary><div class="scroll"><table class="plain"><thead><tr>'
        '<th class="num">number</th><th class="num">documents</th><th>configuration</th>'
        f"<th>inputs</th></tr></thead><tbody>{generations}</tbody></table></div></details></section>"
    )


def _lines(text: str) -> str:
    return "\n".join(esc(line) for line in text.splitlines())


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
