"""Processes that are made to be killed: a service over the small shop, a publisher, a promoter.

``python -m tests.faulty service VAR PORT`` starts the service from cold. ``python -m tests.faulty nursery``
has everything imported and forks one child for each line of JSON it reads, so that a hundred deaths cost
seconds and not minutes. A child may be told to die at its n-th dealing with a disk or a database: just before
it or just after it, whichever comes n-th.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from models.files import write_bundle
from models.snapshot import SnapshotWriter
from serving.app import create_app
from serving.settings import Settings
from tests.fakes import AS_OF, CUSTOMERS, SEGMENTS, VALUATION, open_shop, publish_shop

CROWD = 200
"""Customers of a publication that is made to be killed."""

_FILE = {"open", "read", "write", "flush", "close", "fsync", "rename", "replace", "mkdir", "rmdir", "unlink"}
_STORE = {"execute", "executemany", "executescript", "commit", "rollback"}
_DEALINGS = {*_FILE, *_STORE, "copyfile", "sendfile", "_fastcopy_sendfile", "link", "flock"}


def publish_number(root: Path, number: int) -> None:
    """Publish the shop with the same number at every customer, by which a mixture would be seen."""
    everybody = [replace(one, value={**one.value, "predicted_clv": float(number)}) for one in CUSTOMERS]
    publish_shop(root, everybody)


def publish_crowd(root: Path, number: int) -> None:
    """Publish a generation of many files, with the same number in each of them."""
    someone = CUSTOMERS[0]
    value = {**someone.value, "predicted_clv": float(number)}
    crowd = (replace(someone, customer_id=f"c{n}", value=value) for n in range(CROWD))
    with tempfile.TemporaryDirectory() as aside, SnapshotWriter(root, AS_OF, {"number": str(number)}) as made:
        VALUATION.save(Path(aside, "value"))
        write_bundle(Path(aside, "value"), kind="value", as_of=AS_OF, fingerprint=str(number))
        made.folder("value", Path(aside, "value"))
        for name in ("offers", "policies", "arbitration"):
            made.document(name, {"number": number})
        made.segments(SEGMENTS)
        made.customers(crowd)
        made.commit()


def serve(var: str, port: int) -> None:
    """Serve the small shop until killed."""
    app = create_app(Settings(data={"data_dir": var}, serving={"log_level": "error"}), open_shop)
    uvicorn.run(app, port=port, log_level="error", access_log=False)


def promote(uri: str, artefacts: str, version: str, bundle: str = "") -> None:
    """Make a version the champion; with a bundle, register that first and promote what it became."""
    from models.registry import Registry
    from models.verdict import Verdict

    registry = Registry(uri, Path(artefacts))
    if bundle:
        import models

        code = Path(models.__file__).parent / "served_value.py"
        version = registry.log("clv-value", Path(bundle), code=code).version
    registry.promote("clv-value", version, Verdict.allow("It is better."))


DEEDS: dict[str, Callable[..., None]] = {
    "serve": serve,
    "publish": lambda root, number: publish_crowd(Path(root), number),
    "promote": promote,
}


class Doom:
    """Kills its process at the n-th moment before or after a dealing with a disk or a database."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.moments = 0

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        """Count what the interpreter is about to call, or has called."""
        if event in {"c_call", "c_return"} and getattr(called, "__name__", "") in _DEALINGS:
            self.moments += 1
            if self.moments == self.at:
                os.kill(os.getpid(), signal.SIGKILL)


def _child(told: dict[str, Any]) -> None:
    """Do one deed, doomed or not, and leave without a farewell."""
    at, tally = told.pop("die_at", None), told.pop("tally", None)
    doom = Doom(at or 0)
    if at or tally:
        sys.setprofile(doom)
    DEEDS[told.pop("deed")](**told)
    sys.setprofile(None)
    if tally:
        Path(tally).write_text(str(doom.moments))


def nursery() -> None:
    """Fork a child for each line read; write its process id, and how it ended."""
    import models.registry  # noqa: F401  (so that no child has to)

    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                _child(json.loads(line))
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


class Nursery:
    """A process that forks children to be killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.child = 0
        self.ended = threading.Event()
        self.code: int | None = None

    def bear(self, deed: str, **told: object) -> int:
        """Have a child do a deed; return its process id."""
        self.ended.clear()
        self._say({"deed": deed, **told})
        self.child = int(self._hear())
        threading.Thread(target=self._wait, daemon=True).start()
        return self.child

    def kill(self) -> None:
        """Kill the child where it stands, if it still does, and wait until it is gone."""
        if not self.ended.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGKILL)
        self.ended.wait()

    def _wait(self) -> None:
        self.code = int(self._hear())
        self.ended.set()

    def _say(self, told: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def a_nursery(log: Path, **environment: str) -> Iterator[Nursery]:
    """Start a nursery; it ends with the block, and with it the child it has."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faulty", "nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", log.read_text()
    born = Nursery(process)
    try:
        yield born
    finally:
        if born.child:
            born.kill()
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


if __name__ == "__main__":
    if sys.argv[1] == "nursery":
        nursery()
    else:
        serve(sys.argv[2], int(sys.argv[3]))
