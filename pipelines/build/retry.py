"""`pagemill retry`: read again what failed, and only that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...engine.config import from_tree, upgraded, with_overrides
from ...engine.errors import ConfigError
from ...engine.reason import Reason
from ...engine.source.listing import Source, find
from ...engine.store.corpus import CorpusInfo
from ...engine.store.ledger import Fate, LedgerRow, RowKind, read_rows, summarize, to_rows
from ...engine.store.place import Place
from .config import LIMITS, BuildConfig
from .history import generation_of
from .job import DocumentTask
from .plan import in_order, plan_for
from .run import BuildResult, Machine, carry_out, checked_backends
from .snapshot import BuildListener
from .workspace import Workspace


def retry(
    out: str,
    *,
    reason: str | None = None,
    overrides: Sequence[str] = (),
    machine: Machine | None = None,
    passwords: Sequence[tuple[str, str]] = (),
    progress: BuildListener | None = None,
) -> BuildResult:
    """Read again what failed, and only that; what now succeeds goes into new shards.

    Args:
        out: folder or URI of a finished corpus.
        reason: only failures with this reason; all by default.
        overrides: `limits.key=value` in place of the corpus's own limits.
        machine: workers and cluster.
        passwords: (pattern of document names, password) pairs.
        progress: where to show what is going on.

    Raises:
        ConfigError: not a corpus, or its build was interrupted.
    """
    place = Place.at(out)
    workspace = Workspace(place)
    with workspace.locked():
        info = CorpusInfo.load(place)
        config = _config(info, overrides)
        rows = list(to_rows(read_rows(place, before=generation_of(workspace, info))))
        tasks = _failed_tasks(rows, reason, config)
        inputs = (out, *(("--reason", reason) if reason else ()))
        plan = plan_for(place, info, "retry", inputs, [task.source for task in tasks], config)
        if plan is None:
            return BuildResult(summary=summarize(read_rows(place)), documents=0)
        return carry_out(
            place,
            config,
            plan,
            tasks,
            info=info,
            originals={},
            passwords=passwords,
            machine=machine or Machine(),
            progress=progress,
        )


def _config(info: CorpusInfo, overrides: Sequence[str]) -> BuildConfig:
    """The corpus's configuration, with other limits.

    Raises:
        ConfigError: an override that would change what is written.
    """
    stored = upgraded(BuildConfig, info.config)
    config = checked_backends(with_overrides(BuildConfig, stored, overrides))
    if config.hash != from_tree(BuildConfig, stored).hash:
        allowed = " and ".join(LIMITS)
        raise ConfigError(f"retry can change {allowed} only; anything else needs a new corpus")
    return config


def _failed_tasks(
    rows: Sequence[LedgerRow], reason: str | None, config: BuildConfig
) -> list[DocumentTask]:
    """One task for every document that failed, or that has failed pages."""
    failed = [row for row in rows if row.status == Fate.FAILED and reason in (None, row.reason)]
    documents = {(row.uri, row.member): row for row in rows if row.kind == RowKind.DOCUMENT}
    wanted: dict[tuple[str, str], list[LedgerRow]] = {}
    for row in failed:
        wanted.setdefault((row.uri, row.member), []).append(row)
    found = _found_again(sorted({uri for uri, _ in wanted}), config)
    tasks = []
    for origin, document_rows in wanted.items():
        document = documents[origin]
        page_rows = [row for row in document_rows if row.kind == RowKind.PAGE]
        tasks.append(
            DocumentTask(
                source=_source_again(document, found.get(origin)),
                pages=tuple(sorted(row.page_index for row in page_rows)) or None,
                attempts={row.page_index: row.attempts for row in page_rows},
                earlier=document,
            )
        )
    order = {id(s): i for i, s in enumerate(in_order([t.source for t in tasks], config.shard.seed))}
    return sorted(tasks, key=lambda task: order[id(task.source)])


def _found_again(uris: Sequence[str], config: BuildConfig) -> dict[tuple[str, str], Source]:
    found: dict[tuple[str, str], Source] = {}
    for uri in uris:
        try:
            listing = find([uri], limits=config.limits)
        except ConfigError:
            continue
        found |= {(source.uri, source.member): source for source in listing.sources}
    return found


def _source_again(row: LedgerRow, found: Source | None) -> Source:
    """Where a document lies now, under the name that it had."""
    if found is not None:
        return replace(found, name=row.name)
    message = "it is no longer where it was when the corpus was built"
    return Source(
        name=row.name,
        uri=row.uri,
        member=row.member,
        size=row.bytes,
        version=row.version,
        refusal=Reason.MISSING,
        message=message,
    )
