"""The schema, as the steps that made it. A step is never edited: a change is appended as `m002_...(db)`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

TABLES = ("runs", "run_ends", "candidates", "leaderboard_rows", "held_out_openings")


def _only_grows(db: sqlite3.Connection, table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'the store only grows'); END"
        )


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
        _only_grows(db, table)


def m002_what_a_resumed_run_needs(db: sqlite3.Connection) -> None:
    """Candidates to the last bit, what each batch left behind, the choice, and that a run was taken up again."""
    added = {
        "batches": """CREATE TABLE batches (
            run TEXT NOT NULL REFERENCES runs(id), number INTEGER NOT NULL, elapsed REAL NOT NULL,
            candidates INTEGER NOT NULL, shares TEXT NOT NULL, won TEXT NOT NULL, front TEXT NOT NULL,
            PRIMARY KEY (run, number)) WITHOUT ROWID""",
        "choices": """CREATE TABLE choices (
            run TEXT PRIMARY KEY REFERENCES runs(id), made TEXT NOT NULL, search TEXT NOT NULL)""",
        "finalists": """CREATE TABLE finalists (
            run TEXT NOT NULL REFERENCES runs(id), place INTEGER NOT NULL, number INTEGER NOT NULL,
            validation TEXT NOT NULL, arrays BLOB, status TEXT NOT NULL, seconds REAL,
            PRIMARY KEY (run, place)) WITHOUT ROWID""",
        "resumptions": """CREATE TABLE resumptions (
            number INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs(id), resumed TEXT NOT NULL,
            candidates INTEGER NOT NULL)""",
    }
    db.execute("ALTER TABLE candidates ADD COLUMN arrays BLOB")
    db.execute("ALTER TABLE candidates ADD COLUMN bounds TEXT")
    for table, statement in added.items():
        db.execute(statement)
        _only_grows(db, table)


def m003_calls_of_language_models(db: sqlite3.Connection) -> None:
    added = {
        "language_model_texts": """CREATE TABLE language_model_texts (
            hash TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID""",
        "language_model_calls": """CREATE TABLE language_model_calls (
            run TEXT NOT NULL REFERENCES runs(id), proposer TEXT NOT NULL, number INTEGER NOT NULL,
            kind TEXT NOT NULL, asked INTEGER NOT NULL, answered INTEGER NOT NULL, masked INTEGER NOT NULL,
            request TEXT NOT NULL REFERENCES language_model_texts(hash),
            reply TEXT NOT NULL REFERENCES language_model_texts(hash),
            status INTEGER NOT NULL, answer_fault TEXT NOT NULL, retry_after_seconds REAL, seconds REAL NOT NULL,
            tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, dollars REAL, fault TEXT NOT NULL,
            laws TEXT NOT NULL, notes TEXT NOT NULL, PRIMARY KEY (run, proposer, number)) WITHOUT ROWID""",
    }
    for table, statement in added.items():
        db.execute(statement)
        _only_grows(db, table)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_runs_and_what_they_found,
    m002_what_a_resumed_run_needs,
    m003_calls_of_language_models,
)
