"""A training run: from a recipe and a folder to checkpoints, a log and evaluations.

    Trainer(recipe, Path("runs/demo")).train(resume=True)

`train` → `train_steps` → `train_step` → `step.optimizer_step`, and `between_steps` what is due
there: `adapt`, `evaluate`, `save`. All that a run needs to go on is in its checkpoints.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch

from ..corruption import Level
from ..engine.config import to_tree
from ..engine.key import keyed_hash
from ..engine.progress import Progress
from ..model.cost.size import parameters
from .checkpoint.compatible import check_same_run
from .checkpoint.format import Checkpoint
from .checkpoint.reader import read_pieces
from .checkpoint.retention import CheckpointRetention
from .guard import Guard
from .initial import initial_model, weights_fingerprint
from .log.run_log import OnStep, RunLog, StepRecord
from .log.throughput import FIGURES, Throughput, as_row, summed, throughput_of
from .lr import lr_factor
from .micro_batch import MicroBatch, StepTotals, micro_batches
from .ranks import Ranks, gather_lists, single_process
from .recipe import Recipe
from .setup import check_fits, open_backend, open_stream, set_precision, trainable_model
from .signals import stop_on_signals
from .state import RunResult, RunState
from .step import exchange_totals, optimizer_step
from .stream.collate import Batch
from .trainable import count_parameters
from .validate import Validator, metric_value, write_answers


class Trainer:
    """One stage of a recipe.

    Args:
        recipe: of the stage.
        folder: of the run; all ranks must see the same.
        ranks: this process among those of the run; one process, on a GPU if there is one.
        on_step: called on rank 0 after every step.
        on_count: called while pages' tokens are counted, the first time a corpus is used.
        deadline: when it stops as if asked to, `time.monotonic`.

    Raises:
        ConfigError: the recipe does not fit the ranks.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        ranks: Ranks | None = None,
        *,
        on_step: OnStep | None = None,
        on_count: Progress | None = None,
        deadline: float = math.inf,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.ranks = ranks or single_process()
        check_fits(recipe, self.ranks.ranks)
        self.on_count = on_count if self.ranks.first else None
        self.deadline = deadline
        self.state = RunState()
        self.guard = Guard(recipe.guard, recipe.optim.clip)
        self.log = RunLog(folder, recipe, self.ranks, on_step)
        self.checkpoints = CheckpointRetention(folder, recipe, self.ranks, self.log.checkpoint)
        self.metric: float | None = None
        """Of an evaluation after the last step."""
        self.stop_requested = False
        """Whether this rank is asked to stop."""
        self.stop = False
        """Whether all ranks stop after this step."""
        self.save_due = False
        """Whether all ranks write a checkpoint after this step, by the clock."""
        self.saved_s = time.monotonic()

    def train(self, *, resume: bool = False) -> RunResult:
        """Learn until the last step, or until a signal asks to stop.

        Args:
            resume: go on from the newest complete checkpoint, if there is one.

        Raises:
            CheckpointError: the folder has a run that is not to be resumed, or another one.
            TrainingError: too many steps or samples in a row were lost.
        """
        began = time.monotonic()
        checkpoint = self.checkpoints.find(resume=resume)
        self.prepare()
        if checkpoint is not None:
            self.restore(checkpoint)
        self.log.start(self.state.step, self.parameters, resumed=checkpoint is not None)
        try:
            with stop_on_signals(self.request_stop):
                self.train_steps()
                self.checkpoints.wait()
        except BaseException as err:
            reason = "stopped" if isinstance(err, KeyboardInterrupt) else "failed"
            message = f"{type(err).__name__}: {err}"
            self.log.end(self.state.step, reason, message, time.monotonic() - began)
            raise
        state = self.state
        reason = "done" if state.step >= self.recipe.steps else "stopped"
        self.log.end(state.step, reason, "", time.monotonic() - began)
        newest = self.checkpoints.newest()
        return RunResult(state.step, reason, state.loss, state.tokens, newest, state.summary)

    def prepare(self) -> None:
        """Model, stream and backend, before anything is learned."""
        recipe = self.recipe
        set_precision(recipe, self.ranks.device)
        model, self.processor = initial_model(recipe)
        self.initial_weights = weights_fingerprint(recipe)
        self.config = model.config
        trained = count_parameters(model, recipe.trains)
        self.parameters = {**parameters(self.config), "trained": trained}
        model = trainable_model(model, recipe, self.ranks.device)
        self.stream = open_stream(recipe, self.processor, self.on_count)
        self.backend = open_backend(model, recipe, self.ranks)
        self.validator = Validator(recipe, self.processor)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint.

        Raises:
            CheckpointError: it is of another recipe, another start or another stream.
        """
        check_same_run(checkpoint, self.recipe, self.initial_weights)
        self.stream.load_state_dict(checkpoint.state["stream"])
        self.guard.load_state_dict(checkpoint.state["guard"])
        self.state = RunState.from_dict(checkpoint.state["progressed"])
        self.backend.restore(read_pieces(checkpoint), self.state.applied)

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
        while self.state.step < self.recipe.steps and not self.stop:
            began = time.perf_counter()
            if time.monotonic() > self.deadline:
                self.stop_requested = True  # all ranks stop after this step
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
        recipe, state = self.recipe, self.state
        self.seed_step()
        parts = list(micro_batches(batch, recipe.parallel.micro_packs, self.config.image_token_id))
        totals, throughput, longest_wait_s, any_lost = self.exchange(parts, batch, wait_s)
        lr = recipe.optim.lr * lr_factor(state.step, recipe.steps, recipe.lr_schedule)
        result = optimizer_step(self.backend, parts, totals, lr=lr, fault_of=self.guard.fault)
        state.add_step(result, throughput)
        window = self.stream.cursor.window
        self.log.step(
            StepRecord(
                step=state.step,
                result=result,
                throughput=throughput,
                seconds=time.perf_counter() - began,
                wait_s=longest_wait_s,
                lr=lr,
                window=window,
                shares=self.stream.schedule.shares(window),
                failures=gather_lists(batch.failures, self.ranks) if any_lost else (),
            )
        )
        self.guard.record(
            result.fault, result.loss, result.grad_norm, state.step, result.worst_samples
        )

    def seed_step(self) -> None:
        """Make dropout a function of seed, step and rank: no generator has a state to be kept."""
        key = keyed_hash("train.step", self.recipe.seed, self.state.step, self.ranks.rank)
        torch.manual_seed(key >> 1)

    def exchange(
        self, parts: list[MicroBatch], batch: Batch, wait_s: float
    ) -> tuple[StepTotals, Throughput, float, bool]:
        """What all ranks must know before a step; sets `stop` and `save_due` alike on all.

        Returns:
            Totals and throughput of all ranks, the longest wait for a batch, s, and whether any
            rank lost samples.
        """
        recipe = self.recipe
        local = throughput_of(self.config, parts, recipe.frozen, adapted=recipe.lora.rank > 0)
        totals, gathered = exchange_totals(
            parts,
            recipe.parallel.chunk_tokens,
            self.ranks.ranks,
            [*as_row(local), wait_s, len(batch.failures), self.stop_requested, self.clock_is_due()],
        )
        waits, lost, stop_requested, save_due = gathered[:, FIGURES:].unbind(1)
        self.stop, self.save_due = bool(stop_requested.max()), bool(save_due[0])
        throughput = summed(gathered[:, :FIGURES].tolist())
        return totals, throughput, float(waits.max()), bool(lost.sum())

    def clock_is_due(self) -> bool:
        """Whether a checkpoint is due by the clock of this rank; that of rank 0 decides."""
        every_s = self.recipe.checkpoint.every_s
        return every_s > 0 and time.monotonic() - self.saved_s > every_s

    def request_stop(self) -> bool:
        """Ask to stop after a step; whether that was asked for before.

        Several ranks end after the step that begins next: before it they agree, since a signal
        may reach them in different steps, or only one of them.
        """
        requested_before = self.stop_requested
        self.stop_requested = True
        self.stop = self.stop or self.ranks.ranks == 1
        self.log.note(self.state.step, self.state.loss, "stopping after this step")
        return requested_before

    def between_steps(self) -> None:
        """Adaptation, evaluation and checkpoint, where they are due."""
        recipe, done = self.recipe, self.state.step >= self.recipe.steps
        self.metric = None
        if self.is_due(recipe.adapt.every):
            self.adapt()
        if (self.is_due(recipe.eval.every) and not self.stop) or (recipe.eval.at_end and done):
            self.evaluate()
        may_be_best = self.metric is not None and recipe.checkpoint.keep_best > 0
        due = self.is_due(recipe.checkpoint.every) or self.save_due
        if due or may_be_best or done or self.stop:
            self.save()

    def is_due(self, every: int) -> bool:
        """Whether something that is done every so many steps is due."""
        return every > 0 and self.state.step % every == 0

    def adapt(self) -> None:
        """Let the losses since the last time change the mixture of levels."""
        adapt = self.recipe.adapt
        losses = self.state.take_level_losses()
        if not losses:  # no page with levels since, or no step that was taken
            return
        entry = self.stream.feed(
            {Level(name): loss for name, loss in losses.items()},
            lead=adapt.lead,
            gain=adapt.gain,
            least=adapt.least,
            most_step=adapt.most_step,
        )
        self.log.adaptation(self.state.step, entry)

    def evaluate(self) -> None:
        """Read held-out pages with every level on them, each rank its share."""
        if not self.validator.cases:
            return
        began, state = time.perf_counter(), self.state
        self.log.note(state.step, state.loss, "evaluating")
        summary, answers = self.validator.evaluate(self.backend, self.ranks)
        state.summary = summary.to_dict()
        self.metric = metric_value(state.summary, self.recipe.checkpoint.metric)
        path = write_answers(self.folder, summary, answers, state.step, self.ranks)
        self.log.evaluation(state.step, state.summary, path, time.perf_counter() - began)

    def save(self) -> None:
        """Write a checkpoint."""
        state = {
            "recipe": to_tree(self.recipe),
            "start": self.initial_weights,
            "stream": self.stream.state_dict(),
            "guard": self.guard.state_dict(),
            "progressed": self.state.to_dict(),
            "metric": self.metric,
        }
        self.checkpoints.save(self.state.step, state, self.backend, self.config, self.processor)
        self.saved_s = time.monotonic()
