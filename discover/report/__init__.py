"""Reports: one HTML page about the law that a run chose, with everything needed to doubt it.

In: a task, its leaderboard, the candidates of the run. Out: a page that needs no network, and its figures. Stays out:
every decision, and the held-out rows: scores on them are those that the leaderboard wrote down. Matplotlib is imported
in `drawing` alone, when a figure is made.
"""

from __future__ import annotations

from pathlib import Path

from discover.report.evidence import Evidence, chosen_row, gather, other_forms
from discover.report.page import page

__all__ = ["Evidence", "chosen_row", "gather", "html_of", "other_forms", "write_figures"]


def html_of(evidence: Evidence) -> str:
    """The page about `evidence`."""
    from discover.report.drawing import style, to_svg
    from discover.report.figures import draw

    with style() as new:
        return page(evidence, {name: to_svg(figure, name) for name, figure in draw(evidence, new).items()})


def write_figures(evidence: Evidence, folder: Path) -> tuple[Path, ...]:
    """Each figure as NAME.svg and NAME.png in `folder`, each file whole or not at all."""
    from discover.report.drawing import style, to_file
    from discover.report.figures import draw
    from discover.store import write_bytes

    written = []
    with style() as new:
        for name, figure in draw(evidence, new).items():
            for form in ("svg", "png"):
                path = folder / f"{name}.{form}"
                write_bytes(path, to_file(figure, form))
                written.append(path)
    return tuple(written)
