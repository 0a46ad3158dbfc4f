"""The settings of one stage of a recipe: everything that decides a training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ...corruption import CorruptionConfig
from ...engine.errors import ConfigError
from ..evaluate import EvalConfig
from ..stream.config import StreamConfig

PARTS = ("tower", "connector", "language_model")
"""Parts of the model that a stage trains or freezes."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Where the weights come from."""

    preset: str = "nano"
    "Name of the sizes: nano, small, base or minicpm-v-4.5; unused where start is set."
    start: str = ""
    "Folder of a model to begin with; empty makes one with random weights."
    tokenizer: str = ""
    "Folder of the tokenizer of a new model; empty for the one in this package."
    scale_resolution: int = 0
    "Side of the square whose area a slice has, px; 0 as the processor has it, 448 for a new one."
    max_slice_nums: int = 0
    "Most slices of a page beside the thumbnail; 0 as the processor has it, 9 for a new one."


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is learned from."""

    corpora: tuple[str, ...] = ()
    "Folders or URIs of corpora, or JSONL and Parquet files of conversations."
    weights: tuple[float, ...] = ()
    "Share of samples from each; empty for equal shares."
    names: tuple[str, ...] = ()
    "Names that the order is drawn by, so that a moved corpus gives the same; empty for the paths."
    split: str = "train"
    "Split of the corpora."
    pages: int = 0
    "Pages of each corpus at most, chosen by the seed; 0 for all. A few are learned by heart."
    workers: int = 1
    "Processes of each rank that read, corrupt and cut; 0 does it in the rank itself."
    prefetch: int = 2
    "Batches that each worker keeps ready."
    cache: str = ""
    "Folder in which whole shards of remote corpora are kept; empty reads ranges."
    cache_gb: float = 64.0
    "Most that the cache holds, GB."

    def __post_init__(self) -> None:
        for name in ("weights", "names"):
            given = getattr(self, name)
            if given and len(given) != len(self.corpora):
                raise ConfigError(
                    f"data.{name} has {len(given)} entries, data.corpora {len(self.corpora)}: "
                    "give one each, or none"
                )
        check_least("data", self, workers=0, pages=0, prefetch=1)


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """AdamW, and how far it goes."""

    lr: float = 1e-3
    "Learning rate at its highest."
    tower: float = 1.0
    "Factor of the tower's learning rate."
    connector: float = 1.0
    "Factor of the connector's learning rate."
    language_model: float = 1.0
    "Factor of the language model's learning rate."
    layer_decay: float = 1.0
    "Factor from each layer to the one below it, within tower and language model."
    weight_decay: float = 0.1
    "Of matrices; norms, biases and embeddings have none."
    beta1: float = 0.9
    "Decay of the mean of gradients."
    beta2: float = 0.95
    "Decay of the mean of their squares."
    eps: float = 1e-8
    "Added to the root."
    clip: float = 1.0
    "Norm to which gradients are cut; 0 leaves them."

    def __post_init__(self) -> None:
        if not self.lr > 0 or not 0 < self.layer_decay <= 1 or self.clip < 0:
            raise ConfigError(
                f"optim.lr is {self.lr}, layer_decay {self.layer_decay}, clip {self.clip}: lr is "
                "above 0, layer_decay above 0 and at most 1, clip 0 or more"
            )
        check_least("optim", self, tower=0, connector=0, language_model=0)


@dataclass(frozen=True, kw_only=True)
class LrScheduleConfig:
    """The learning rate over the steps."""

    kind: str = "wsd"
    "`wsd`: warm up, hold, fall in a line; `cosine`: warm up, then half a cosine; `constant`."
    warmup: float = 0.01
    "Share of the steps over which it rises from 0."
    decay: float = 0.2
    "Share of the steps at the end over which `wsd` falls."
    final: float = 0.1
    "Share of the learning rate that is left at the end."

    def __post_init__(self) -> None:
        if self.kind not in ("wsd", "cosine", "constant"):
            raise ConfigError(
                f"lr_schedule.kind is {self.kind!r}; there are: wsd, cosine, constant"
            )
        shares = (self.warmup, self.decay, self.final)
        if not all(0 <= share <= 1 for share in shares) or self.warmup + self.decay > 1:
            raise ConfigError(
                f"lr_schedule.warmup, decay and final are {shares}: shares from 0 to "
                "1, the first two together at most 1"
            )


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """Low-rank adapters in place of the language model's own weights."""

    rank: int = 0
    "Rank of the adapters; 0 for none. 64 is the usual one for fine-tuning."
    alpha: float = 64.0
    "Scale: alpha over rank."
    dropout: float = 0.0
    "Share of inputs set to zero while training."


@dataclass(frozen=True, kw_only=True)
class ParallelConfig:
    """How a step is spread over memory and ranks."""

    renamed_keys: ClassVar[Mapping[str, str]] = {"engine": "backend"}
    backend: str = "torch"
    "`torch`: every rank holds everything; `deepspeed`: what `zero` says is shared out."
    zero: int = 0
    "ZeRO stage of DeepSpeed: 1 shares optimizer states, 2 gradients too, 3 parameters too."
    offload: str = ""
    "Where DeepSpeed keeps optimizer states: empty for the device, or cpu."
    micro_packs: int = 1
    "Packs that a rank learns from at once; the others of a step are accumulated."
    dtype: str = "float32"
    "Of the computation: float32 or bfloat16. Weights are kept in float32 either way."
    attention: str = "packed"
    "`packed` sees each sample of a pack alone; else a name that transformers knows."
    checkpointing: bool = False
    "Whether activations are computed again in the backward pass, which saves memory."
    compile: bool = False
    "Whether layers of the language model are compiled."
    chunk_tokens: int = 2048
    "Answer tokens whose logits exist at once."
    threads: int = 0
    "Threads of a rank on a CPU; 0 leaves the choice to torch."

    def __post_init__(self) -> None:
        if self.backend not in ("torch", "deepspeed"):
            raise ConfigError(f"parallel.backend is {self.backend!r}; there are: torch, deepspeed")
        if self.zero not in (0, 1, 2, 3) or (self.zero and self.backend != "deepspeed"):
            raise ConfigError(
                f"parallel.zero is {self.zero} with the backend {self.backend}: it goes from 0 to "
                '3, and above 0 it needs parallel.backend = "deepspeed"'
            )
        if self.offload not in ("", "cpu") or (self.offload and not self.zero):
            raise ConfigError(
                f"parallel.offload is {self.offload!r}: it is empty or cpu, and needs zero above 0"
            )
        if self.dtype not in ("float32", "bfloat16"):
            raise ConfigError(f"parallel.dtype is {self.dtype!r}; it is float32 or bfloat16")
        check_least("parallel", self, micro_packs=1, chunk_tokens=1, threads=0)


@dataclass(frozen=True, kw_only=True)
class GuardConfig:
    """When a step is not taken."""

    spike: float = 10.0
    """Times the median norm of the last gradients, and times optim.clip, above which a step is
    skipped; 0 for never."""
    jump: float = 3.0
    "Nats above the median of the last losses from which a step is skipped; 0 for never."
    window: int = 64
    "Steps whose norms and losses the medians are taken of."
    least: int = 16
    "Steps before the medians count."
    most_skips: int = 8
    "Skipped steps in a row that end the run."

    def __post_init__(self) -> None:
        check_least("guard", self, spike=0, jump=0, window=1, least=1, most_skips=1)


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """When the run is written down."""

    every: int = 500
    "Steps between checkpoints; 0 only at the end."
    every_s: float = 0.0
    "Seconds after which a checkpoint is written in any case; 0 for never."
    keep_last: int = 2
    "Newest checkpoints that are kept."
    keep_best: int = 1
    "Best checkpoints that are kept besides."
    metric: str = "levels.light.cer"
    "Figure of the evaluation that says what is best; the lowest, or the highest after a +."
    background: bool = True
    "Whether files are written while training goes on."

    def __post_init__(self) -> None:
        check_least("checkpoint", self, every=0, every_s=0, keep_last=1, keep_best=0)


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """Feedback of the losses to the levels of corruption."""

    every: int = 0
    "Steps between two adaptations; 0 for never."
    gain: float = 0.5
    "Power of the relative loss."
    least: float = 0.05
    "Share that no level falls below."
    most_step: float = 0.1
    "Most that a share changes at once."
    lead: int = 2
    "Windows of the stream between a decision and its effect."

    def __post_init__(self) -> None:
        check_least("adapt", self, every=0, lead=1)


@dataclass(frozen=True, kw_only=True)
class LogConfig:
    """What is told beside the log in the run's folder."""

    every: int = 1
    "Steps between lines of the log."
    tensorboard: bool = False
    "Whether figures also go to TensorBoard."
    wandb: str = ""
    "Project of Weights & Biases that figures also go to; empty for none."

    def __post_init__(self) -> None:
        check_least("log", self, every=1)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One stage, resolved."""

    renamed_keys: ClassVar[Mapping[str, str]] = {"pace": "lr_schedule"}
    name: str = "run"
    "Of the stage."
    seed: int = 0
    "Of new weights, order, tasks and corruption."
    steps: int = 1000
    "Steps of the optimizer."
    trains: tuple[str, ...] = PARTS
    "Parts of the model that learn; the others are frozen."
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    stream: StreamConfig = field(default_factory=StreamConfig)
    corruption: CorruptionConfig = field(default_factory=CorruptionConfig)
    adapt: AdaptConfig = field(default_factory=AdaptConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    lr_schedule: LrScheduleConfig = field(default_factory=LrScheduleConfig)
    lora: LoraConfig = field(default_factory=LoraConfig)
    parallel: ParallelConfig = field(default_factory=ParallelConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    log: LogConfig = field(default_factory=LogConfig)

    def __post_init__(self) -> None:
        unknown = [part for part in self.trains if part not in PARTS]
        if unknown or not self.trains:
            raise ConfigError(f"trains is {list(self.trains)}; parts are: {', '.join(PARTS)}")
        if self.steps < 1:
            raise ConfigError(f"steps is {self.steps}; it must be at least 1")
        if self.lora.rank and "language_model" not in self.trains:
            raise ConfigError("lora.rank is set, but language_model is not among trains")

    @property
    def frozen(self) -> tuple[str, ...]:
        """Parts that do not learn."""
        return tuple(part for part in PARTS if part not in self.trains)


def check_least(section: str, config: object, **least: float) -> None:
    """Refuse values below the least that each key may have.

    Raises:
        ConfigError: one is; it is named with its section.
    """
    for name, bound in least.items():
        value = getattr(config, name)
        if value < bound:
            raise ConfigError(f"{section}.{name} is {value}; it is at least {bound}")
