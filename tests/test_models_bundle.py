import json
import os
import zipfile
from datetime import date
from pathlib import Path

import pytest

from clv.errors import BundleError, ModelError, TamperedBundle, UnknownFormat
from models.bundle import Bundle, content_version
from models.files import (
    check_name,
    hash_file,
    pack_bundle,
    read_bundle,
    unpack_bundle,
    write_bundle,
    write_durably,
)
from models.verdict import Check, Verdict


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "trees").mkdir(parents=True)
    (made / "parameters.json").write_text('{"r": 0.243}')
    (made / "trees" / "amount.txt").write_text("tree")
    return made


def seal(folder: Path) -> Bundle:
    return write_bundle(
        folder,
        kind="value",
        as_of=date(2026, 1, 31),
        fingerprint="f",
        metrics={"gini": 0.7, "bias": float("inf")},
        facts={"chosen": "stack"},
    )


def test_a_sealed_bundle_reads_back(folder: Path) -> None:
    sealed = seal(folder)
    read = read_bundle(folder)
    assert (read.kind, read.as_of, read.version) == ("value", date(2026, 1, 31), sealed.version)
    assert read.metrics["gini"] == 0.7
    assert read.metrics["bias"] != read.metrics["bias"]  # what JSON cannot say comes back as not a number
    assert set(read.files) == {"parameters.json", "trees/amount.txt"}


def test_the_hash_is_the_published_one(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")  # the first test vector of FIPS 180-2, appendix B
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_file(tmp_path / "abc") == expected


def test_equal_files_have_an_equal_version_and_sealing_again_changes_nothing(folder: Path) -> None:
    first = seal(folder)
    assert seal(folder) == first or seal(folder).version == first.version
    (folder / "parameters.json").write_text('{"r": 0.244}')
    assert seal(folder).version != first.version


def test_an_empty_folder_cannot_be_sealed(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model file"):
        seal(tmp_path)


def test_a_folder_without_a_manifest_is_not_a_bundle(folder: Path) -> None:
    with pytest.raises(BundleError, match="no bundle here"):
        read_bundle(folder)


def test_every_single_changed_byte_of_every_file_is_noticed(folder: Path) -> None:
    sealed = seal(folder)
    for name in sealed.files:
        path = folder / name
        good = path.read_bytes()
        for position in range(len(good)):
            path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
            with pytest.raises(TamperedBundle, match="hash"):
                read_bundle(folder)
        path.write_bytes(good)
    assert read_bundle(folder).version == sealed.version


def test_a_missing_or_added_file_is_noticed(folder: Path) -> None:
    seal(folder)
    (folder / "added.txt").write_text("x")
    with pytest.raises(TamperedBundle, match="not in the manifest"):
        read_bundle(folder)
    (folder / "added.txt").unlink()
    (folder / "parameters.json").unlink()
    with pytest.raises(TamperedBundle, match="missing"):
        read_bundle(folder)


def test_a_link_in_place_of_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    seal(folder)
    outside = tmp_path / "outside.json"
    outside.write_bytes((folder / "parameters.json").read_bytes())
    (folder / "parameters.json").unlink()
    os.symlink(outside, folder / "parameters.json")
    with pytest.raises(TamperedBundle, match="link"):
        read_bundle(folder)


def rewrite(folder: Path, **changes: object) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_newer_major_format_is_refused_with_a_hint_and_a_newer_minor_is_read(folder: Path) -> None:
    seal(folder)
    rewrite(folder, format=[1, 9], new_field="later")
    assert read_bundle(folder).format == (1, 9)
    rewrite(folder, format=[2, 0])
    with pytest.raises(UnknownFormat, match="Update this software"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": None},
        {"format": ["1"]},
        {"format": [1]},
        {"as_of": "soon"},
        {"metrics": None},
        {"files": 3},
        {"version": "000000000000"},
        {"files": {"../parameters.json": "00"}},
        {"files": {"/etc/passwd": "00"}},
    ],
)
def test_a_garbled_manifest_is_refused(folder: Path, changes: dict[str, object]) -> None:
    seal(folder)
    rewrite(folder, **changes)
    with pytest.raises(TamperedBundle):
        read_bundle(folder)


def test_a_manifest_that_is_not_json_is_refused(folder: Path) -> None:
    seal(folder)
    (folder / "bundle.json").write_text("{")
    with pytest.raises(TamperedBundle, match="not JSON"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/x", "C:/x", "a\\..\\x", "", ".", "a//b", "./a", "a/"]
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(TamperedBundle, match="leaves"):
        check_name(name, "somewhere")


def test_a_bundle_travels_as_one_file(folder: Path, tmp_path: Path) -> None:
    sealed = seal(folder)
    assert pack_bundle(folder, tmp_path / "model.zip").version == sealed.version
    assert unpack_bundle(tmp_path / "model.zip", tmp_path / "there").version == sealed.version
    assert (tmp_path / "there" / "trees" / "amount.txt").read_text() == "tree"


@pytest.mark.parametrize("name", ["../escaped.txt", "/tmp/escaped.txt", "a/../../escaped.txt"])
def test_an_archive_that_reaches_out_of_its_folder_unpacks_nothing(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("good.txt", "good")
        archive.writestr(name, "evil")
    with pytest.raises(TamperedBundle, match="leaves"):
        unpack_bundle(tmp_path / "evil.zip", tmp_path / "there")
    assert [path.name for path in tmp_path.rglob("*")] == ["evil.zip"]


def test_an_archive_that_is_too_large_doubled_or_broken_is_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(folder)
    pack_bundle(folder, tmp_path / "model.zip")
    monkeypatch.setattr("models.files._LARGEST", 10)
    with pytest.raises(TamperedBundle, match="more than any model"):
        unpack_bundle(tmp_path / "model.zip", tmp_path / "there")
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a.txt", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.txt", "2")
    with pytest.raises(TamperedBundle, match="twice"):
        unpack_bundle(tmp_path / "twice.zip", tmp_path / "there")
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    with pytest.raises(TamperedBundle, match="broken"):
        unpack_bundle(tmp_path / "broken.zip", tmp_path / "there")


def test_a_durable_write_replaces_and_leaves_no_litter(tmp_path: Path) -> None:
    write_durably(tmp_path / "a", b"old")
    write_durably(tmp_path / "a", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"new")]


def test_the_version_depends_on_names_and_hashes() -> None:
    assert content_version({"a": "1", "b": "2"}) != content_version({"a": "2", "b": "1"})


def test_a_verdict_needs_a_reason() -> None:
    with pytest.raises(ModelError, match="reason"):
        Verdict.allow(" ")
    with pytest.raises(ModelError, match="Nothing was checked"):
        Verdict.of([])


def test_a_model_is_promoted_only_if_every_check_holds_and_the_reason_names_the_failed() -> None:
    ranks = Check("ranking", True, 0.72, 0.70, "ranks at .72 against .70 of past spend")
    level = Check("level", False, 0.3, 0.1, "is 30 % too high where 10 % are allowed")
    assert Verdict.of([ranks]) == Verdict(True, "ranks at .72 against .70 of past spend", (ranks,))
    assert Verdict.of([ranks, level]) == Verdict.deny(
        "is 30 % too high where 10 % are allowed", (ranks, level)
    )
