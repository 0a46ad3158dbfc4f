"""A training run: from a recipe and a folder to checkpoints, a log and evaluations.

    Run(recipe, Path("runs/demo")).train(resume=True)

`train` → `restore` → `train_steps` → `train_step`, and between steps `adapt`, `evaluate`, `save`.
What a step does is in `step.py`; all that a run needs to go on is in its checkpoints (`keep.py`),
and
what it says of itself goes through `tell.py`.
"""

from __future__ import annotations

import copy
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from ..corruption import Level, Mixture, Schedule
from ..engine.config import to_tree
from ..engine.errors import ConfigError
from ..engine.failure import Failures
from ..engine.key import keyed_hash
from ..engine.progress import Progress
from ..model.cost.size import parameters
from .backend.torch import Backend, TorchBackend, optimizer_step, totals_of
from .checkpoint.checkpoint import Saved, read_pieces
from .checkpoint.retention import CheckpointRetention
from .evaluate import Case, ModelReader, answer_cases, open_cases, summarize, write_evaluation
from .evaluate.case import FAILURES_IN_A_ROW
from .guard import Guard
from .initial import initial_model, weights_fingerprint
from .log.run_log import OnStep, RunLog
from .log.throughput import as_row, summed, throughput_of
from .loss import LEVELS, micros
from .lr import lr_factor
from .optimizer import freeze, part_of
from .ranks import Ranks, alone, gathered
from .recipe import Recipe
from .stream.collate import Batch
from .stream.conversation import SUFFIXES
from .stream.shard_cache import ShardCache
from .stream.stream import PageStream

FACTS = 6
"""Numbers that `figures.Facts` has."""


@dataclass(slots=True)
class RunState:
    """How far a run is: what its checkpoints keep beside tensors and the stream."""

    step: int = 0
    applied: int = 0
    """Steps that were taken; the others were skipped."""
    loss: float = math.nan
    """Of the last step that was taken."""
    tokens: float = 0.0
    pages: float = 0.0
    level_sums: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0] for _ in LEVELS])
    """(sum of losses, tokens) of each level since the last adaptation."""
    summary: dict[str, Any] = field(default_factory=dict)
    """Of the last evaluation."""

    def state(self) -> dict[str, Any]:
        """As JSON carries it."""
        loss = self.loss if math.isfinite(self.loss) else None
        state = {name: copy.deepcopy(getattr(self, name)) for name in self.__slots__}
        return {**state, "loss": loss}  # copies: it is written while the next steps count on

    @staticmethod
    def restored(state: dict[str, Any]) -> RunState:
        """What `state` gave."""
        return RunState(**{**state, "loss": math.nan if state["loss"] is None else state["loss"]})


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended."""

    step: int
    reason: str
    """`done`, or `stopped` by a signal or by the time."""
    loss: float
    tokens: float
    """Learned from since the first step, without what packs are filled up with."""
    checkpoint: Path | None
    summary: dict[str, Any]
    """Of the last evaluation."""


class Trainer:
    """One stage of a recipe.

    Args:
        recipe: of the stage.
        folder: of the run; all ranks must see the same.
        ranks: this process among those of the run; one process, on a GPU if there is one.
        watch: called on rank 0 after every step.
        counting: called while pages' tokens are counted, the first time a corpus is used.
        until: when it stops as if asked to, `time.monotonic`.

    Raises:
        ConfigError: the recipe does not fit the ranks.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        ranks: Ranks | None = None,
        *,
        watch: OnStep | None = None,
        counting: Progress | None = None,
        until: float = math.inf,
    ) -> None:
        self.until = until
        self.recipe = recipe
        self.folder = folder
        self.ranks = ranks or alone()
        check_fits(recipe, self.ranks.ranks)
        self.counting = counting if self.ranks.first else None
        self.progressed = RunState()
        self.guard = Guard(recipe.guard, recipe.optim.clip)
        self.tell = RunLog(folder, recipe, self.ranks, watch)
        self.keeper = CheckpointRetention(folder, recipe, self.ranks, self.tell.checkpoint)
        self.metric: float | None = None
        self.asked = self.stop = self.must_save = False
        self.saved_s = time.monotonic()
        self.cases: list[Case] = []
        self.unopened = Failures(FAILURES_IN_A_ROW)
        """Pages of the evaluation that cannot be opened."""

    def train(self, *, resume: bool = False) -> RunResult:
        """Learn until the last step, or until a signal asks to stop.

        Args:
            resume: go on from the newest complete checkpoint, if there is one.

        Raises:
            CheckpointError: the folder has a run that is not to be resumed, or another one.
            TrainingError: too many steps or samples in a row were lost.
        """
        began = time.monotonic()
        saved = self.keeper.find(resume=resume)
        self.prepare()
        if saved is not None:
            self.restore(saved)
        self.tell.start(self.progressed.step, self.parameters, resumed=saved is not None)
        try:
            with stopping(self):
                self.train_steps()
                self.keeper.wait()
        except BaseException as err:
            reason = "stopped" if isinstance(err, KeyboardInterrupt) else "failed"
            message = f"{type(err).__name__}: {err}"
            self.tell.end(self.progressed.step, reason, message, time.monotonic() - began)
            raise
        now = self.progressed
        reason = "done" if now.step >= self.recipe.steps else "stopped"
        self.tell.end(now.step, reason, "", time.monotonic() - began)
        last = self.keeper.newest()
        return RunResult(now.step, reason, now.loss, now.tokens, last, now.summary)

    def prepare(self) -> None:
        """Model, stream and engine, before anything is learned."""
        recipe, parallel, device = self.recipe, self.recipe.parallel, self.ranks.device
        if parallel.threads and device.type == "cpu":
            torch.set_num_threads(parallel.threads)
        if device.type == "cuda" and parallel.dtype == "bfloat16":
            torch.set_float32_matmul_precision("high")  # what is left of float32 is rounded anyway
        model, self.processor = initial_model(recipe)
        self.start_mark = weights_fingerprint(recipe)
        self.config = model.config
        self.parameters = {**parameters(self.config), "trained": trained(model, recipe)}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)  # new adapters are the same on all ranks
            model = freeze(model, recipe.trains, recipe.lora).to(device).train()
        model.language_model.set_attn_implementation(parallel.attention)
        if parallel.checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
        if parallel.compile:
            for layer in model.get_decoder().layers:
                layer.compile()
        self.stream = open_stream(recipe, self.processor, self.counting)
        self.engine = make_backend(model, recipe, self.ranks)
        if recipe.eval.every or recipe.eval.at_end:
            self.cases = self.opened_cases()

    def restore(self, saved: Saved) -> None:
        """Go on from a checkpoint.

        Raises:
            CheckpointError: it is of another recipe, another start or another stream.
        """
        self.keeper.refuse_foreign(saved, self.start_mark)
        self.stream.load_state_dict(saved.state["stream"])
        self.guard.restore(saved.state["guard"])
        self.progressed = RunState.restored(saved.state["progressed"])
        self.engine.restore(read_pieces(saved), self.progressed.applied)

    def train_steps(self) -> None:
        """Step by step, with everything that is due between steps."""
        data = self.recipe.data
        batches = self.stream.batches(
            rank=self.ranks.rank,
            ranks=self.ranks.ranks,
            workers=data.workers,
            prefetch=data.prefetch,
            pin_memory=self.ranks.device.type == "cuda",
        )
        while self.progressed.step < self.recipe.steps and not self.stop:
            began = time.perf_counter()
            if time.monotonic() > self.until:
                self.asked = True  # all ranks stop after this step
            batch = next(batches)
            self.train_step(batch, began, time.perf_counter() - began)
            self.between_steps()

    def train_step(self, batch: Batch, began: float, wait_s: float) -> None:
        """One step, and its line in the log.

        Args:
            batch: of this rank.
            began: when it was asked for, `time.perf_counter`.
            wait_s: until it came.
        """
        recipe, now = self.recipe, self.progressed
        self.seed_step()
        image = self.config.image_token_id
        parts = list(micros(batch, recipe.parallel.micro_packs, image))
        facts = throughput_of(self.config, parts, recipe.frozen, adapted=recipe.lora.rank > 0)
        totals, told = totals_of(
            parts,
            recipe.parallel.chunk_tokens,
            self.ranks.ranks,
            [*as_row(facts), wait_s, len(batch.failures), self.asked, self.save_is_due()],
        )
        waits, lost, stop, due = told[:, FACTS:].unbind(1)
        self.stop, self.must_save = bool(stop.max()), bool(due[0])
        lr = recipe.optim.lr * lr_factor(now.step, recipe.steps, recipe.pace)
        outcome = optimizer_step(self.engine, parts, totals, lr=lr, fault_of=self.guard.fault)
        whole = summed(told[:, :FACTS].tolist())
        now.step += 1
        now.tokens += whole.tokens
        now.pages += whole.pages
        if not outcome.fault:
            now.applied += 1
            now.loss = outcome.loss
            for sums, (loss, _, count) in zip(
                now.level_sums, outcome.groups[: len(LEVELS)].tolist(), strict=True
            ):
                sums[0] += loss
                sums[1] += count
        window = self.stream.cursor.window
        self.tell.step(
            now.step,
            outcome,
            whole,
            seconds=time.perf_counter() - began,
            wait_s=float(waits.max()),
            lr=lr,
            window=window,
            shares=self.stream.schedule.shares(window),
            failures=self.failures(batch) if lost.sum() else (),
        )
        self.guard.record(outcome.fault, outcome.loss, outcome.norm, now.step, outcome.worst)

    def seed_step(self) -> None:
        """Make dropout a function of seed, step and rank: no generator has a state to be kept."""
        key = keyed_hash("train.step", self.recipe.seed, self.progressed.step, self.ranks.rank)
        torch.manual_seed(key >> 1)

    def failures(self, batch: Batch) -> list[str]:
        """Messages of the samples that were lost, on all ranks."""
        every: list[Any] = gathered(batch.failures, self.ranks)
        return [one for own in every for one in own]

    def between_steps(self) -> None:
        """Adaptation, evaluation and checkpoint, where they are due."""
        recipe, done = self.recipe, self.progressed.step >= self.recipe.steps
        self.metric = None
        if self.due(recipe.adapt.every):
            self.adapt()
        if (self.due(recipe.eval.every) and not self.stop) or (recipe.eval.at_end and done):
            self.evaluate()
        evaluated = self.metric is not None and recipe.checkpoint.keep_best > 0
        due = self.due(recipe.checkpoint.every) or self.must_save
        if due or evaluated or done or self.stop:
            self.save()

    def due(self, every: int) -> bool:
        """Whether something that is done every so many steps is due."""
        return every > 0 and self.progressed.step % every == 0

    def save_is_due(self) -> bool:
        """Whether so many seconds have passed; rank 0 decides."""
        every_s = self.recipe.checkpoint.every_s
        return every_s > 0 and time.monotonic() - self.saved_s > every_s

    def adapt(self) -> None:
        """Let the losses since the last time change the mixture of levels."""
        sums, adapt = self.progressed.level_sums, self.recipe.adapt
        losses = {
            Level(name): total / count
            for name, (total, count) in zip(LEVELS, sums, strict=True)
            if count
        }
        self.progressed.level_sums = [[0.0, 0.0] for _ in LEVELS]
        if not losses:  # no page with levels since, or no step that was taken
            return
        entry = self.stream.feed(
            losses, lead=adapt.lead, gain=adapt.gain, least=adapt.least, most_step=adapt.most_step
        )
        self.tell.adaptation(self.progressed.step, entry)

    def evaluate(self) -> None:
        """Read held-out pages with every level on them, each rank its share."""
        if not self.cases:
            return
        began, config, now = time.perf_counter(), self.recipe.eval, self.progressed
        self.tell.note(now.step, now.loss, "evaluating")
        answers: list[Any] = []
        failures = Failures(FAILURES_IN_A_ROW)
        with self.engine.whole() as (model, number, count):
            if model is not None:
                reader = ModelReader(model, self.processor)
                answers = answer_cases(reader, self.cases[number::count], config, failures=failures)
        self.engine.model.train()
        every: list[Any] = gathered(answers, self.ranks)
        unanswered: list[Any] = gathered(failures.failures, self.ranks)
        failed = [*self.unopened.failures, *chain(*unanswered)]
        summary = summarize([one for own in every for one in own], config, failed)
        now.summary = summary.to_dict()
        self.metric = value_of(now.summary, self.recipe.checkpoint.metric)
        path = self.folder / "evaluations" / f"step-{now.step:06d}.json"
        if self.ranks.first:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_evaluation(path, summary, [one for own in every for one in own], step=now.step)
        self.tell.evaluation(now.step, now.summary, path, time.perf_counter() - began)

    def opened_cases(self) -> list[Case]:
        """What is evaluated, before anything is learned; nothing where there are no pages.

        Raises:
            ConfigError: a corpus that is named for it is none, or plans do not fit.
        """
        config = self.recipe.eval
        corpora = config.data or tuple(
            one for one in self.recipe.data.corpora if Path(one).suffix not in SUFFIXES
        )
        if not corpora:
            return []
        every_level = replace(self.recipe.corruption, mixture=Mixture())
        schedule = Schedule(config=every_level)
        return open_cases(
            config, self.processor, corpora, schedule=schedule, failures=self.unopened
        )

    def save(self) -> None:
        """Write a checkpoint."""
        now = self.progressed
        state = {
            "recipe": to_tree(self.recipe),
            "start": self.start_mark,
            "stream": self.stream.state_dict(),
            "guard": self.guard.state(),
            "progressed": now.state(),
            "metric": self.metric,
        }
        self.keeper.save(now.step, state, self.engine, self.config, self.processor)
        self.saved_s = time.monotonic()


def make_backend(model: Any, recipe: Recipe, ranks: Ranks) -> Backend:
    """The way in which weights and gradients are held."""
    if recipe.parallel.engine == "deepspeed":
        from .backend.deepspeed import DeepSpeedBackend

        return DeepSpeedBackend(model, recipe, rank=ranks.rank, ranks=ranks.ranks)
    return TorchBackend(model, recipe, rank=ranks.rank, ranks=ranks.ranks)


def open_stream(recipe: Recipe, processor: Any, counting: Progress | None = None) -> PageStream:
    """The stream that a recipe learns from.

    Raises:
        ConfigError: it names no corpora.
    """
    data = recipe.data
    if not data.corpora:
        raise ConfigError("the recipe names no corpora: pass --data CORPUS, or set data.corpora")
    weights = data.weights or (1.0,) * len(data.corpora)
    return PageStream(
        dict(zip(data.corpora, weights, strict=True)),
        processor,
        seed=recipe.seed,
        schedule=Schedule(config=recipe.corruption),
        config=recipe.stream,
        split=data.split,
        names=data.names,
        pages=data.pages,
        cache=ShardCache(Path(data.cache), int(data.cache_gb * 1e9)) if data.cache else None,
        progress=counting,
    )


def check_fits(recipe: Recipe, ranks: int) -> None:
    """Refuse what cannot be shared out.

    Raises:
        ConfigError: the packs of a step cannot be shared by ranks and micro-batches.
    """
    packs, micro = recipe.stream.pack.global_packs, recipe.parallel.micro_packs
    if packs % (ranks * micro):
        raise ConfigError(
            f"stream.pack.global_packs is {packs}; it must be a multiple of {ranks} ranks times "
            f"parallel.micro_packs, which is {micro}"
        )
    if recipe.parallel.attention.startswith("flash") and micro > 1:
        raise ConfigError("with flash attention parallel.micro_packs is 1")


def trained(model: torch.nn.Module, recipe: Recipe) -> int:
    """Parameters of the parts that learn, adapters apart."""
    return sum(
        one.numel() for name, one in model.named_parameters() if part_of(name) in recipe.trains
    )


def value_of(summary: dict[str, Any], name: str) -> float | None:
    """A figure of a summary by its dotted name; None where it is missing."""
    found: Any = summary
    for part in name.lstrip("+").split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return float(found["value"]) if isinstance(found, dict) else None


@contextmanager
def stopping(run: Trainer) -> Iterator[None]:
    """SIGTERM and the first SIGINT end the run after its step, with a checkpoint.

    Several ranks end after the step that begins next: before it they agree, since a signal may
    reach them in different steps, or only one of them.
    """

    def ask(number: int, frame: object) -> None:
        if run.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        run.asked = True
        run.stop = run.stop or run.ranks.ranks == 1
        run.tell.note(run.progressed.step, run.progressed.loss, "stopping after this step")

    numbers = (signal.SIGTERM, signal.SIGINT)
    try:
        before = [signal.signal(number, ask) for number in numbers]
    except ValueError:  # not in the main thread, such as under Ray, which has signals of its own
        yield
        return
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
