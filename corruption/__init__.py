"""What makes text harder to read, and by how much. No torch, no Ray.

A page's words and a schedule go in; `plan_page` gives a `CorruptionPlan`, which regions are
corrupted, how far, and what the target is; `corrupt` draws it on the page's image. In reading
order:

- `level`       the four levels as bands of error rate
- `region`      which text is chosen; `relevance`: what stands near figures or can be inferred
- `cover`       which pixels a region may change, and how far a mask reaches
- `assignment`  level, operator and severity of each region
- `strike`      which characters of a moderate region are made unreadable
- `operator/`   ways to make text harder to read, and masks
- `severity`    curves of error rate, inverted to severities
- `effect/`     effects on whole pages
- `schedule`    all settings, and the mixture of levels over training progress
- `plan`        a page's plan, from all of these
- `apply`       the plan drawn on the image
- `leak`        whether anything of a masked text is left
- `ocr/`        the OCR engines that levels are measured with
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
