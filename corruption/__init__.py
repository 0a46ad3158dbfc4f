"""What makes text harder to read, and by how much. No torch, no Ray.

`plan_page` decides, from a page's words alone, which regions are corrupted, how far, and what the
target is; `corrupt` draws that on the page's image. In reading order: `level` (the four levels as
bands of error rate), `draw` (random numbers by name), `region` and `relevance` (which text),
`cover` (which pixels), `hit` (which characters), `operator` (how), `severity` (error-rate curves
inverted to parameters), `paper` (effects on whole pages), `schedule` (level mixture over
progress), `plan`, `apply`; `leak` checks that nothing of a masked text is left, and `ocr` holds
the engines that levels are measured with.
"""

from __future__ import annotations

from .apply import corrupt
from .level import Level
from .plan import CorruptionPlan, PlannedRegion, plan_page
from .schedule import CorruptionConfig, Mixture, Schedule, ScheduleEntry, adapt

__all__ = [
    "CorruptionConfig",
    "CorruptionPlan",
    "Level",
    "Mixture",
    "PlannedRegion",
    "Schedule",
    "ScheduleEntry",
    "adapt",
    "corrupt",
    "plan_page",
]
