"""The main actions of the reform of 2025, from the convergence actions that the model carries out (indices.toml).

Nothing before the reform is in force. A main action of which the model has nothing has no row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.base.months import format_month
from konvergensi.inputs.indices import indices
from konvergensi.mechanisms import calendar

if TYPE_CHECKING:
    from konvergensi.world.state import World

Row = dict[str, Any]


def stage_rows(world: World) -> list[Row]:
    """Rows of the table `reform_stages` for the year of this month.

    Columns: year, stage, actions (that belong to it), actions_done, month of the last one done ("" for none), and the
    mean score and quality of those done, 0..1 (NaN for none).
    """
    if calendar.regime(world.settings, world.month) != "reform-2025":
        return []
    year = world.month // 12
    done = {action: each for action, each in world.coordination.carried_out if each.month // 12 == year}
    rows: list[Row] = []
    for stage in indices().reform.stage:
        if not stage.actions:
            continue
        found = [done[action] for action in stage.actions if action in done]
        rows.append(
            {
                "year": year,
                "stage": stage.id,
                "actions": len(stage.actions),
                "actions_done": len(found),
                "month": format_month(max(each.month for each in found)) if found else "",
                "score": float(np.mean([each.score for each in found])) if found else np.nan,
                "quality": float(np.mean([each.quality for each in found])) if found else np.nan,
            }
        )
    return rows
