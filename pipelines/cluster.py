"""The only `ray.init`: a Ray of our own on this machine, or a cluster that is there already."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray

from ..engine.errors import ConfigError

_OBJECT_STORE_BYTES = 200_000_000


@contextlib.contextmanager
def connected(address: str | None, workers: int, wheel: Path | None = None) -> Iterator[int]:
    """Start Ray here, or join the cluster at an address; yields the number of workers to use.

    Args:
        address: None for a Ray of our own; `auto` or `ray://HOST:PORT` for a cluster.
        workers: wanted; 0 for one a CPU.
        wheel: a wheel of this package for nodes that lack it.

    Raises:
        ConfigError: there is no cluster at the address.
    """
    ours = not ray.is_initialized()
    if ours:
        _init(address, workers, wheel)
    try:
        yield workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if ours:
            ray.shutdown()


def actors_of(kind: type[Any], *args: Any) -> Callable[[], Any]:
    """A function that starts one actor of a class, on one CPU, without Ray's own retries."""
    remote = ray.remote(kind).options(num_cpus=1, max_restarts=0, max_task_retries=0)
    shared = [ray.put(argument) for argument in args]
    return lambda: remote.remote(*shared)


def _init(address: str | None, workers: int, wheel: Path | None) -> None:
    options: dict[str, Any] = {
        "logging_level": logging.ERROR,
        "log_to_driver": False,
        "configure_logging": True,
    }
    if wheel is not None:
        options["runtime_env"] = {"py_modules": [str(wheel)]}
    if address is None:
        options |= {
            "address": "local",
            "num_cpus": workers or _usable_cpus(),
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
        }
    else:
        options["address"] = address
    try:
        ray.init(**options)
    except UnicodeEncodeError as err:  # Ray writes down the command line, and takes UTF-8 only
        raise ConfigError(
            "Ray takes no command line that is not UTF-8: write the names of the inputs into a "
            "file, one a line, and give @FILE in their place"
        ) from err
    except (ConnectionError, RuntimeError, ValueError) as err:
        raise ConfigError(
            f"no Ray cluster answers at {address or 'this machine'}: {err}. Leave --address away "
            "to run on this machine alone."
        ) from err


def _usable_cpus() -> int:
    """CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
