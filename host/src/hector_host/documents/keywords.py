"""The keyword index: which passages of a store have the words of a question, in the same SQLite file as the ledger.

The rule that it keeps: it has exactly the chunks that the ledger says there are, because both change in one
transaction. So `put` and `delete` run inside one of the caller's, and the caller ends it.

Each place has tables of its own, so that how rare a word is, by which passages are ranked, is counted in its store
alone. The index itself keeps no text (FTS5, contentless): a deletion tells it once more what it was given.
"""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from hector_host.documents.terms import indexed, parts, terms
from hector_host.errors import HectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hector_host.documents.ledger import Place

TOKENIZER = "porter unicode61 remove_diacritics 2"

WEIGHTS = (1.0, 2.0, 1.0, 0.5)
"""How much a word counts in a passage's text, in the headings above it, in its path, and as a part of a name."""

COMMON = 1000
"""Passages. A word that more have than these, and more than half of all, tells none apart: BM25 gives it no weight, and
looking for it costs the most. It is looked for only where a question has no other."""

HERE = "store = :store AND database = :database AND collection = :collection"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that has words of a question.

    Attributes:
        score: The share of the question's words that it has, each as heavy as it is rare (0 to 1): BM25, divided by
            what a passage of usual length gets that has every word once.
        metadata: As it was put.
    """

    id: str
    score: float
    metadata: dict[str, Any]


def put(connection: sqlite3.Connection, place: Place, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Adds passages, or replaces those of the same id.

    Args:
        connection: To the ledger's file, in a transaction.
        rows: The chunk's id, and its metadata as the database has them: `text` and `path`, maybe `title`, `heading`.

    Raises:
        HectorError: This Python's SQLite has no FTS5.
    """
    number = _number(connection, place) or _create(connection, place)
    listed = list(rows)
    _forget(connection, number, [chunk for chunk, _ in listed])
    for chunk, metadata in listed:
        kept = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
        row = connection.execute(f"INSERT INTO passage_{number} (chunk, metadata) VALUES (?, ?)", (chunk, kept))  # noqa: S608 - a number
        connection.execute(
            f"INSERT INTO words_{number} (rowid, text, heading, path, part) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - same
            (row.lastrowid, *_columns(metadata)),
        )


def delete(connection: sqlite3.Connection, place: Place, ids: Iterable[str]) -> None:
    """Takes passages out, in the caller's transaction; ids that are not there are no error."""
    number = _number(connection, place)
    if number:
        _forget(connection, number, list(ids))


def drop(connection: sqlite3.Connection, place: Place) -> None:
    """Takes all of a place out, in the caller's transaction."""
    number = _number(connection, place)
    if number:
        connection.execute(f"DROP TABLE passage_{number}")
        connection.execute(f"DROP TABLE words_{number}")
        connection.execute("DELETE FROM keywords WHERE number = ?", (number,))


def metadata(connection: sqlite3.Connection, place: Place, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What passages were put with, by id; those that are not there are left out."""
    number = _number(connection, place)
    if not number:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for chunk in ids:
        row = connection.execute(f"SELECT metadata FROM passage_{number} WHERE chunk = ?", (chunk,)).fetchone()  # noqa: S608 - a number
        if row is not None:
            found[chunk] = json.loads(row[0])
    return found


def find(
    path: Path, place: Place, query: str, limit: int, matches: Callable[[Mapping[str, Any]], bool] = lambda _: True
) -> list[Hit]:
    """The passages that have most of a question's words, best first.

    Args:
        path: The ledger's file.
        limit: Hits at most.
        matches: Which metadata a hit may have.

    Raises:
        HectorError: The file has no keywords of this place, or this Python's SQLite has no FTS5.
    """
    wanted = terms(query)
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        number = _number(connection, place)
        if not number:
            raise HectorError(f"{path}: has no keywords of {place.store}", f"Run: hector index {place.store}")
        if not wanted:
            return []
        try:
            weights = _weights(connection, number, wanted)
            return list(islice(_hits(connection, number, weights, matches), limit))
        except sqlite3.DatabaseError as error:
            raise _trouble(error) from None


def _hits(
    connection: sqlite3.Connection,
    number: int,
    terms: Mapping[str, float],
    matches: Callable[[Mapping[str, Any]], bool],
) -> Iterator[Hit]:
    """All hits, best first. What does not match is never built: rows are read one by one until there are enough."""
    most = sum(terms.values())
    weights = ", ".join(map(str, WEIGHTS))
    found = connection.execute(
        f"SELECT chunk, -score, metadata FROM (SELECT rowid AS id, bm25(words_{number}, {weights}) AS score"  # noqa: S608 - numbers
        f" FROM words_{number} WHERE words_{number} MATCH ?) JOIN passage_{number} USING (id) ORDER BY score, id",
        (" OR ".join(terms),),
    )
    for chunk, score, metadata in found:
        kept = json.loads(metadata)
        if matches(kept):
            yield Hit(chunk, min(score / most, 1.0), kept)


def _weights(connection: sqlite3.Connection, number: int, wanted: Sequence[str]) -> dict[str, float]:
    """The terms to look for, with what BM25 gives a passage of usual length that has one once: how rare it is."""
    passages = connection.execute(f"SELECT count(*) FROM passage_{number}").fetchone()[0]  # noqa: S608 - a number
    statement = f"SELECT count(*) FROM words_{number} WHERE words_{number} MATCH ?"  # noqa: S608 - same
    having = {term: connection.execute(statement, (term,)).fetchone()[0] for term in wanted}
    rare = {term: rows for term, rows in having.items() if rows <= max(COMMON, passages / 2)}
    return {term: _rarity(rows, passages) for term, rows in (rare or having).items()}


def _rarity(rows: int, passages: int) -> float:
    """By FTS5's own formula."""
    return max(math.log((passages - rows + 0.5) / (rows + 0.5)), 1e-6)


def _columns(metadata: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What the index reads of a passage. A deletion needs the same again, so this may not change under an index."""
    text, title, heading, path = (str(metadata.get(key, "")) for key in ("text", "title", "heading", "path"))
    above = heading if title in heading else f"{title} > {heading}"
    return indexed(text), indexed(above), indexed(path), parts(text)


def _forget(connection: sqlite3.Connection, number: int, chunks: Iterable[str]) -> None:
    for chunk in chunks:
        row = connection.execute(f"SELECT id, metadata FROM passage_{number} WHERE chunk = ?", (chunk,)).fetchone()  # noqa: S608 - a number
        if row is None:
            continue
        connection.execute(
            f"INSERT INTO words_{number} (words_{number}, rowid, text, heading, path, part)"  # noqa: S608 - same
            " VALUES ('delete', ?, ?, ?, ?, ?)",
            (row[0], *_columns(json.loads(row[1]))),
        )
        connection.execute(f"DELETE FROM passage_{number} WHERE id = ?", (row[0],))  # noqa: S608 - same


def _number(connection: sqlite3.Connection, place: Place) -> int:
    """The number in the names of a place's tables. 0: it has none."""
    try:
        row = connection.execute(f"SELECT number FROM keywords WHERE {HERE}", asdict(place)).fetchone()  # noqa: S608 - a constant
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return 0
        raise _trouble(error) from None
    return row[0] if row else 0


def _create(connection: sqlite3.Connection, place: Place) -> int:
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS keywords (number INTEGER PRIMARY KEY, store TEXT NOT NULL,"
            " database TEXT NOT NULL, collection TEXT NOT NULL, UNIQUE (store, database, collection)) STRICT"
        )
        connection.execute(
            "INSERT INTO keywords (store, database, collection) VALUES (:store, :database, :collection)", asdict(place)
        )
        number = _number(connection, place)
        connection.execute(
            f"CREATE TABLE passage_{number} (id INTEGER PRIMARY KEY, chunk TEXT NOT NULL UNIQUE,"
            " metadata TEXT NOT NULL) STRICT"
        )
        connection.execute(
            f"CREATE VIRTUAL TABLE words_{number}"
            f" USING fts5(text, heading, path, part, content = '', tokenize = '{TOKENIZER}')"
        )
    except sqlite3.OperationalError as error:
        raise _trouble(error) from None
    return number


def _trouble(error: sqlite3.DatabaseError) -> HectorError:
    if "no such module" in str(error):
        return HectorError(
            f"this Python's SQLite {sqlite3.sqlite_version} has no FTS5, which keeps the words of document stores",
            "Run Hector with a Python whose sqlite3 has it, as those of python.org and of Linux distributions.",
        )
    return HectorError(f"the keywords of document stores cannot be used: {error}", "Index the stores anew.")
