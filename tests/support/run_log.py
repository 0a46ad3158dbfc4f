"""Folders of training runs, written without training."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
from pagemill.train.log.journal import Journal

LEVELS = ("clean", "light", "moderate", "heavy")


def step(number: int, **values: Any) -> dict[str, Any]:
    loss = 4.0 / (1 + number / 50)
    figures = {"loss": loss, "accuracy": 1 - loss / 5, "tokens": 500}
    row = {
        "step": number, "seconds": 0.5, "loss": loss, "accuracy": 1 - loss / 5, "grad_norm": 1.0,
        "lr": 1e-3, "levels": dict.fromkeys(LEVELS, figures), "tasks": {"read": figures},
        "tokens": 4000, "answer_tokens": 2000, "pages": 8, "slices": 40, "padding": 0.03,
        "wait": 0.01, "tokens_per_s": 8000.0, "pages_per_s": 16.0, "flops": 1e12, "mfu": 0.41,
        "memory_bytes": 5_000_000_000, "window": 0, "shares": [0.4, 0.3, 0.2, 0.1], "skipped": "",
        "failures": [],
    }  # fmt: skip
    return {**row, **values}


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value * 0.9, "high": value * 1.1, "n": 50}


def summary(cer: float) -> dict[str, Any]:
    figures = {"cer": cer, "wer": 1.5 * cer, "exact": 1 - cer, "blind_exact": 0.03}
    return {
        "cases": 200,
        "levels": {level: {k: estimate(v) for k, v in figures.items()} for level in LEVELS},
        "pages": {"clean": {"cer": estimate(cer)}},
    }


def crop() -> str:
    image = np.full((24, 120), 255, np.uint8)
    cv2.putText(image, "deckle", (4, 18), 0, 0.6, 0, 1)
    return base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()


def sample(**values: Any) -> dict[str, Any]:
    row = {
        "key": "ab_00001", "box": [0, 0, 9, 9], "level": "light", "kind": "line",
        "target": "deckle edge", "read": "deckel edge", "blind": "", "cer": 0.18, "exact": False,
        "crop": crop(),
    }  # fmt: skip
    return {**row, **values}


def write_run(folder: Path, rows: list[tuple[str, dict[str, Any]]], **start: Any) -> Path:
    """A run's folder with a recipe and a log of these lines."""
    with Journal(folder / "log.jsonl") as journal:
        journal.write("start", step=0, recipe="small", stage="read", steps=100, **start)
        for kind, row in rows:
            journal.write(kind, **row)  # type: ignore[arg-type]
    (folder / "recipe.toml").write_text('name = "read"\nsteps = 100\n', encoding="utf-8")
    return folder


def with_samples(folder: Path, samples: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """An evaluation after step 10 with this file."""
    (folder / "evaluations").mkdir(parents=True, exist_ok=True)
    name = "evaluations/step-000010.json"
    (folder / name).write_bytes(orjson.dumps({"step": 10, "samples": samples}))
    return "eval", {"step": 10, "seconds": 2.0, "metrics": summary(0.2), "file": name}


def steps(count: int, change: Callable[[int], dict[str, Any]] = lambda _: {}) -> list[Any]:
    return [("step", step(number, **change(number))) for number in range(1, count + 1)]
