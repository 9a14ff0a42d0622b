import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

import pytest

from clv.errors import SnapshotError, TamperedBundle
from models.checked import NOTE, found_whole, looks, remember
from models.files import write_bundle
from models.generation import point_at, pointed_at, published
from models.publication import prune
from models.snapshot import Published, Snapshot, SnapshotWriter
from recommend.history import History
from recommend.issues import Complaint, Issues
from recommend.profile import Contact, Profile, Tag

DAY = date(2026, 1, 31)
SEGMENTS = [
    ("loyal", "Bought three times or more.", "frequency >= 2"),
    ("asleep", "Has not bought for long.", "probability_alive < 0.2"),
]


def profile(number: int, worth: float = 10.0, segments: tuple[str, ...] = ("loyal",)) -> Profile:
    return Profile(
        customer_id=f"c{number:06d}",
        as_of=DAY,
        value={
            "predicted_clv": worth,
            "frequency": 3,
            "expected_date_of_next_order": "2026-02-10",
            "x": None,
        },
        segments=segments,
        tags=(Tag("buys online", "purchases", date(2025, 6, 1)),),
        attributes={"region": "Lyon", "birth_year": 1980},
        consent={"email": True, "email.marketing": False},
        contacts=(Contact(datetime(2026, 1, 5, 9, 30, tzinfo=UTC), "email", "sent", "o1", "mail"),),
        open_issue="late delivery",
        issues=Issues(unresolved=Complaint(5, "late delivery"), resolved_at=3),
        history=History((20000, 20010), ("tea", "milk"), ((0, 1), (1,))),
    )


def publish(root: Path, customers: Sequence[Profile | Published], day: date = DAY, **options: int) -> str:
    with SnapshotWriter(root, day, {"value": "3"}, **options) as writer:
        writer.segments(SEGMENTS)
        writer.document("offers", [{"offer_id": "o1"}])
        writer.customers(customers)
        return writer.commit().name


def test_a_published_profile_comes_back_as_it_was(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1), profile(2)])
    with Snapshot.current(tmp_path) as snapshot:
        assert snapshot.profile("c000001") == profile(1)
        assert snapshot.profile("nobody") is None
        assert list(snapshot.iter_profiles()) == [profile(1), profile(2)]
        assert len(snapshot) == 2


def test_a_profile_may_be_given_as_plain_values(tmp_path: Path) -> None:
    with SnapshotWriter(tmp_path, DAY) as writer:
        writer.customers([{"customer_id": "ann", "as_of": "2026-01-31", "value": {"predicted_clv": 1.5}}])
        writer.commit()
    with Snapshot.current(tmp_path) as snapshot:
        assert snapshot.profile("ann") == Profile("ann", DAY, value={"predicted_clv": 1.5})


def test_the_manifest_says_what_and_as_of_when(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1)])
    with Snapshot.current(tmp_path) as snapshot:
        manifest = snapshot.manifest
    assert (manifest.name, manifest.sequence, manifest.as_of) == ("000001-2026-01-31", 1, DAY)
    assert manifest.facts == {"value": "3"}
    assert set(manifest.files) == {"customers.sqlite", "offers.json", "segments.json"}


def test_count_list_and_pages_of_a_segment_agree(tmp_path: Path) -> None:
    publish(
        tmp_path,
        [profile(n, worth=n, segments=("loyal", "asleep") if n % 2 else ("loyal",)) for n in range(5)],
    )
    with Snapshot.current(tmp_path) as snapshot:
        loyal, asleep = snapshot.segments()
        # worth 0 + 1 + 2 + 3 + 4 = 10, and of the odd ones 1 + 3 = 4
        assert (loyal.customers, loyal.predicted_clv) == (5, 10.0)
        assert (asleep.customers, asleep.predicted_clv) == (2, 4.0)
        assert [m.customer_id for m in snapshot.iter_members("asleep")] == ["c000001", "c000003"]
        first = snapshot.members("loyal", limit=2)
        second = snapshot.members("loyal", after=first[-1].customer_id, limit=2)
        assert [m.customer_id for m in (*first, *second)] == ["c000000", "c000001", "c000002", "c000003"]
        assert second[0].value["predicted_clv"] == 2


def test_a_segment_without_customers_is_listed_with_none(tmp_path: Path) -> None:
    publish(tmp_path, [])
    with Snapshot.current(tmp_path) as snapshot:
        assert [(s.name, s.customers) for s in snapshot.segments()] == [("loyal", 0), ("asleep", 0)]
        assert snapshot.members("loyal") == []


def test_an_unknown_segment_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    publish(tmp_path, [])
    with Snapshot.current(tmp_path) as snapshot, pytest.raises(SnapshotError, match="loyal, asleep"):
        snapshot.members("whales")


def test_a_profile_in_a_segment_nobody_described_is_refused(tmp_path: Path) -> None:
    with SnapshotWriter(tmp_path, DAY) as writer:
        writer.customers([profile(1)])
        with pytest.raises(SnapshotError, match="described"):
            writer.commit()
    assert published(tmp_path) == []


def test_the_same_customer_twice_is_refused(tmp_path: Path) -> None:
    with SnapshotWriter(tmp_path, DAY) as writer, pytest.raises(SnapshotError, match="twice"):
        writer.customers([profile(1), profile(1)])


@pytest.mark.parametrize(
    "raw",
    [
        {"customer_id": "ann"},
        {"customer_id": "ann", "as_of": "soon"},
        {"customer_id": "ann", "as_of": "2026-01-31", "shoe_size": 42},
        {"customer_id": "ann", "as_of": "2026-01-31", "contacts": [{"channel": "email"}]},
    ],
)
def test_what_is_not_a_profile_is_refused(tmp_path: Path, raw: dict[str, object]) -> None:
    with SnapshotWriter(tmp_path, DAY) as writer, pytest.raises(SnapshotError, match="customer ann"):
        writer.customers([raw])


def test_a_profile_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    odd = Profile("ann", DAY, value={"x": {1, 2}})  # type: ignore[dict-item]
    with SnapshotWriter(tmp_path, DAY) as writer, pytest.raises(SnapshotError, match="customer ann"):
        writer.customers([odd])


@pytest.mark.parametrize("name", ["../offers", "Offers", "segments", "customers", "offers"])
def test_a_document_needs_a_plain_name_of_its_own(tmp_path: Path, name: str) -> None:
    with SnapshotWriter(tmp_path, DAY) as writer:
        writer.document("offers", [])
        with pytest.raises(SnapshotError, match="plain"):
            writer.document(name, [])


def test_a_document_must_be_json(tmp_path: Path) -> None:
    with SnapshotWriter(tmp_path, DAY) as writer, pytest.raises(SnapshotError, match="JSON"):
        writer.document("offers", {1, 2})


def test_documents_and_model_folders_travel_with_the_generation(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "parameters.json").write_text('{"r": 0.243}')
    write_bundle(model, kind="value", as_of=DAY, fingerprint="f")
    with SnapshotWriter(tmp_path / "published", DAY) as writer:
        writer.folder("value", model)
        writer.document("policies", {"floor": 0.5})
        writer.commit()
    with Snapshot.current(tmp_path / "published") as snapshot:
        folder = snapshot.folder("value")
        assert folder is not None
        assert json.loads((folder / "parameters.json").read_text()) == {"r": 0.243}
        assert snapshot.document("policies") == {"floor": 0.5}
        assert snapshot.document("offers") is None
        assert snapshot.folder("propensity") is None


def test_a_model_folder_that_was_changed_is_not_published(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "parameters.json").write_text("{}")
    write_bundle(model, kind="value", as_of=DAY, fingerprint="f")
    (model / "parameters.json").write_text('{"r": 9}')
    with SnapshotWriter(tmp_path / "published", DAY) as writer, pytest.raises(TamperedBundle):
        writer.folder("value", model)
    with SnapshotWriter(tmp_path / "published", DAY) as writer, pytest.raises(SnapshotError, match="copied"):
        writer.folder("value", tmp_path / "nowhere")


def test_before_the_first_publication_the_answer_says_what_to_do(tmp_path: Path) -> None:
    assert pointed_at(tmp_path) is None
    assert published(tmp_path / "nowhere") == []
    with pytest.raises(SnapshotError, match="publish step"):
        Snapshot.current(tmp_path)


def test_a_reader_keeps_its_whole_generation_while_newer_ones_come_and_it_is_pruned(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1, worth=1.0)])
    old = Snapshot.current(tmp_path)
    pages = old.iter_members("loyal")
    for worth in (2.0, 3.0, 4.0):
        publish(tmp_path, [profile(1, worth=worth)])
    assert published(tmp_path) == ["000003-2026-01-31", "000004-2026-01-31"]
    seen = old.profile("c000001")
    assert seen is not None
    assert seen.value["predicted_clv"] == 1.0
    assert [m.value["predicted_clv"] for m in pages] == [1.0]
    old.close()
    with Snapshot.current(tmp_path) as new:
        assert new.segments()[0].predicted_clv == 4.0


def test_readers_never_see_a_mixture_while_generations_change(tmp_path: Path) -> None:
    publish(tmp_path, [profile(n, worth=0) for n in range(20)])
    done, mixtures, seen = threading.Event(), [], set()

    def read() -> None:
        while not done.is_set():
            with Snapshot.current(tmp_path) as snapshot:
                worth = {m.value["predicted_clv"] for m in snapshot.iter_members("loyal")}
                worth.add(snapshot.segments()[0].predicted_clv / 20)
                seen.add(snapshot.manifest.sequence)
                if len(worth) != 1:
                    mixtures.append(worth)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for worth in range(1, 16):
        publish(tmp_path, [profile(n, worth=worth) for n in range(20)])
    done.set()
    for reader in readers:
        reader.join()
    assert mixtures == []
    assert len(seen) > 1


_PUBLISHER = """
import sys
from datetime import date
from pathlib import Path
from models.snapshot import SnapshotWriter
from recommend.profile import Profile
print("ready", flush=True)
for worth in range(1, 10_000):
    with SnapshotWriter(Path(sys.argv[1]), date(2026, 1, 31)) as writer:
        writer.segments([("loyal", "", "")])
        writer.customers(
            Profile(f"c{n:06d}", date(2026, 1, 31), {"predicted_clv": float(worth)}, ("loyal",))
            for n in range(300)
        )
        writer.commit()
"""


def test_a_publisher_killed_at_any_moment_leaves_a_whole_generation(tmp_path: Path) -> None:
    root = tmp_path / "published"
    publish(root, [profile(n, worth=0) for n in range(300)])
    for delay in (0.0, 0.003, 0.008, 0.013, 0.02):
        with subprocess.Popen([sys.executable, "-c", _PUBLISHER, str(root)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            threading.Event().wait(delay)
            os.kill(child.pid, signal.SIGKILL)
        with Snapshot.current(root) as snapshot:
            worth = {m.value["predicted_clv"] for m in snapshot.iter_members("loyal")}
            assert (len(snapshot), len(worth)) == (300, 1)
    publish(root, [profile(1)])
    assert [path.name for path in root.iterdir() if path.name.startswith((".writing", ".old"))] == []


def test_a_second_writer_is_refused_and_an_abandoned_one_leaves_nothing(tmp_path: Path) -> None:
    with SnapshotWriter(tmp_path, DAY), pytest.raises(SnapshotError, match="under way"):
        SnapshotWriter(tmp_path, DAY)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock"]
    publish(tmp_path, [profile(1)])


def test_a_committed_writer_is_used_up(tmp_path: Path) -> None:
    with SnapshotWriter(tmp_path, DAY) as writer:
        writer.commit()
        with pytest.raises(SnapshotError, match="used up"):
            writer.commit()


def test_at_least_one_generation_must_stay(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="keep = 0"):
        SnapshotWriter(tmp_path, DAY, keep=0)


def test_pruning_never_removes_the_generation_pointed_at(tmp_path: Path) -> None:
    for _ in range(3):
        publish(tmp_path, [profile(1)], keep=9)
    point_at(tmp_path, "000001-2026-01-31")  # an operator went back
    assert prune(tmp_path, 1) == ["000002-2026-01-31"]
    with Snapshot.current(tmp_path) as snapshot:
        assert snapshot.manifest.sequence == 1


@pytest.mark.parametrize("name", ["customers.sqlite", "segments.json", "offers.json", "manifest.json"])
def test_one_changed_byte_is_noticed_on_opening(tmp_path: Path, name: str) -> None:
    path = tmp_path / publish(tmp_path, [profile(1)]) / name
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    with pytest.raises(SnapshotError, match=r"hash|broken"):
        Snapshot.current(tmp_path)


def age(note: Path, seconds: float) -> None:
    """Make a note as if it had been written so much later than the files."""
    later = note.stat().st_mtime + seconds
    os.utime(note, (later, later))


def found_whole_before(root: Path) -> dict[str, list[int]]:
    """Open a generation once, as if its files had lain there for a while; return what was noted of them."""
    with Snapshot.current(root):
        pass
    age(root / NOTE, 60)
    noted: dict[str, list[int]] = json.loads((root / NOTE).read_bytes())["files"]
    return noted


def test_a_generation_found_whole_is_not_hashed_again(tmp_path: Path) -> None:
    folder = tmp_path / publish(tmp_path, [profile(1)])
    (folder / "offers.json").write_text("[]")  # what a hash would tell
    with pytest.raises(SnapshotError, match="hash"):
        Snapshot.current(tmp_path)
    remember(tmp_path, *(pointed_at(tmp_path) or ("", "")), looks(folder))
    age(tmp_path / NOTE, 60)
    with Snapshot.current(tmp_path) as snapshot:
        assert snapshot.document("offers") == []


@pytest.mark.parametrize("name", ["customers.sqlite", "segments.json", "offers.json"])
def test_a_byte_changed_after_a_generation_was_found_whole_is_noticed(tmp_path: Path, name: str) -> None:
    path = tmp_path / publish(tmp_path, [profile(1)]) / name
    found_whole_before(tmp_path)
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        byte = file.read(1)
        file.seek(-3, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # size, place and date are as they were
    with pytest.raises(SnapshotError, match="hash"):
        Snapshot.current(tmp_path)


def test_a_file_added_after_a_generation_was_found_whole_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / publish(tmp_path, [profile(1)])
    found_whole_before(tmp_path)
    (folder / "extra.json").write_text("{}")
    with pytest.raises(SnapshotError, match="not in the manifest"):
        Snapshot.current(tmp_path)


def test_what_was_noted_counts_for_one_generation_in_one_run_of_the_machine(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1)])
    seen = found_whole_before(tmp_path)
    name, digest = pointed_at(tmp_path) or ("", "")
    assert found_whole(tmp_path, name, digest, seen)
    assert not found_whole(tmp_path, name, digest, seen, boot="another run")
    assert not found_whole(tmp_path, "000002-2026-01-31", digest, seen)
    assert not found_whole(tmp_path, name, "another manifest", seen)
    assert not found_whole(tmp_path, name, digest, {**seen, "offers.json": [0] * 5})


def test_files_that_were_new_when_they_were_hashed_are_hashed_again(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1)])
    seen = looks(tmp_path / (pointed_at(tmp_path) or ("", ""))[0])
    remember(tmp_path, "g", "d", seen)
    newest = max(ctime for *_, ctime in seen.values())
    os.utime(tmp_path / NOTE, ns=(newest, newest + 1_000_000))
    assert not found_whole(tmp_path, "g", "d", seen)
    os.utime(tmp_path / NOTE, ns=(newest, newest + 2_000_000_001))
    assert found_whole(tmp_path, "g", "d", seen)


def test_a_machine_that_does_not_tell_its_runs_apart_hashes_each_time(tmp_path: Path) -> None:
    remember(tmp_path, "g", "d", {}, boot="")
    assert not (tmp_path / NOTE).exists()
    (tmp_path / NOTE).write_text(json.dumps({"boot": "", "name": "g", "digest": "d", "files": {}}))
    assert not found_whole(tmp_path, "g", "d", {}, boot="")


@pytest.mark.parametrize("broken", ["", "{", "[]", "null", '{"boot": 1}'])
def test_a_broken_note_means_that_nothing_was_noted(tmp_path: Path, broken: str) -> None:
    publish(tmp_path, [profile(1)])
    (tmp_path / NOTE).write_text(broken)
    with Snapshot.current(tmp_path) as snapshot:
        assert len(snapshot) == 1


def test_a_missing_or_added_file_is_noticed_on_opening(tmp_path: Path) -> None:
    folder = tmp_path / publish(tmp_path, [profile(1)])
    (folder / "extra.json").write_text("{}")
    with pytest.raises(SnapshotError, match="not in the manifest"):
        Snapshot.current(tmp_path)
    (folder / "extra.json").unlink()
    (folder / "customers.sqlite").unlink()
    with pytest.raises(SnapshotError, match="missing"):
        Snapshot.current(tmp_path)
    with pytest.raises(SnapshotError, match="cannot be opened"):
        Snapshot.current(tmp_path, verify=False)


def test_a_pointer_to_nowhere_is_an_error_of_its_own(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1)])
    (tmp_path / "CURRENT").write_text("../../etc deadbeef\n")
    with pytest.raises(SnapshotError, match="names no generation"):
        Snapshot.current(tmp_path)
    (tmp_path / "CURRENT").write_text("000009-2026-01-31 deadbeef\n")
    with pytest.raises(SnapshotError, match="no such generation"):
        Snapshot.current(tmp_path)


def test_a_generation_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    name = publish(tmp_path, [profile(1)])
    path = tmp_path / name / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": [2, 0]}))
    point_at(tmp_path, name)
    with pytest.raises(SnapshotError, match="Format 2"):
        Snapshot.current(tmp_path)


def test_candidates_come_with_the_profile_they_were_prepared_for(tmp_path: Path) -> None:
    publish(tmp_path, [Published(profile(1), b"packed"), profile(2)])
    with Snapshot.current(tmp_path) as snapshot:
        found = [snapshot.customer(profile(n).customer_id) for n in (1, 2, 3)]
    assert found == [Published(profile(1), b"packed"), Published(profile(2)), None]


def test_a_generation_of_the_format_before_is_read_without_candidates(tmp_path: Path) -> None:
    name = publish(tmp_path, [profile(1)])
    with sqlite3.connect(tmp_path / name / "customers.sqlite") as connection:
        connection.execute("ALTER TABLE customers DROP COLUMN prepared")
    connection.close()
    with Snapshot.current(tmp_path, verify=False) as snapshot:
        assert snapshot.customer(profile(1).customer_id) == Published(profile(1))


def test_a_closed_generation_refuses_readers_instead_of_keeping_them_waiting(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1)])
    snapshot = Snapshot.current(tmp_path)
    snapshot.close()
    with pytest.raises(SnapshotError, match="A read failed"):
        snapshot.profile(profile(1).customer_id)


def test_nobody_can_write_into_an_opened_generation(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1)])
    with Snapshot.current(tmp_path) as snapshot, pytest.raises(SnapshotError, match="readonly"):
        snapshot._read("DELETE FROM customers", ())


def test_closing_waits_for_whoever_reads_just_now(tmp_path: Path) -> None:
    publish(tmp_path, [profile(1)])
    snapshot = Snapshot.current(tmp_path)
    reading = snapshot._idle.get()
    closing = threading.Thread(target=snapshot.close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()
    assert reading.execute("SELECT count(*) FROM customers").fetchone() == (1,)
    snapshot._idle.put(reading)
    closing.join(10)
    assert not closing.is_alive()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        reading.execute("SELECT 1")


def test_a_profile_is_read_in_microseconds(tmp_path: Path) -> None:
    publish(tmp_path, [profile(n) for n in range(5_000)])
    with Snapshot.current(tmp_path) as snapshot:
        keys = [f"c{n * 7 % 5_000:06d}" for n in range(3_000)]
        began = perf_counter()
        for key in keys:
            snapshot.profile(key)
        each = (perf_counter() - began) / len(keys)
    assert each < 200e-6  # about 25 microseconds on a quiet machine; the bound leaves room for a busy one
