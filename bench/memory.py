"""Watches the memory of a running build: the largest reader process and the largest worker."""

from __future__ import annotations

import threading
import time

import psutil


class Memory(threading.Thread):
    """Watches the largest reader process and the largest Ray worker of a process tree."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root = psutil.Process(pid)
        self.readers: list[float] = []
        self.workers: list[float] = []

    def run(self) -> None:
        while self.root.is_running():
            reader = worker = 0.0
            for process in _tree(self.root):
                try:
                    line, rss = " ".join(process.cmdline()), process.memory_info().rss / 1e6
                except psutil.Error:
                    continue
                if "pagemill.engine.read.child" in line:
                    reader = max(reader, rss)
                elif "ray::" in line:
                    worker = max(worker, rss)
            self.readers.append(reader)
            self.workers.append(worker)
            time.sleep(0.5)


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return root.children(recursive=True)
    except psutil.Error:
        return []
