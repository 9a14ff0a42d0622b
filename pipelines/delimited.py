"""Text files of rows: encoding, separator and header found out, rows staged as text, lines found again."""
# ruff: noqa: S608  (names are quoted where they enter the SQL)

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from clv.errors import DataError
from pipelines.encodings import detect_encoding

_SEPARATORS: Final = (",", ";", "\t", "|")
_NATIVE: Final = frozenset({"utf-8", "utf8", "ascii", "utf-8-sig"})


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that is not a row: its number, what is wrong, and the line itself."""

    line: int
    reason: str
    raw: str


@dataclass(slots=True)
class TextFile:
    """A delimited text file, opened far enough to know its headers.

    Parameters
    ----------
    path
        The file.
    encoding, separator
        Found out if not given; ``whitespace`` separates by any run of blanks.
    header
        Whether the first line names the columns.
    names
        The headers of a file without a header line.
    headers
        The headers, once the file is open.
    lossy
        Some bytes are not in the encoding; U+FFFD stands where they were.
    skipped
        Lines before the header.
    """

    path: Path
    encoding: str | None = None
    separator: str | None = None
    header: bool = True
    names: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    lossy: bool = False
    skipped: int = 0
    _utf8: Path | None = field(default=None, repr=False)
    _folder: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    def open(self) -> TextFile:
        """Find out encoding, separator and headers.

        Raises
        ------
        DataError
            The file is empty, or its encoding cannot be told or is not what was said.
        """
        if self.path.stat().st_size == 0:
            raise DataError("The file is empty.", where=str(self.path), hint="Export it again.")
        self.encoding = self.encoding or detect_encoding(self.path)
        try:
            self.encoding = codecs.lookup(self.encoding).name
        except LookupError as error:
            raise DataError(
                f"There is no encoding {self.encoding!r}.",
                where=str(self.path),
                hint='Name one that Python knows, such as "utf-8", "gb18030", "big5" or "cp1252".',
            ) from error
        sample = self._skip_preface(self._sample())
        self.separator = self.separator or _guess_separator(sample)
        first = next(self._rows(sample), [])
        named = [cell.strip() or f"column {place}" for place, cell in enumerate(first, start=1)]
        self.headers = _distinct(named) if self.header else self.names
        return self

    def close(self) -> None:
        """Remove the copy in UTF-8, if one was needed."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = self._utf8 = None

    def sha256(self) -> str:
        """Return the SHA-256 of the file's bytes."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def stage(self, connection: duckdb.DuckDBPyConnection, relation: str, select: str) -> list[Malformed]:
        """Put the rows, as text, into a temporary table, in the file's order.

        Parameters
        ----------
        connection
            Where to.
        relation
            Name of the temporary table.
        select
            SQL expressions over the headers.

        Returns
        -------
        list of Malformed
            The lines that are not rows.
        """
        if self._utf8 is None and self._line_ends_differ():
            self._copy()
        try:
            return self._stage(connection, relation, select)
        except duckdb.InvalidInputException as error:
            raise DataError(
                "The file cannot be read as rows.", where=str(self.path), hint=str(error).split("\n", 1)[0]
            ) from error

    def _stage(self, connection: duckdb.DuckDBPyConnection, relation: str, select: str) -> list[Malformed]:
        columns = ", ".join(f"{_literal(header)}: 'VARCHAR'" for header in self.headers)
        separator = "\t" if self.separator == "whitespace" else self.separator
        connection.execute("DROP TABLE IF EXISTS csv_errors; DROP TABLE IF EXISTS csv_scans")
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE {relation} AS SELECT {select} FROM read_csv(
                {_literal(str(self._readable()))}, delim={_literal(str(separator))}, quote='"', escape='"',
                header={self.header}, skip={self.skipped}, columns={{{columns}}}, auto_detect=false,
                all_varchar=true, nullstr='', store_rejects=true, rejects_table='csv_errors',
                rejects_scan='csv_scans', rejects_limit=0, max_line_size=4000000, strict_mode=true)
            """
        )
        rejected = connection.execute(
            """
            SELECT line, any_value(error_message), any_value(csv_line) FROM csv_errors
            WHERE scan_id = (SELECT max(scan_id) FROM csv_scans) GROUP BY line ORDER BY line
            """
        ).fetchall()
        return [Malformed(line, _reason(message), raw.strip("\r\n")) for line, message, raw in rejected]

    def locate(self, rows: Sequence[int], malformed: Sequence[Malformed]) -> dict[int, tuple[int, str]]:
        """Find the line number and the text of some staged rows.

        Parameters
        ----------
        rows
            Numbers of staged rows, from 0, ascending.
        malformed
            The lines that were not staged.
        """
        wanted, bad = set(rows), {entry.line for entry in malformed}
        found: dict[int, tuple[int, str]] = {}
        row = -1
        for line, text in self._records(bad):
            row += 1
            if row in wanted:
                found[row] = (line, text)
                if len(found) == len(wanted):
                    break
        return found

    def _records(self, bad: set[int]) -> Iterator[tuple[int, str]]:
        """Yield line number and text of each record that was staged; a quoted line break ends none."""
        separator = "\t" if self.separator == "whitespace" else str(self.separator)
        preface = self.skipped + self.header
        held: list[str] = []
        start = 0
        quoted = False
        with self._readable().open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for line, text in enumerate(file, start=1):
                if line <= preface or (not quoted and (line in bad or not text.strip("\r\n"))):
                    continue
                start = start if quoted else line
                held.append(text)
                quoted = _ends_quoted(text, separator, quoted=quoted) if quoted or '"' in text else False
                if not quoted:
                    yield start, "".join(held).rstrip("\r\n")
                    held = []

    def _line_ends_differ(self) -> bool:
        """Tell whether lines end now one way, now another, which DuckDB does not read."""
        line_feeds = returns = both = 0
        with self.path.open("rb") as file:
            while chunk := file.read(1 << 22):
                if chunk.endswith(b"\r"):
                    chunk += file.read(1)
                line_feeds += chunk.count(b"\n")
                returns += chunk.count(b"\r")
                both += chunk.count(b"\r\n")
        return returns > 0 and {line_feeds, returns} not in ({both}, {0, returns})

    def _skip_preface(self, sample: str) -> str:
        """Leave out blank lines and a line such as ``sep=;`` before the header."""
        lines = sample.splitlines(keepends=True)
        while lines and (not lines[0].strip() or lines[0].startswith("sep=")):
            if lines[0].startswith("sep=") and len(lines[0].strip()) == 5:
                self.separator = self.separator or lines[0][4]
            del lines[0]
            self.skipped += 1
        return "".join(lines)

    def _sample(self) -> str:
        with self.path.open("rb") as file:
            head = file.read(1 << 18)
        decoder = codecs.getincrementaldecoder(str(self.encoding))("replace")
        text = decoder.decode(head).removeprefix("\ufeff")
        return text[: text.rfind("\n") + 1] or text

    def _rows(self, sample: str) -> Iterator[list[str]]:
        if self.separator == "whitespace":
            return (line.split() for line in sample.splitlines())
        return csv.reader(io.StringIO(sample, newline=""), delimiter=str(self.separator))

    def _readable(self) -> Path:
        """Return a file in UTF-8 that DuckDB reads: the file itself, or a copy."""
        if self._utf8 is None and self.encoding in _NATIVE and self.separator != "whitespace":
            return self.path
        if self._utf8 is None:
            self._copy()
        return self._utf8 or self.path

    def _copy(self) -> None:
        """Copy the file as UTF-8, with one kind of line end, and tabs for separating whitespace."""
        self._folder = tempfile.TemporaryDirectory(prefix="clv-")
        self._utf8 = Path(self._folder.name) / self.path.name
        with (
            self.path.open(encoding=self.encoding, errors="replace") as source,
            self._utf8.open("w", encoding="utf-8", newline="") as copy,
        ):
            if self.separator == "whitespace":
                copy.writelines("\t".join(line.split()) + "\n" for line in source)
                return
            while chunk := source.read(1 << 22):
                self.lossy = self.lossy or "\ufffd" in chunk
                copy.write(chunk)


def _ends_quoted(text: str, separator: str, *, quoted: bool) -> bool:
    """Tell whether a line ends inside a quoted cell: a quote opens at the start of a cell only."""
    start = True
    place = 0
    while place < len(text):
        letter = text[place]
        if quoted and letter == '"':
            if text[place + 1 : place + 2] == '"':
                place += 1
            else:
                quoted = False
        elif not quoted:
            quoted = start and letter == '"'
            start = letter == separator or (start and letter == " ")
        place += 1
    return quoted


def _guess_separator(sample: str) -> str:
    """Return the separator under which most of the first lines have as many cells, more than one."""
    best, score = "", 0.0
    for separator in _SEPARATORS:
        widths = [
            len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator) if row
        ][:200]
        if widths and widths[0] > 1:
            same = sum(width == widths[0] for width in widths) / len(widths)
            if same * widths[0] > score:
                best, score = separator, same * widths[0]
    if best:
        return best
    widths = [len(line.split()) for line in sample.splitlines() if line.strip()][:200]
    return "whitespace" if widths and min(widths) == max(widths) > 1 else ","


def _distinct(headers: Sequence[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    distinct = []
    for header in headers:
        seen[header.casefold()] = seen.get(header.casefold(), 0) + 1
        count = seen[header.casefold()]
        distinct.append(header if count == 1 else f"{header} {count}")
    return tuple(distinct)


def _reason(message: str) -> str:
    first = message.splitlines()[0].strip()
    return f"not a row: {first[0].lower()}{first[1:]}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
