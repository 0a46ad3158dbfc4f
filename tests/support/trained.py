"""Small runs of the trainer: by tests in their own process, by torchrun as a script.

    torchrun --nproc_per_node 2 tests/support/trained.py JOBS

JOBS is a JSON file with a list of runs that are made one after another in the same processes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from pagemill.engine.config import with_overrides
from pagemill.train.checkpoint.listing import newest_checkpoint
from pagemill.train.checkpoint.reader import read_checkpoint, read_pieces
from pagemill.train.log.journal import read
from pagemill.train.log.run_log import StepProgress
from pagemill.train.ranks import Ranks, from_environment
from pagemill.train.recipe import Recipe
from pagemill.train.state import RunResult
from pagemill.train.stream.collate import Batch
from pagemill.train.trainer import Trainer

BUDGET = 320
SETTINGS = (
    "steps=6", "seed=5", "model.scale_resolution=84", "model.max_slice_nums=2", "data.workers=0",
    "stream.window_samples=24", f"stream.pack.budget_tokens={BUDGET}",
    "stream.pack.budget_slices=24", "stream.pack.global_packs=2",
    "stream.sample.most_answer_tokens=64", "lr_schedule.warmup=0.2", "parallel.threads=1",
    "checkpoint.every=0", "eval.at_end=false",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 1200


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run."""

    corpus: str
    out: str
    settings: tuple[str, ...] = ()
    resume: bool = False
    poisoned: tuple[int, ...] | None = None
    """Rank, and steps at which its pixels are no numbers."""
    burst: tuple[int, ...] | None = None
    """Rank, and steps at which its gradients are infinite and its loss is not."""
    signalled: tuple[int, int] | None = None
    """Rank that gets SIGTERM while it learns from this step."""
    name: str = "scans"
    """That the order is drawn by."""

    @property
    def folder(self) -> Path:
        return Path(self.out)

    def recipe(self) -> Recipe:
        data = (f'data.corpora=["{self.corpus}"]', f'data.names=["{self.name}"]')
        return with_overrides(Recipe, {}, [*SETTINGS, *data, *self.settings])


def job_on(corpora: Sequence[str], folder: Path, *settings: str, **more: Any) -> Job:
    """A run in a folder on the first of the corpora."""
    return Job(corpus=corpora[0], out=str(folder), settings=settings, **more)


def finished_job(corpora: Sequence[str], folder: Path) -> Job:
    """A run of four steps with two checkpoints that is done."""
    job = job_on(corpora, folder, "steps=4", "checkpoint.every=2")
    result = train_job(job)
    assert (result.reason, result.step) == ("done", 4)
    assert result.checkpoint == job.folder / "checkpoints" / "step-000004"
    return job


def train_job(job: Job, ranks: Ranks | None = None, **run: Any) -> RunResult:
    """The run, in this process."""
    trainer = Trainer(job.recipe(), job.folder, ranks or Ranks(), **run)
    harm(trainer, job)
    return trainer.train(resume=job.resume)


def harm(trainer: Trainer, job: Job) -> None:
    """Poison a batch, or ask to stop, where the job says so."""
    train_step = trainer.train_step

    def harmed(batch: Batch, *rest: Any) -> None:
        rank, step = now = (trainer.ranks.rank, trainer.state.step + 1)
        if job.poisoned and rank == job.poisoned[0] and step in job.poisoned[1:]:
            batch = poison(batch)
        if job.burst and rank == job.burst[0] and step in job.burst[1:]:
            with bursting(trainer.backend.model):
                train_step(batch, *rest)
        else:
            train_step(batch, *rest)
        if job.signalled == now:
            os.kill(os.getpid(), signal.SIGTERM)

    if job.poisoned or job.burst or job.signalled:
        trainer.train_step = harmed  # type: ignore[method-assign]


def poison(batch: Batch, sample: int = 0) -> Batch:
    """The batch with pixels of one sample that are no numbers."""
    assert batch.pixel_values is not None
    tiles = batch.num_tiles.tolist()
    pixels = batch.pixel_values.float() / 127.5 - 1
    start = sum(tiles[:sample])
    pixels[start : start + tiles[sample]] = torch.nan
    return replace(batch, pixel_values=pixels)


@contextmanager
def bursting(model: Any) -> Iterator[None]:
    """Gradients of the embeddings are infinite."""

    def burst(module: Any, given: Any, out: torch.Tensor) -> None:
        out.register_hook(lambda gradient: gradient * torch.inf)

    hook = model.get_input_embeddings().register_forward_hook(burst)
    try:
        yield
    finally:
        hook.remove()


def train_on_ranks(ranks: int, jobs: Sequence[Job], folder: Path) -> str:
    """The runs, on several ranks; what they printed."""
    path = folder / "jobs.json"
    path.write_text(json.dumps([job.__dict__ for job in jobs]))
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone",
         "--nproc_per_node", str(ranks), "tests/support/trained.py", str(path)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=DEADLINE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    return done.stdout + done.stderr


def start_process(job: Job, folder: Path) -> subprocess.Popen[bytes]:
    """The run in a process of its own, to be killed."""
    path = folder / "job.json"
    path.write_text(json.dumps([job.__dict__]))
    return subprocess.Popen(
        [sys.executable, "tests/support/trained.py", str(path)],
        cwd=ROOT, env=environment(), start_new_session=True, stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("ab"),
    )  # fmt: skip


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}


def lines(folder: str | Path, kind: str = "step") -> list[dict[str, Any]]:
    """Those lines of a run's log."""
    path = Path(folder) / "log.jsonl"
    return [line for line in read(path) if line["kind"] == kind] if path.is_file() else []


def curve(folder: str | Path) -> list[tuple[int, float, float]]:
    """Step, loss and norm of every step."""
    return [(line["step"], line["loss"], line["grad_norm"]) for line in lines(folder)]


def largest_gap(one: str | Path, other: str | Path, *, but: int = 0) -> float:
    """The largest relative difference of the losses of two runs that took the same steps."""
    pairs = [pair for pair in zip(curve(one), curve(other), strict=True) if pair[0][0] != but]
    assert pairs
    assert all(mine[0] == theirs[0] for mine, theirs in pairs)
    return max(abs(mine[1] - theirs[1]) / abs(theirs[1]) for mine, theirs in pairs)


def pieces(folder: str | Path) -> dict[tuple[str, str], torch.Tensor]:
    """Weights and moments of the newest checkpoint."""
    newest = newest_checkpoint(Path(folder) / "checkpoints")
    assert newest is not None
    return read_pieces(read_checkpoint(newest, check=True))


def distance(one: Mapping[Any, torch.Tensor], other: Mapping[Any, torch.Tensor]) -> float:
    """The largest relative distance of two trees of tensors."""
    assert one.keys() == other.keys()
    return max(
        float((mine - other[name]).norm() / other[name].norm().clamp_min(1e-12))
        for name, mine in one.items()
    )


def with_gradient(
    pieces: Mapping[tuple[str, str], torch.Tensor],
) -> dict[tuple[str, str], torch.Tensor]:
    """Without parameters that have none: attention does not depend on a bias of its keys, so that
    Adam makes steps of rounding errors."""
    silent = ("k_proj.bias", "attn.in_proj_bias")
    return {name: piece for name, piece in pieces.items() if not name[0].endswith(silent)}


def same(one: Mapping[Any, torch.Tensor], other: Mapping[Any, torch.Tensor]) -> bool:
    """Whether all tensors are equal to the bit."""
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@dataclass
class Watched:
    """Collects the progress of a run; sends it SIGTERM at a step, where one is named."""

    progress: list[StepProgress] = field(default_factory=list)
    signal_at: int = 0

    def __call__(self, progress: StepProgress) -> None:
        self.progress.append(progress)
        if progress.step == self.signal_at and not progress.note:
            os.kill(os.getpid(), signal.SIGTERM)


def jobs_in(path: Path) -> Iterator[Job]:
    for tree in json.loads(path.read_text()):
        for name in ("settings", "poisoned", "burst", "signalled"):
            tree[name] = tuple(tree[name]) if tree[name] is not None else None
        yield Job(**tree)


def main(path: Path) -> None:
    """Every run in the file."""
    with from_environment() as ranks:
        for job in jobs_in(path):
            result = train_job(job, ranks)
            sys.stdout.write(f"rank {ranks.rank}: {job.out} {result.reason} {result.step}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
