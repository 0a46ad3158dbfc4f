"""Poison for pages, injected inside the reader process through `PAGEMILL_FAULT=faults:inject`.

`PAGEMILL_FAULT_RULE` is either a share such as `0.05`, which poisons that share of all pages by
a hash of their keys and gives each one of the kinds below, or JSON `{page index: kind}`. A kind
that ends in `@mupdf` strikes on that backend only.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import time

KINDS = ("segfault", "loop", "memory", "exception")


def kind_of(key: str) -> str:
    """The poison of a page, or an empty string."""
    rule = os.environ["PAGEMILL_FAULT_RULE"]
    if rule.startswith("{"):
        return str(json.loads(rule).get(str(int(key.rpartition("_")[2])), ""))
    draw = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "little")
    if draw % 10_000 >= float(rule) * 10_000:
        return ""
    return KINDS[draw // 10_000 % len(KINDS)]


def inject(key: str, backend: str) -> None:
    kind, _, only = kind_of(key).partition("@")
    if only and only != backend:
        return
    if kind == "segfault":
        ctypes.string_at(0)
    elif kind == "loop":
        while True:
            time.sleep(0)
    elif kind == "memory":
        hoard = []
        while True:
            hoard.append(bytearray(64 << 20))
    elif kind == "exception":
        raise RuntimeError("poisoned page")
    elif kind.startswith("exception:"):
        raise RuntimeError(kind.partition(":")[2])
    elif kind.startswith("last words:"):
        os.write(2, kind.partition(":")[2].encode("utf-8", "surrogatepass") + b"\xff\n")
        os._exit(3)
    elif kind == "slow":
        time.sleep(0.2)
