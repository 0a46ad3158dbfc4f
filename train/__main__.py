"""`torchrun -m pagemill.train RECIPE …` and DeepSpeed's launcher: the command in every process."""

from __future__ import annotations

import sys

from .launch import main

sys.exit(main())
