"""Size, speed and fidelity of image codecs on text pages, coloured pages and scans.

    python bench/codecs.py PDF_DIR [SCAN_DIR]

PDF_DIR holds born-digital PDFs, SCAN_DIR scans as PNG or JPEG. The default codec of
`engine/image.py` was chosen from this table.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from pagemill.engine.image import ImageConfig, decode, encode
from pagemill.engine.read.backend.registry import open_document
from record import Measure, save

MOST_PAGES = 80
MOST_SCAN_PIXELS = 6_000_000


def pages_of(folder: Path) -> dict[str, list[np.ndarray]]:
    kinds: dict[str, list[np.ndarray]] = {"text": [], "colour": []}
    for path in sorted(folder.rglob("*.pdf")):
        document = open_document("mupdf", path)
        for index in range(min(3, document.page_count)):
            image = document.render(index, dpi=144, colour="auto")
            kinds["text" if image.ndim == 2 else "colour"].append(image)
        document.close()
    return {kind: images[:MOST_PAGES] for kind, images in kinds.items()}


def scans_of(folder: Path) -> list[np.ndarray]:
    images = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
            image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if image is not None and image.size <= MOST_SCAN_PIXELS:
                images.append(image)
    return images[:MOST_PAGES]


def opencv(extension: str, *flags: int) -> Callable[[np.ndarray], bytes]:
    def encoder(image: np.ndarray) -> bytes:
        bgr = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        return bytes(cv2.imencode(extension, bgr, list(flags))[1])

    return encoder


def ours(min_psnr_db: float) -> Callable[[np.ndarray], bytes]:
    return lambda image: encode(image, ImageConfig(min_psnr_db=min_psnr_db))


CODECS: dict[str, Callable[[np.ndarray], bytes]] = {
    "ours, PNG at 40 dB": ours(40),
    "ours, PNG lossless": ours(100),
    "OpenCV PNG level 1": opencv(".png", cv2.IMWRITE_PNG_COMPRESSION, 1),
    "OpenCV PNG default": opencv(".png"),
    "JPEG 85": opencv(".jpg", cv2.IMWRITE_JPEG_QUALITY, 85),
    "JPEG 90": opencv(".jpg", cv2.IMWRITE_JPEG_QUALITY, 90),
    "WebP 80": opencv(".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
    "WebP 90": opencv(".webp", cv2.IMWRITE_WEBP_QUALITY, 90),
}


def psnr(image: np.ndarray, back: np.ndarray) -> float:
    if back.ndim != image.ndim:
        back = cv2.cvtColor(back, cv2.COLOR_RGB2GRAY)
    mse = float(((image.astype(np.float32) - back) ** 2).mean())
    return 99.0 if mse == 0 else 10 * float(np.log10(255**2 / mse))


def measure(kind: str, name: str, images: list[np.ndarray]) -> list[Measure]:
    encode_ms, decode_ms, kilobytes, fidelity = [], [], [], []
    for image in images:
        start = time.perf_counter()
        data = CODECS[name](image)
        middle = time.perf_counter()
        back = decode(data)
        encode_ms.append((middle - start) * 1e3)
        decode_ms.append((time.perf_counter() - middle) * 1e3)
        kilobytes.append(len(data) / 1e3)
        fidelity.append(psnr(image, back))
    print(
        f"{kind:7s} {name:20s} encode {statistics.mean(encode_ms):6.1f} ms  decode "
        f"{statistics.mean(decode_ms):5.1f} ms  {statistics.mean(kilobytes):7.1f} kB  "
        f"PSNR mean {statistics.mean(fidelity):5.1f} least {min(fidelity):5.1f} dB"
    )
    label = f"{kind}, {name}"
    return [
        Measure(f"{label}: encode", "ms", encode_ms),
        Measure(f"{label}: decode", "ms", decode_ms),
        Measure(f"{label}: size", "kB", kilobytes),
        Measure(f"{label}: PSNR", "dB", fidelity),
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("pdfs", type=Path)
    arguments.add_argument("scans", type=Path, nargs="?")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)
    kinds = pages_of(chosen.pdfs)
    if chosen.scans:
        kinds["scan"] = scans_of(chosen.scans)
    measures = [
        measure
        for kind, images in kinds.items()
        for name in CODECS
        for measure in measure_all(kind, name, images)
    ]
    counts = ", ".join(f"{len(images)} {kind}" for kind, images in kinds.items())
    save("codecs", "Image codecs", measures, notes=f"Pages at 144 dpi, one core: {counts}.")


def measure_all(kind: str, name: str, images: list[np.ndarray]) -> list[Measure]:
    return measure(kind, name, images) if images else []


if __name__ == "__main__":
    main()
