"""What the model costs: the processor, the tower, and how many tokens a video takes.

python bench/model.py CORPUS [--preset small] [--frames 60]

Each video variant runs in a process of its own, so that its peak memory is its own. On a machine
with a GPU everything but the processor runs there, in bfloat16.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from pagemill.engine.store.place import Place
from pagemill.model import PagemillForConditionalGeneration, PagemillImageProcessor, preset
from pages import read_pages
from PIL import Image
from record import Measure, save
from transformers import Siglip2VisionConfig, Siglip2VisionModel

A4_144_DPI = (1190, 1684)
VARIANTS = {
    "resampler, 6 frames a package": ("resampler3d", 6),
    "resampler, each frame alone (2D)": ("resampler3d", 1),
    "shuffle MLP, 256 tokens a frame": ("shuffle_mlp", 1),
}
MIXED_PX = [(448, 448), (200, 900), (120, 60), (640, 200), (1190, 1684), (320, 240), (90, 90)]
"""Sizes of a batch of unlike pictures: a stamp, a receipt, a banner, a page …"""


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", nargs="?")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--variant", choices=VARIANTS)
    arguments = parser.parse_args()
    if arguments.variant:
        print(json.dumps(video(arguments.variant, arguments.preset, arguments.frames)))
        return
    if not arguments.corpus:
        parser.error("name a corpus")
    rows = processor_rows(arguments.corpus, arguments.pages)
    rows += tower_rows(arguments.preset)
    rows += video_rows(arguments.preset, arguments.frames)
    for row in rows:
        print(f"{row.what:70} {np.median(row.values):12.4g} {row.unit}")
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "the CPU, two threads"
    save(
        "model" if not torch.cuda.is_available() else "model_gpu",
        "The model: processor, tower and video tokens",
        rows,
        notes=f"Preset {arguments.preset} on {where}; the processor on one core. Pages: real ones "
        "of the corpus, scaled to A4 at 144 dpi. Padded: transformers' own SigLIP 2 with the same "
        f"weights. Video: {arguments.frames} frames of 448 px; tower, connector and the language "
        "model's prefill, each variant in a process of its own, peak memory above that of the "
        "loaded model.",
    )


def processor_rows(corpus: str, most: int) -> list[Measure]:
    """Pages per second of one core, as floats and as bytes."""
    pages = []
    for image, _ in read_pages(Place.at(corpus)):
        pages.append(Image.fromarray(image).resize(A4_144_DPI, Image.Resampling.BICUBIC))
        if len(pages) == most:
            break
    processor = PagemillImageProcessor()
    rows = []
    for name, normalise, target in (("floats", True, ">= 40"), ("bytes", False, "")):
        rates = []
        for _ in range(3):
            start = time.perf_counter()
            for page in pages:
                processor(page, do_normalize=normalise)
            rates.append(len(pages) / (time.perf_counter() - start))
        rows.append(
            Measure(
                f"processor, A4 grey at 144 dpi, 9 slices, {name}", "pages/s", rates, target,
                headline=normalise,
            )
        )  # fmt: skip
    return rows


def tower_rows(name: str) -> list[Measure]:
    """The packed tower against the same weights on padded slices."""
    device, dtype = machine()
    config = preset(name).vision_config
    ours = PagemillForConditionalGeneration(preset(name)).vision.to(device, dtype).eval()
    theirs = padded_tower(ours, config).to(device, dtype).eval()
    rows = []
    for what, sizes in (("one A4 page", [A4_144_DPI]), ("7 unlike pictures", MIXED_PX)):
        batch = PagemillImageProcessor()(
            [Image.new("L", size, 200) for size in sizes], return_tensors="pt"
        )
        pixels = batch["pixel_values"].to(device, dtype)
        tgt = batch["tgt_sizes"]
        lengths = tgt.prod(1)
        mask = (torch.arange(pixels.shape[1]) < lengths[:, None]).to(device)
        packed = seconds(lambda p=pixels, t=tgt: ours(p, t))
        padded = seconds(lambda p=pixels, t=tgt, m=mask: theirs(p, m, t))
        waste = 1 - float(lengths.sum()) / mask.numel()
        rows += [
            Measure(f"tower packed, {what}", "ms", [1e3 * packed]),
            Measure(f"tower padded, {what}", "ms", [1e3 * padded]),
            Measure(f"padding in the padded tower, {what}", "%", [100 * waste]),
            Measure(f"tower: padded over packed, {what}", "x", [padded / packed], headline=True),
        ]
    return rows


def padded_tower(ours: torch.nn.Module, config: object) -> Siglip2VisionModel:
    """transformers' SigLIP 2 of the same sizes, on padded slices."""
    made = Siglip2VisionModel(
        Siglip2VisionConfig(
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            patch_size=config.patch_size,
            num_patches=config.position_side**2,
            vision_use_head=False,
        )
    )
    state = ours.state_dict()
    weight = state["embeddings.patch_embedding.weight"]
    state["embeddings.patch_embedding.weight"] = weight.permute(0, 2, 3, 1).flatten(1)
    names = made.state_dict()
    prefix = "vision_model." if any(one.startswith("vision_model.") for one in names) else ""
    missing, _ = made.load_state_dict(
        {f"{prefix}{one}": value for one, value in state.items()}, strict=False
    )
    if missing:
        raise RuntimeError(f"the padded tower lacks {missing}")
    return made


def video_rows(name: str, frames: int) -> list[Measure]:
    """Tokens, time and memory of each variant, and the ratios."""
    found = {}
    for variant in VARIANTS:
        done = subprocess.run(
            [sys.executable, Path(__file__).resolve(), "--variant", variant, "--preset", name,
             "--frames", str(frames)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found[variant] = json.loads(done.stdout.strip().splitlines()[-1])
    best = found["resampler, 6 frames a package"]
    rows = [Measure(f"video of {frames} frames: patches", "patches", [best["patches"]])]
    for variant, one in found.items():
        rows += [
            Measure(f"video, {variant}: tokens", "tokens", [one["tokens"]]),
            Measure(f"video, {variant}: connector", "ms", [1e3 * one["connector_s"]]),
            Measure(f"video, {variant}: prefill", "ms", [1e3 * one["prefill_s"]]),
            Measure(f"video, {variant}: tower to first token", "ms", [1e3 * one["total_s"]]),
            Measure(f"video, {variant}: peak memory", "MB", [one["peak_mb"]]),
        ]
    rows.append(
        Measure("patches over tokens, 6 frames a package", "x",
                [best["patches"] / best["tokens"]], ">= 96", headline=True)
    )  # fmt: skip
    for variant, one in list(found.items())[1:]:
        for what in ("tokens", "prefill_s", "total_s", "peak_mb"):
            if not best[what]:  # so few frames raise no peak above that of the first call
                continue
            named = {"prefill_s": "prefill", "total_s": "time", "peak_mb": "memory"}.get(what, what)
            ratio = one[what] / best[what]
            rows.append(Measure(f"{variant}: {named} over 6 frames a package", "x", [ratio]))
    return rows


@torch.no_grad()
def video(variant: str, name: str, frames: int) -> dict[str, float]:
    """One variant in this process."""
    connector, packing = VARIANTS[variant]
    device, dtype = machine()
    config = preset(name, connector=connector)
    torch.manual_seed(0)
    model = PagemillForConditionalGeneration(config).to(device, dtype).eval()
    side = 448 // config.vision_config.patch_size
    width = 3 * config.vision_config.patch_size**2
    pixels = torch.randint(0, 256, (frames, side * side, width), dtype=torch.uint8)
    sizes = torch.full((frames, 2), side)
    times = [
        list(range(start, min(start + packing, frames))) for start in range(0, frames, packing)
    ]
    model(torch.tensor([[5]], device=device))
    before = peak_mb()
    start = now()
    parts = [model.vision(pixels[at : at + 6].to(device), sizes[at : at + 6]) for at in
             range(0, frames, 6)]  # fmt: skip
    packed = parts[0]._replace(
        features=torch.cat([part.features for part in parts]),
        sizes=[size for part in parts for size in part.sizes],
    )
    seen = now()
    features = model.connect(packed, times)
    joined = now()
    ids = torch.full((1, len(features.tokens)), config.image_token_id, device=device)
    model(ids, image_features=features, logits_to_keep=1)
    end = now()
    return {
        "patches": frames * side * side,
        "tokens": len(features.tokens),
        "connector_s": joined - seen,
        "prefill_s": end - joined,
        "total_s": end - start,
        "peak_mb": peak_mb() - before,
    }


def machine() -> tuple[str, torch.dtype]:
    """Where to run, and in which type."""
    return ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)


def seconds(call: Callable[[], object], runs: int = 5) -> float:
    """The least time of several runs after one to warm up."""
    taken = []
    with torch.no_grad():
        call()
        for _ in range(runs):
            start = now()
            call()
            taken.append(now() - start)
    return min(taken)


def now() -> float:
    """Seconds, with the device's work done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def peak_mb() -> float:
    """Peak memory so far: of the device, or of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
