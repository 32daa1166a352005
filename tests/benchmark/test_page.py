"""The table of a benchmark: its numbers, its place among what people wrote, and the file that it is made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from discover.benchmark import arms_named, asks_models, read_figures, table, write_figures, write_page
from discover.benchmark.page import BEGIN, END
from discover.benchmark.published import PUBLISHED, TASKS
from discover.errors import DiscoverError


def figure(task: str, seed: int, r2: float, **changes: Any) -> dict[str, Any]:
    return {
        "task": task, "seed": seed, "budget": "120s", "workers": 2, "seconds": 96.0, "candidates": 1000,
        "formula": "E + A*N", "recipe": "log", "validation_r2": 0.9, "held_out_r2": r2, **changes,
    }  # fmt: skip


def row(text: str, name: str) -> list[str]:
    start = f"| {name} |" if name else "| |"
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_table_gives_mean_spread_and_range_over_seeds_and_means_over_tasks():
    text = table([figure("moe", 0, 0.6), figure("moe", 1, 0.8), figure("u_shape", 0, -7.0), figure("u_shape", 1, 0.2)])
    assert row(text, "") == ["moe", "u_shape", "mean"]
    assert row(text, "**discover, mean**") == ["0.7000", "-0.4000", "0.150"]  # -7 counts as -1
    assert row(text, "discover, sd") == ["0.1414", "0.8485", "0.495"]  # of the means over tasks: -0.2 and 0.5
    assert row(text, "discover, min") == ["0.6000", "-1.0000", "-0.200"]
    assert row(text, "discover, max") == ["0.8000", "0.2000", "0.500"]
    assert row(text, "discover, runs") == ["2", "2", "2"]
    assert row(text, "SLDAgent + GPT-5") == ["0.7730", "-0.3050", "0.234"]


def test_arms_have_rows_of_their_own_and_a_table_need_not_be_whole():
    text = table([figure("moe", 0, 0.6), figure("sft", 1, 0.9), figure("moe", 0, 0.5, arm="none")])
    assert row(text, "**discover, mean**") == ["0.9000", "0.6000", "0.750"]
    assert row(text, "discover, sd") == ["-", "-", "-"]
    assert row(text, "discover, min")[-1] == "-", "no seed has all tasks"
    assert row(text, "**discover, none, mean**") == ["-", "0.5000", "-"]


def test_tasks_of_ones_own_stand_after_the_embedded_ones_without_published_figures():
    text = table([figure("widgets", 0, 0.6), figure("moe", 0, 0.5)])
    assert row(text, "") == ["moe", "widgets", "mean"]
    assert row(text, "human, as published") == ["0.7030", "-", "-"]


def test_means_of_the_published_rows_are_the_published_means():
    means = {name: round(sum(values) / len(TASKS), 3) for name, values in PUBLISHED.items()}
    published = (0.517, 0.706, 0.748, 0.886, 0.914)
    assert list(means.values()) == pytest.approx(published, abs=0.0016)  # each figure is rounded to three digits


def test_sections_that_people_wrote_stay_as_they_are(tmp_path: Path):
    page = tmp_path / "README.md"
    page.write_text(f"# Title\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\n## After\n\ntext\n")
    write_page(page, [figure("moe", 0, 0.5)])
    write_page(page, [figure("moe", 0, 0.25)])
    text = page.read_text()
    assert text.startswith(f"# Title\n\nBefore.\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\n\n## After\n\ntext\n")
    assert "0.2500" in text
    assert "old" not in text
    assert "0.5000" not in text


def test_page_without_markers_gets_them_and_a_missing_one_is_made(tmp_path: Path):
    page, new = tmp_path / "README.md", tmp_path / "new" / "README.md"
    page.write_text("# Mine\n\nText.\n")
    for path in (page, new):
        write_page(path, [figure("moe", 0, 0.5)])
        assert path.read_text().count(BEGIN) == path.read_text().count(END) == 1
    assert page.read_text().startswith("# Mine\n\nText.\n\n")


@pytest.mark.parametrize("text", [BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_page_with_half_a_pair_of_markers_is_refused_and_kept(tmp_path: Path, text: str):
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(DiscoverError, match="once each"):
        write_page(page, [figure("moe", 0, 0.5)])
    assert page.read_text() == text


def test_figures_are_read_back(tmp_path: Path):
    assert read_figures(tmp_path / "seeds.json", "120s") == []
    given = [figure("moe", 0, 0.1 + 0.2)]
    write_figures(tmp_path / "seeds.json", given)
    assert read_figures(tmp_path / "seeds.json", "120s") == given


@pytest.mark.parametrize(
    ("text", "told"),
    [("[", "cannot be read"), ("{}", "expected runs"), ('[{"task": "moe"}]', "expected runs"),
     (json.dumps([figure("moe", 0, 0.5, budget="9s")]), "a budget of 9s, asked is 120s")],
)  # fmt: skip
def test_figures_that_do_not_fit_are_refused(tmp_path: Path, text: str, told: str):
    (tmp_path / "seeds.json").write_text(text)
    with pytest.raises(DiscoverError, match=told):
        read_figures(tmp_path / "seeds.json", "120s")


def test_arms_name_their_proposers():
    plain = ("families", "mutation", "recipe")
    assert arms_named("auto, none,operon,families+mutation,families,llm,families+llm,auto+llm", plain) == {
        "auto": "auto",
        "none": "families,mutation,recipe",
        "operon": "families,mutation,recipe,operon",
        "families+mutation": "families,mutation",
        "families": "families",
        "llm": "families,mutation,recipe",
        "families+llm": "families",
        "auto+llm": "auto",
    }
    assert [arm for arm in ("none", "llm", "families+llm", "operon") if asks_models(arm)] == ["llm", "families+llm"]


def test_committed_page_holds_the_committed_figures():
    from discover.benchmark.page import choices

    folder = Path(__file__).resolve().parents[2] / "results" / "benchmark"
    figures = json.loads((folder / "seeds.json").read_text())
    text = (folder / "README.md").read_text()
    assert table(figures) in text
    assert choices(figures) in text
