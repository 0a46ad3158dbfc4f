"""What a run is to do: its documents in order, and whether it is the one that was interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...engine.curate.select import SPLITS, document_order
from ...engine.errors import ConfigError
from ...engine.source.listing import Source
from ...engine.store.corpus import CorpusInfo
from ...engine.store.place import Place
from ...engine.text import sanitize
from .config import BuildConfig
from .workspace import RunPlan, Workspace, digest_of


def in_order(sources: Iterable[Source], seed: int) -> list[Source]:
    """The seeded order of the run; where a document lies decides only between equal names."""
    return sorted(
        sources,
        key=lambda s: (document_order(s.name, s.member, seed), s.name, s.member, s.uri),
    )


def plan_for(
    place: Place,
    info: CorpusInfo,
    kind: str,
    inputs: Sequence[str],
    ordered: Sequence[Source],
    config: BuildConfig,
) -> RunPlan | None:
    """The plan to carry out: the interrupted one when it is the same; None with nothing to do.

    Raises:
        ConfigError: another run was interrupted there.
    """
    workspace = Workspace(place)
    digest = digest_of(ordered)
    unfinished = workspace.plan()
    if unfinished is not None:
        _check_same(unfinished, kind, digest, len(ordered), place)
        return unfinished
    if not ordered:
        return None
    plan = RunPlan(
        kind=kind,
        generation=len(info.generations),
        inputs=tuple(map(sanitize, inputs)),
        documents=len(ordered),
        digest=digest,
        config_hash=config.hash,
        shards={split: len(info.splits.get(split, ())) for split in SPLITS},
    )
    replace(info, status="building").save(place)
    workspace.begin(plan)
    return plan


def _check_same(plan: RunPlan, kind: str, digest: str, documents: int, place: Place) -> None:
    if plan.kind == kind and plan.digest == digest:
        return
    if plan.kind != kind:
        what = f"this is a {kind}"
    else:
        what = f"this one has {documents} that are not the same"
    raise ConfigError(
        f"an interrupted {plan.kind} of {plan.documents} documents lies in {place.uri} "
        f"(pagemill {plan.kind} {' '.join(plan.inputs)}), and {what}. Run it again to finish it, "
        "or build with --rebuild to throw the corpus away."
    )
