"""The schema, as the steps that made it. A step is never edited: a change is appended as `m002_...(db)`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

TABLES = ("runs", "run_ends", "candidates", "leaderboard_rows", "held_out_openings")


def m001_runs_and_what_they_found(db: sqlite3.Connection) -> None:
    for statement in (
        """CREATE TABLE runs (
            id TEXT PRIMARY KEY, task TEXT NOT NULL, folder TEXT NOT NULL, digest TEXT NOT NULL,
            seed INTEGER NOT NULL, budget TEXT NOT NULL, options TEXT NOT NULL, started TEXT NOT NULL,
            versions TEXT NOT NULL)""",
        """CREATE TABLE run_ends (
            run TEXT PRIMARY KEY REFERENCES runs(id), ended TEXT NOT NULL, status TEXT NOT NULL)""",
        """CREATE TABLE candidates (
            run TEXT NOT NULL REFERENCES runs(id), number INTEGER NOT NULL, formula TEXT NOT NULL,
            recipe TEXT NOT NULL, key TEXT NOT NULL, proposer TEXT NOT NULL, parents TEXT NOT NULL,
            complexity INTEGER, validation TEXT NOT NULL, status TEXT NOT NULL, seconds REAL,
            PRIMARY KEY (run, number)) WITHOUT ROWID""",
        """CREATE TABLE leaderboard_rows (
            run TEXT NOT NULL REFERENCES runs(id), position INTEGER NOT NULL, task TEXT NOT NULL,
            rank INTEGER, law TEXT NOT NULL, origin TEXT NOT NULL, formula TEXT NOT NULL,
            record TEXT NOT NULL, PRIMARY KEY (run, position)) WITHOUT ROWID""",
        "CREATE INDEX leaderboard_rows_by_law ON leaderboard_rows (law)",
        """CREATE TABLE held_out_openings (
            number INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs(id), opened TEXT NOT NULL,
            what TEXT NOT NULL)""",
    ):
        db.execute(statement)
    for table in TABLES:
        for verb in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the store only grows'); END"
            )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (m001_runs_and_what_they_found,)
