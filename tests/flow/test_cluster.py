"""A lost machine costs time, not pages, and changes no byte."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from pagemill.engine.config import load
from pagemill.engine.store.place import Place
from pagemill.engine.verify.corpus import verify
from pagemill.pipelines.build.config import BuildConfig
from pagemill.pipelines.build.run import Machine, build
from ray.cluster_utils import Cluster

from ..support.papers import shelf

pytestmark = pytest.mark.ray
SMALL = ("shard.bytes=100000", "render.dpi=72", "shard.window=2")
TESTS = str(Path(__file__).parents[1] / "support")


def shards(out: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((out / "shards").iterdir())
    }


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    slow = json.dumps({str(page): "slow" for page in range(6)})
    monkeypatch.setenv("PAGEMILL_FAULT", "faults:inject")
    monkeypatch.setenv("PAGEMILL_FAULT_RULE", slow)
    monkeypatch.setenv("PYTHONPATH", TESTS)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.slow
def test_a_node_that_dies_half_way_changes_no_byte(tmp_path: Path, two_nodes: Cluster) -> None:
    dump = shelf(tmp_path / "dump", 18)
    config = load(BuildConfig, None, SMALL)
    second = two_nodes.add_node(num_cpus=1)
    two_nodes.wait_for_nodes()
    out = tmp_path / "out"
    killed = threading.Event()

    def kill() -> None:
        while len(list(out.glob(".work/parcels/*.parcel"))) < 5:
            time.sleep(0.05)
        two_nodes.remove_node(second, allow_graceful=False)
        killed.set()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    build([str(dump)], str(out), config, machine=Machine(workers=2, address=two_nodes.address))
    killer.join(timeout=5)
    assert killed.is_set(), "the build was over before the node died"
    assert verify(Place.at(str(out))) == []
    ray.shutdown()
    build([str(dump)], str(tmp_path / "calm"), config, machine=Machine(workers=2))
    assert shards(out) == shards(tmp_path / "calm")
