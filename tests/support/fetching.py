"""What a worker process of a test does: it must be importable where the test's module is not."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pagemill.engine.source.fetch import fetch
from pagemill.engine.source.listing import Source


def put_digests(sources: list[Source], scratch: Path, out: Any) -> None:
    """Fetch each source and put the hashes of their bytes into the queue."""
    digests = []
    for source in sources:
        with fetch(source, scratch=scratch) as fetched:
            digests.append(hashlib.sha256(fetched.path.read_bytes()).hexdigest())
    out.put(digests)
