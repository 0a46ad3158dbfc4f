"""Weights from and to other layouts, without holding two copies.

In reading order: `transfer` (import and export); `pack` (to hand on); the layouts `minicpm`, with
`minicpm_config`, and `siglip`; `conversion` (which tensor becomes which), `store` (folders),
`report`.
"""

from __future__ import annotations

from .pack import pack_model
from .report import Report
from .transfer import export_checkpoint, import_checkpoint

__all__ = ["Report", "export_checkpoint", "import_checkpoint", "pack_model"]
