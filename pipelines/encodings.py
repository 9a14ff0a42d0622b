"""Which encoding a file is in, told from its bytes, or refused with the line that leaves it open."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from clv.errors import DataError

_CHUNK: Final = 1 << 22
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PACKED: Final = (
    (b"\x1f\x8b", "a gzip file", "Unpack it (gunzip)"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet", "Unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet", "Save the sheet as CSV"),
    (b"PAR1", "a Parquet file", "Let its name end in .parquet"),
    (b"SQLite format 3\x00", "a SQLite database", "Name it as sqlite:///PATH"),
    (b"BZh", "a bzip2 file", "Unpack it (bunzip2)"),
    (b"\xfd7zXZ\x00", "an xz file", "Unpack it (unxz)"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "Unpack it (unzstd)"),
)
_HIGH: Final = re.compile(rb"[\x80-\xff]+")


def detect_encoding(path: Path) -> str:
    r"""Tell the encoding of a text file.

    A byte-order mark decides; then UTF-8 if the whole file is valid as such; then the one of GB 18030, Big5
    and Latin-1 (as Windows-1252) whose letters the bytes spell.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        The name of a Python codec.

    Raises
    ------
    DataError
        The file is no text, or its bytes fit more than one encoding; names the first line that shows it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_bytes("姓名,日期\n".encode("utf-16"))
    ...     detect_encoding(file)
    'utf-16'
    """
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, what, cure in _PACKED:
        if head.startswith(mark):
            raise DataError(
                f"This is {what}, not text.", where=str(path), hint=f"{cure}, then name the result."
            )
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\x00" in head:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    sample = _not_utf8(path)
    if sample is None:
        return "utf-8"
    return _spelled(path, sample)


def _not_utf8(path: Path) -> list[bytes] | None:
    """Return up to a few thousand lines with bytes beyond ASCII if the file is not UTF-8, else None."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            file.seek(0)
            lines = (line for line in file if _HIGH.search(line))
            return [line for _, line in zip(range(5000), lines, strict=False)]
    return None


def _spelled(path: Path, lines: list[bytes]) -> str:
    text = b"\n".join(lines)
    scores = {"utf-8": _utf8(lines), "gb18030": _gb(text), "big5": _big5(text), "cp1252": _latin(text)}
    best, second = sorted(scores.values(), reverse=True)[:2]
    if best >= 0.7 and best - second >= 0.3:
        return max(scores, key=lambda name: scores[name])
    raise DataError(
        "The encoding of the file cannot be told.",
        where=f"{path}, line {_line_of(path, lines[0])}: {lines[0].strip()[:60]!r}",
        hint='Say encoding = "gb18030", "big5", "latin-1" ... in the mapping file, or save it as UTF-8.',
    )


def _line_of(path: Path, wanted: bytes) -> int:
    with path.open("rb") as file:
        return next(number for number, line in enumerate(file, start=1) if line == wanted)


def _utf8(lines: list[bytes]) -> float:
    """Share of the lines beyond ASCII that are valid UTF-8: a file with a few broken lines is UTF-8."""
    good = sum(line.decode("utf-8", "replace").count("\ufffd") == 0 for line in lines)
    return good / len(lines) if good >= 3 else 0.0


def _gb(text: bytes) -> float:
    """Share of the double bytes that are frequent Chinese characters or punctuation of GB 2312."""
    return _share(text, re.compile(rb"[\xa1\xa3\xb0-\xd7][\xa1-\xfe]"), "gb18030")


def _big5(text: bytes) -> float:
    """Share of the double bytes that are frequent Chinese characters or punctuation of Big5."""
    return _share(text, re.compile(rb"[\xa1-\xc6][\x40-\x7e\xa1-\xfe]"), "big5")


def _share(text: bytes, frequent: re.Pattern[bytes], codec: str) -> float:
    try:
        text.decode(codec)
    except UnicodeDecodeError:
        return 0.0
    pairs: list[bytes] = re.findall(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", text)
    good = sum(frequent.fullmatch(pair) is not None for pair in pairs)
    return good / max(len(pairs), 1)


def _latin(text: bytes) -> float:
    """Share of the runs of high bytes that are one letter or one common sign: Chinese comes in pairs."""
    runs: list[bytes] = _HIGH.findall(text)
    letter = re.compile(rb"[\xc0-\xff\x80\xa3\xa7\xb0\x91-\x97]")
    good = sum(letter.fullmatch(run) is not None for run in runs)
    return good / max(len(runs), 1)
