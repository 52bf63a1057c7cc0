"""The tables of a gradebook, and opening the file that holds them."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

FORMAT = "1"
WAIT_SECONDS = 30  # for another process that writes at this moment
TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE students (student TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE submissions (
    exercise TEXT NOT NULL, sha256 TEXT NOT NULL, reason TEXT NOT NULL,
    answers TEXT NOT NULL, problems TEXT NOT NULL,
    PRIMARY KEY (exercise, sha256));
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, exercise TEXT NOT NULL, student TEXT NOT NULL, sha256 TEXT NOT NULL,
    path TEXT NOT NULL, submitted REAL,
    UNIQUE (exercise, student, sha256),
    FOREIGN KEY (exercise, sha256) REFERENCES submissions (exercise, sha256));
CREATE TABLE grades (
    id INTEGER PRIMARY KEY, attempt INTEGER NOT NULL REFERENCES attempts (id),
    version TEXT NOT NULL, seed INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    kernel TEXT NOT NULL, sandboxed INTEGER NOT NULL, suspicions TEXT NOT NULL, versions TEXT NOT NULL,
    graded_at REAL NOT NULL, seconds REAL NOT NULL, cpu_seconds REAL NOT NULL,
    UNIQUE (attempt, version, seed, sandboxed));
CREATE TABLE checks (
    grade INTEGER NOT NULL REFERENCES grades (id), place INTEGER NOT NULL, id TEXT NOT NULL,
    task TEXT NOT NULL, kind TEXT NOT NULL, points INTEGER NOT NULL, earned INTEGER NOT NULL,
    message TEXT NOT NULL, PRIMARY KEY (grade, id));
CREATE TABLE expected (
    version TEXT NOT NULL, seed INTEGER NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY (version, seed));
CREATE TABLE manual (
    exercise TEXT NOT NULL, student TEXT NOT NULL, item TEXT NOT NULL, points REAL NOT NULL,
    comment TEXT NOT NULL, PRIMARY KEY (exercise, student, item));
CREATE TABLE policies (exercise TEXT PRIMARY KEY, settings TEXT NOT NULL);
"""


class GradebookError(RuntimeError):
    """A gradebook that cannot be used as asked; the message says what to do."""


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open a gradebook's file. Raises GradebookError if it is missing (unless create) or is none."""
    if not create and not path.is_file():
        raise GradebookError(f"There is no gradebook {path}: `course grade EXERCISE SUBMISSIONS` makes one.")
    try:
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise GradebookError(f"{path} cannot be opened ({error}): is its folder there, and yours?") from error
    connection.row_factory = sqlite3.Row
    try:
        # Readers never wait for the grader. A killed process loses nothing that was committed.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        if create:
            _create(connection)
        found = connection.execute("SELECT value FROM facts WHERE name = 'format'").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise GradebookError(f"{path} is not a gradebook ({error}): name another file.") from error
    if found["value"] != FORMAT:
        connection.close()
        raise GradebookError(
            f"{path} has the format {found['value']}, this course writes {FORMAT}: grade into a new file."
        )
    return connection


def _create(connection: sqlite3.Connection) -> None:
    """The tables, and the salt that seeds are drawn with, unless they are there."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone():
            return
        for statement in TABLES.split(";\n"):
            connection.execute(statement)
        facts = [("format", FORMAT), ("salt", secrets.token_hex(32))]
        connection.executemany("INSERT INTO facts VALUES (?, ?)", facts)
