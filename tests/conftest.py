"""What many tests need: a small corpus of drawn pages, an S3 server on loopback, real documents."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest
from pagemill.engine.page import page_from_dict
from pagemill.engine.store.corpus import CorpusInfo, Generation, ShardEntry
from pagemill.engine.store.index import IndexMeta, index_row, write_index
from pagemill.engine.store.ledger import Fate, LedgerRow, RowKind, part_path, summarize, write_rows
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import write_shard
from support.pages import Sample, page_sample

pytest_plugins = ("support.nano", "support.corpora", "support.material")

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one test process a core; torch reads it later

hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The shared folder of real documents, named by PAGEMILL_TEST_DATA."""
    beside = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("PAGEMILL_TEST_DATA", beside))
    if not (folder / "MANIFEST.jsonl").is_file():
        pytest.skip(f"no real documents in {folder}: set PAGEMILL_TEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The endpoint of a real S3 server on loopback."""
    server_module = pytest.importorskip("moto.server", reason="needs moto[server]")
    pytest.importorskip("s3fs", reason="needs pagemill[s3]")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_uri(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty folder in a bucket; the environment says how to reach it."""
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdirs("pagemill-test", exist_ok=True)
    return f"s3://pagemill-test/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def samples() -> dict[str, list[Sample]]:
    """Shard name → samples: 2 documents over two train shards, one document held out."""
    first, second, third = (hashlib.sha256(bytes([n])).hexdigest() for n in range(3))
    return {
        "train-000000": [page_sample(sha, n, 6) for n in (0, 2, 4) for sha in (first, second)],
        "train-000001": [page_sample(sha, n, 6) for n in (1, 3, 5) for sha in (first, second)],
        "val-000000": [page_sample(third, n, 2) for n in range(2)],
    }


@pytest.fixture
def make_corpus(samples: dict[str, list[Sample]]) -> Callable[[str], Place]:
    """Writes a complete corpus at a path or URI."""

    def write(uri: str) -> Place:
        place = Place.at(uri)
        rows: list[LedgerRow] = []
        splits: dict[str, list[ShardEntry]] = {}
        pages: dict[str, int] = {}
        for name, content in samples.items():
            path = place.scratch_dir() / f"{name}.tar"
            summary = write_shard(path, content)
            place.put(path, f"shards/{name}.tar")
            columns = [orjson.loads(parts[1][1]) for _, parts in content]
            index = [
                index_row(span, page_from_dict(page))
                for span, page in zip(summary.samples, columns, strict=True)
            ]
            meta = IndexMeta(
                shard=name, sha256=summary.sha256, bytes=summary.bytes, samples=len(content)
            )
            write_index(place, f"index/{name}.parquet", index, meta)
            entry = ShardEntry(
                name=name, bytes=summary.bytes, samples=len(content), sha256=summary.sha256
            )
            splits.setdefault(name.partition("-")[0], []).append(entry)
            for page, (key, parts) in zip(columns, content, strict=True):
                pages[page["doc_sha256"]] = page["page_count"]
                rows.append(_page_row(page, key, name, sum(len(data) for _, data in parts)))
        rows += [_document_row(sha, count) for sha, count in pages.items()]
        rows.append(
            LedgerRow(
                kind=RowKind.DOCUMENT,
                key="",
                doc_sha256="",
                uri="gone.pdf",
                status=Fate.FAILED,
                stage="open",
                reason="missing",
            )
        )
        write_rows(place, part_path(0, 0), rows)
        CorpusInfo(
            status="complete",
            created="2026-11-20",
            config={},
            config_hash="0" * 16,
            image_ext="png",
            splits={name: tuple(entries) for name, entries in splits.items()},
            generations=(Generation(number=0, inputs=("in",), documents=4, config_hash="0" * 16),),
            totals=summarize(rows).to_dict(),
        ).save(place)
        return place

    return write


@pytest.fixture
def corpus(make_corpus: Callable[[str], Place], tmp_path: Path) -> Place:
    """A small complete corpus in a local folder."""
    return make_corpus(str(tmp_path / "corpus"))


def _page_row(page: dict[str, Any], key: str, shard: str, size: int) -> LedgerRow:
    return LedgerRow(
        kind=RowKind.PAGE,
        key=key,
        doc_sha256=page["doc_sha256"],
        uri=page["source"]["uri"],
        page_index=page["page_index"],
        status=Fate.WRITTEN,
        stage="write",
        verdict=page["verdict"]["name"],
        engine=page["engine"],
        language=page["language"],
        shard=shard,
        bytes=size,
    )


def _document_row(sha256: str, page_count: int) -> LedgerRow:
    return LedgerRow(
        kind=RowKind.DOCUMENT,
        key=sha256,
        doc_sha256=sha256,
        uri=f"{sha256[:8]}.pdf",
        status=Fate.WRITTEN,
        page_count=page_count,
    )
