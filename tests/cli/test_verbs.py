"""Each verb on a small task: what is printed, what is written, and what programs read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from discover.store import Store
from discover.task import load_task

from .conftest import Command

ROW_KEYS = {
    "rank", "law", "origin", "formula", "parameters", "standard_errors", "complexity", "recipe", "status",
    "validation_r2", "held_out_r2", "held_out_r2_clipped", "held_out_r2_per_group", "nmse", "nmae",
    "proposer", "run", "seed", "budget", "chosen",
}  # fmt: skip


@pytest.fixture
def best(finished: Path) -> str:
    """The id of the best law of the finished run."""
    with Store(finished) as store:
        return str(store.rows()[0]["law"])


def test_tasks_are_listed_with_their_counts(discover: Command):
    result = discover("tasks")
    assert result.exit_code == 0
    assert "vocab_scaling" in result.stdout
    line = next(line for line in result.stdout.splitlines() if "parallel_scaling" in line)
    assert line.split()[1:3] == ["36", "12"]


def test_tasks_for_programs(discover: Command):
    listed = {task["name"]: task for task in json.loads(discover("tasks", "--json").stdout)}
    parallel = listed["parallel_scaling"]
    assert (parallel["training"], parallel["held_out"]) == (36, 12)
    assert parallel["inputs"] == ["num_params", "parallel_size"]
    assert parallel["targets"] == ["loss"]
    assert sorted(parallel["groups"]) == ["pile", "stack"]
    assert listed["vocab_scaling"]["groups"] == []


def test_broken_task_is_told_beside_the_others(discover: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tasks" / "broken").mkdir(parents=True)
    (tmp_path / "tasks" / "broken" / "task.toml").write_text("[task", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = discover("tasks")
    assert result.exit_code == 2
    assert "vocab_scaling" in result.stdout
    assert "task.toml" in result.stderr
    assert result.stderr.count("\n") == 1


def test_run_ranks_found_human_and_trivial_laws(finished: Path):
    with Store(finished) as store:
        rows, (run,) = store.rows(task="widgets_scaling"), store.runs()
        candidates, openings = store.candidates(run.id), store.openings()
    assert {row["origin"] for row in rows} == {"discovered", "human", "baseline"}
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert sum(row["chosen"] for row in rows) == 1
    assert (run.status, run.seed, run.budget, len(candidates)) == ("complete", 1, "48", 48)
    assert len(openings) == 1, "the held-out rows are opened once"


def test_run_writes_the_leaderboard_for_readers_and_programs(finished: Path):
    folder = finished.parent / "widgets_scaling"
    rows = json.loads((folder / "leaderboard.json").read_text())
    assert set(rows[0]) >= ROW_KEYS
    text = (folder / "leaderboard.md").read_text()
    assert all(row["law"] in text and row["formula"] in text for row in rows)
    with Store(finished) as store:
        assert [row["parameters"] for row in store.rows()] == [row["parameters"] for row in rows], "to the last bit"


def test_leaderboard_is_found_by_name_and_by_folder(discover: Command, finished: Path, widgets: Path, best: str):
    for task in ("widgets_scaling", widgets, f"{widgets}/"):
        result = discover("leaderboard", task, "--store", finished)
        assert result.exit_code == 0
        assert best in result.stdout


def test_leaderboard_for_programs_is_the_file(discover: Command, finished: Path):
    result = discover("leaderboard", "widgets_scaling", "--json", "--store", finished)
    written = json.loads((finished.parent / "widgets_scaling" / "leaderboard.json").read_text())
    assert json.loads(result.stdout) == written
    assert set(written[0]["parameters"]) == {"a: loss", "b: loss"}
    assert set(written[0]["held_out_r2_per_group"]) == {"a", "b"}


def test_leaderboard_needs_no_store_when_the_file_is_there(
    discover: Command, finished: Path, tmp_path: Path, best: str
):
    shutil.copytree(finished.parent / "widgets_scaling", tmp_path / "widgets_scaling")
    result = discover("leaderboard", "widgets_scaling", "--store", tmp_path / "runs.sqlite")
    assert best in result.stdout
    assert not (tmp_path / "runs.sqlite").exists()


def test_show_tells_formula_parameters_units_and_origin(discover: Command, finished: Path):
    result = discover("show", "widgets/1", "--store", finished)
    with Store(finished) as store:
        row = store.rows()[0]
    assert result.exit_code == 0
    assert row["formula"] in result.stdout
    assert "±" in result.stdout
    assert "nats" in result.stdout
    assert row["run"] in result.stdout
    shown = json.loads(discover("show", row["law"], "--json", "--store", finished).stdout)
    assert shown["parameters"] == row["parameters"]


def test_law_is_named_by_the_start_of_its_id(discover: Command, finished: Path, best: str):
    shown = discover("show", best[: len("widgets-") + 6], "--json", "--store", finished)
    assert json.loads(shown.stdout)["law"] == best


def test_fit_recovers_a_planted_law(discover: Command, widgets: Path):
    result = discover("fit", widgets, "E + A/N**alpha + B/D**beta", "--json")
    assert result.exit_code == 0
    row = json.loads(result.stdout)
    assert row["parameters"]["b: loss"]["alpha"] == pytest.approx(0.34, abs=0.01)
    assert row["parameters"]["a: loss"]["E"] == pytest.approx(1.7, abs=0.05)
    assert row["validation_r2"] > 0.99
    assert (row["rank"], row["law"], row["held_out_r2"]) == (None, None, None), "the held-out rows stay closed"
    assert set(row) >= {"origin", "formula", "complexity", "standard_errors", "held_out_r2_per_group"}


def test_fit_prints_parameters_with_units(discover: Command, widgets: Path):
    result = discover("fit", widgets, "E + A/N**alpha", "--loss", "log_huber weight=0.5")
    assert result.exit_code == 0
    assert "A [nats parameters^alpha]" in result.stdout
    assert "recipe: log_huber weight=0.5" in result.stdout


def test_fit_notes_names_that_are_no_inputs(discover: Command, tmp_path: Path):
    """`A/parms**a` is a law without inputs, and so is one that calls the target: both were fitted without a word."""
    rows = [f"{n},{1 + 9 / n}" for n in range(1, 13)]
    (tmp_path / "runs.csv").write_text("\n".join(["params,loss", *rows]) + "\n")
    assert discover("new", tmp_path / "runs.csv", "--output", tmp_path / "mine", "--yes").exit_code == 0
    told = discover("fit", tmp_path / "mine", "loss + A/parms").stderr
    assert "note: 'loss' is a parameter here, not the target" in told
    assert "note: 'parms' is a parameter here, not the input 'params'" in told
    assert "is a parameter here" not in discover("fit", tmp_path / "mine", "E + A/params**alpha").stderr


def test_fit_notes_parameters_above_the_cap(discover: Command, widgets: Path):
    result = discover("fit", widgets, "a + b/N + c/D + d/N**2 + e/D**2 + f/(N*D)")
    assert result.exit_code == 0
    assert "6 parameters per cell, the task's cap is 5" in result.stderr


@pytest.mark.parametrize(
    "form, sign",
    [("python", "def predict("), ("sympy", "sympy.Symbol"), ("latex", r"\["), ("json", '"cells"')],
)
def test_export_prints_or_writes(discover: Command, finished: Path, tmp_path: Path, best: str, form: str, sign: str):
    printed = discover("export", best, "--format", form, "--store", finished)
    assert printed.exit_code == 0
    assert sign in printed.stdout
    written = discover("export", best, "--format", form, "--output", tmp_path / "deep" / "law", "--store", finished)
    assert written.stdout == ""
    assert (tmp_path / "deep" / "law").read_text(encoding="utf-8") == printed.stdout


def test_leaderboard_tells_the_published_law_that_was_found_and_what_is_certain(discover: Command, finished: Path):
    rows = json.loads((finished.parent / "widgets_scaling" / "leaderboard.json").read_text())
    human = next(row for row in rows if row["name"] == "planted, refitted")
    assert human["known_as"]["text"] == "identical to chinchilla"
    assert {"positive", "falls with N", "falls with D"} <= {own["text"] for own in human["certificates"]}
    assert all(row["known_as"] for row in rows if row["origin"] == "discovered")
    assert all(row["certificates"] for row in rows)
    shown = discover("leaderboard", "widgets_scaling", "--store", finished).stdout
    assert "= chinchilla" in shown
    told = discover("show", human["law"], "--store", finished).stdout
    assert "known as: identical to chinchilla" in told
    assert "✓ falls with N" in told


def test_older_leaderboard_opens_and_is_labelled_on_demand(
    discover: Command, finished: Path, tmp_path: Path, widgets: Path
):
    rows = json.loads((finished.parent / "widgets_scaling" / "leaderboard.json").read_text())
    older = [{name: value for name, value in row.items() if name not in ("known_as", "certificates")} for row in rows]
    folder = tmp_path / "widgets_scaling"
    folder.mkdir()
    (folder / "leaderboard.json").write_text(json.dumps(older))
    store = tmp_path / "runs.sqlite"
    plain = discover("leaderboard", "widgets_scaling", "--store", store)
    assert plain.exit_code == 0
    assert "known as" not in plain.stdout
    assert discover("show", older[0]["law"], "--store", store).exit_code == 0
    lost = discover("leaderboard", "widgets_scaling", "--label", "--store", store)
    assert lost.exit_code == 2
    assert "its laws cannot be compared" in lost.stderr


def test_label_works_out_what_a_run_has_written(discover: Command, finished: Path):
    asked = ("leaderboard", "widgets_scaling", "--json", "--store", finished)
    assert json.loads(discover(*asked, "--label").stdout) == json.loads(discover(*asked).stdout)
    assert discover("leaderboard", "--label").exit_code == 2


def test_every_law_of_a_leaderboard_verifies(discover: Command, finished: Path):
    with Store(finished) as store:
        laws = [row["law"] for row in store.rows()]
    for law in laws:
        result = discover("verify", law, "--store", finished)
        assert result.exit_code == 0, result.output
        assert f"{law}: all" in result.stdout


def test_law_verifies_from_the_file_alone(
    discover: Command, finished: Path, widgets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(finished.parent / "widgets_scaling", tmp_path / "results" / "widgets_scaling")
    shutil.copytree(widgets, tmp_path / "tasks" / "widgets_scaling")
    monkeypatch.chdir(tmp_path)
    assert discover("verify", "widgets/1").exit_code == 0


@pytest.mark.parametrize("changed", ["held_out_r2", "parameters", "complexity"])
def test_tampered_row_does_not_verify(
    discover: Command,
    finished: Path,
    widgets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: str,
):
    shutil.copytree(widgets, tmp_path / "tasks" / "widgets_scaling")
    rows = json.loads((finished.parent / "widgets_scaling" / "leaderboard.json").read_text())
    if changed == "parameters":
        cell = rows[0]["parameters"]["a: loss"]
        name = next(iter(cell))
        cell[name] *= 1.001
    else:
        rows[0][changed] += 1 if changed == "complexity" else 1e-6
    (tmp_path / "results" / "widgets_scaling").mkdir(parents=True)
    (tmp_path / "results" / "widgets_scaling" / "leaderboard.json").write_text(json.dumps(rows))
    monkeypatch.chdir(tmp_path)
    result = discover("verify", rows[0]["law"])
    assert result.exit_code == 1
    assert "DIFFERS" in result.stdout
    assert "differs in" in result.stderr


def test_runs_are_listed(discover: Command, finished: Path):
    result = discover("runs", "--store", finished)
    assert "widgets_scaling" in result.stdout
    assert "complete" in result.stdout
    (run,) = json.loads(discover("runs", "widgets_scaling", "--json", "--store", finished).stdout)
    assert (run["seed"], run["budget"], run["candidates"], run["status"]) == (1, "48", 48, "complete")
    assert json.loads(discover("runs", "other", "--json", "--store", finished).stdout) == []


def test_run_is_shown_with_what_each_proposer_gave(discover: Command, finished: Path):
    with Store(finished) as store:
        (run,) = store.runs()
    shown = discover("runs", run.id[:20], "--store", finished).stdout
    for part in (run.id, "seed, budget: 1, 48", "starts from: nothing", "laws on the front", "status: complete"):
        assert part in shown
    told = json.loads(discover("runs", run.id, "--json", "--store", finished).stdout)
    assert (told["id"], told["resumptions"]) == (run.id, [])
    assert sorted(told["options"]["proposers"]) == sorted(gain["proposer"] for gain in told["proposers"])
    assert sum(gain["candidates"] for gain in told["proposers"]) == 48
    assert sum(gain["share"] for gain in told["proposers"]) == pytest.approx(1.0)
    assert [batch["candidates"] for batch in told["batches"]] == [16, 32, 48]
    assert sum(sum(batch["won"].values()) for batch in told["batches"]) == sum(g["won"] for g in told["proposers"])
    assert len(told["batches"][-1]["front"]) == sum(gain["on_front"] for gain in told["proposers"])


def test_run_tells_what_it_starts_from_and_who_proposed(discover: Command, widgets: Path, tmp_path: Path):
    store = tmp_path / "runs.sqlite"
    arguments = ("--budget", 16, "--workers", 1, "--proposers", "families,recipe", "--start-from", "human")
    result = discover("run", widgets, *arguments, "--store", store)
    assert result.exit_code == 0, result.output
    with Store(store) as opened:
        (run,) = opened.runs()
        first, *others = opened.candidates(run.id)
    assert run.options["proposers"] == ["human", "families", "recipe"]
    assert run.options["start_from"] == "human"
    assert (first.proposer, first.formula) == ("human", "E + A/N**alpha + B/D**beta")
    assert {c.proposer for c in others} <= {"families", "recipe"}
    assert "starts from: the human laws" in discover("runs", run.id, "--store", store).stdout
    assert "laws on the front" in result.stderr


def test_same_seed_and_budget_give_the_same_candidates(
    discover: Command, finished: Path, widgets: Path, tmp_path: Path
):
    again = tmp_path / "again.sqlite"
    assert discover("run", widgets, "--budget", "48", "--seed", "1", "--workers", "1", "--store", again).exit_code == 0

    def found(path: Path) -> tuple[list[tuple[str, str, str]], list[str]]:
        with Store(path) as store:
            run = store.runs()[0].id
            return [(c.formula, c.recipe, repr(c.validation)) for c in store.candidates(run)], [
                r["law"] for r in store.rows()
            ]

    assert found(again) == found(finished)


def test_stored_predictions_are_those_of_the_exported_module(
    discover: Command, finished: Path, widgets: Path, tmp_path: Path
):
    from discover.scoring.held_out import open_held_out
    from tests.exporters.reading import module_of

    held_out = open_held_out(load_task(widgets))
    with Store(finished) as store:
        rows = store.rows()
    for row in rows:
        law = row["law"]
        module = module_of(discover("export", law, "--store", finished).stdout, tmp_path)
        columns = dict(zip(held_out.input_names, held_out.inputs.T, strict=True))
        names = [
            name
            for name in held_out.input_names
            if name in module.predict.__code__.co_varnames[: module.predict.__code__.co_argcount]
        ]
        found = np.array(
            [
                module.predict(*(columns[name][i] for name in names), group=held_out.cells[cell].group)
                for i, cell in enumerate(held_out.cell)
            ]
        )
        assert found == pytest.approx(np.array(row["predictions"]), rel=1e-9, abs=0.0)


def test_rows_that_are_set_aside_are_named_by_all_who_fit(discover: Command, widgets: Path, tmp_path: Path):
    folder = tmp_path / "spoiled"
    shutil.copytree(widgets, folder)
    lines = (folder / "points.csv").read_text().splitlines()
    row = lines[8].split(",")
    lines[8] = ",".join([*row[:3], f"{float(row[3]) * 1.5:.4f}"])
    (folder / "points.csv").write_text("\n".join(lines) + "\n")
    formula = "E + A/N**alpha + B/D**beta"
    verbs = (
        ("run", folder, "--budget", "16", "--workers", "1", "--store", tmp_path / "runs.sqlite"),
        ("fit", folder, formula),
        ("certify", formula, "--task", folder),
    )
    for verb in verbs:
        assert "set aside, since nothing smooth comes near: line 9 of the table" in discover(*verb).stderr
    store = ("--store", tmp_path / "runs.sqlite")
    rows = json.loads(discover("leaderboard", folder, "--json", *store).stdout)
    assert [row["set_aside"] for row in rows] == [[9]] * len(rows)
    assert json.loads(discover("fit", folder, formula, "--json").stdout)["set_aside"] == [9]
    assert "line 9 of the table" in discover("show", rows[0]["law"], *store).stdout.replace("\n", " ")
    assert (
        "nothing smooth comes near: line 9 of the table"
        in (tmp_path / "widgets_scaling" / "leaderboard.md").read_text()
    )
    toml = folder / "task.toml"
    toml.write_text(toml.read_text().replace("[data]", "keep_outliers = true\n[data]"))
    for verb in verbs:
        told = discover(*verb)
        assert told.exit_code == 0
        assert "set aside" not in told.stderr
