"""Nothing of the user's is ever changed or removed, and a folder holds the old result or the new one, whole."""

import errno
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from folder_driver import FIRST, SECOND, counted, kill_at_each, tree, write
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from konvergensi.base import folders
from konvergensi.base.errors import InputError
from konvergensi.base.folders import InTheWay, claimed, drafted, drafted_file, free_beside, read_json, seal
from konvergensi.base.moving import DRAFT, MARKER
from konvergensi.base.owned import INTENT, MANIFEST, is_sealed
from konvergensi.report.written import FILES, names


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """What a kill leaves does not depend on what the disk was made to hold; waiting for that takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _handle: None)
        yield


KINDS = sorted(FILES)
RUN = names("run")
MINE = {
    "thesis.docx": "mine",
    "figures/thesis.png": "mine too",
    "series.csv": "1,2",
    "runs/notes.txt": "n",
    ".hidden": "",
}


def plant(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def state(folder: Path) -> str:
    """Which result a folder holds, whole: its summary, '' for none. Fails when it is anything between."""
    if not (folder / MANIFEST).exists():
        assert not any((folder / name).exists() for name in {**FIRST, **SECOND})
        return ""
    manifest = read_json(folder / MANIFEST)
    files = {"first": FIRST, "second": SECOND}[manifest["about"]]
    assert is_sealed(manifest) and set(manifest["files"]) == set(files)
    assert {name: (folder / name).read_text() for name in files} == files
    assert not any((folder / name).exists() for name in {**FIRST, **SECOND} if name not in files)
    return str(manifest["about"])


def refused(out: Path, match: str, targets: list[str] | None = None) -> InTheWay:
    """The refusal of a claim, which changes nothing."""
    before = tree(out)
    with pytest.raises(InTheWay, match=match) as caught:
        claimed(out, RUN if targets is None else targets)
    assert tree(out) == before
    assert not os.path.lexists(caught.value.free) and str(caught.value.free) in str(caught.value)
    return caught.value


# ---- what is not ours ------------------------------------------------------------------------------------------------


def test_foreign_files_that_are_not_in_the_way_stay(tmp_path: Path) -> None:
    plant(tmp_path, MINE)
    for files in (FIRST, SECOND, FIRST):
        assert claimed(tmp_path, [*FIRST, *SECOND]) is None or (tmp_path / MANIFEST).exists()
        write(tmp_path, files)
        assert state(tmp_path) == files["summary.md"]
        assert MINE.items() <= tree(tmp_path).items()


@pytest.mark.parametrize("name", ["summary.md", "series.parquet", "figures/prevalence.png", MANIFEST])
def test_a_foreign_file_in_the_way_is_told_with_a_free_folder(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    plant(out, {name: "mine"})
    (tmp_path / "out-2").mkdir()
    assert refused(out, f"out: {name} stands where .* konvergensi did not write it.*out-3").free == tmp_path / "out-3"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_knows_what_it_would_write(tmp_path: Path, kind: str) -> None:
    for number, target in enumerate(names(kind, "lebak")):
        out = tmp_path / str(number)
        plant(out, {target.replace("*", "x"): "mine"})
        refused(out, "konvergensi did not write it", names(kind, "lebak"))


def test_a_folder_where_a_file_belongs_and_a_file_where_a_folder_belongs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "summary.md").mkdir(parents=True)
    refused(tmp_path / "a", "summary.md is a folder, where a file")
    plant(tmp_path / "b", {"figures": "mine"})
    refused(tmp_path / "b", "figures is no folder, where a folder")


@pytest.mark.parametrize("name", ["figures", "summary.md", MANIFEST, INTENT])
@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_inside_the_folder_is_never_written_through(tmp_path: Path, name: str, dangling: bool) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    plant(outside, {"mine.txt": "mine"})
    out.mkdir()
    (out / name).symlink_to(tmp_path / "nowhere" if dangling else outside / ("" if name == "figures" else "mine.txt"))
    refused(out, f"{name} ")
    with pytest.raises(InTheWay):
        write(out, FIRST | {name: "x"} if name not in ("figures", INTENT) else FIRST)
    assert tree(outside) == {"mine.txt": "mine"} and os.listdir(out) == [name]


def test_a_changed_file_of_ours_is_refused_and_a_removed_one_made_again(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    (tmp_path / "figures" / "map.png").unlink()
    claimed(tmp_path, RUN)
    (tmp_path / "summary.md").write_text("my notes")
    refused(tmp_path, "summary.md was changed since konvergensi wrote it")
    with pytest.raises(InTheWay):
        write(tmp_path, SECOND)
    assert (tmp_path / "summary.md").read_text() == "my notes"


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ('{"version": "0.1.0", "hashes": {}, "packages": {}}', "was written by version 0.1.0, which kept no checksums"),
        ('{"format": 1, "study": {}, "identity": {}}', "belongs to the store of a study"),
        ('{"kind": "study", "format": 2}', "belongs to the store of a study"),
        ('{"name": "my web app"}', "konvergensi did not write it"),
        ("[1, 2]", "konvergensi did not write it"),
        ('{"files": {"../mine.txt": "00"}, "checksum": "00"}', "was changed since konvergensi wrote it"),
    ],
)
def test_a_manifest_of_another_is_refused(tmp_path: Path, manifest: str, told: str) -> None:
    plant(tmp_path, {MANIFEST: manifest})
    refused(tmp_path, f"{MANIFEST} .*{told}")


def test_a_manifest_that_lists_files_elsewhere_removes_none(tmp_path: Path) -> None:
    from konvergensi.base.files import digest
    from konvergensi.base.folders import write_json
    from konvergensi.base.owned import sealed

    out = tmp_path / "out"
    plant(tmp_path, {"mine.txt": "mine", "out/x": ""})
    for name in ("../mine.txt", str(tmp_path / "mine.txt"), "a/../../mine.txt"):
        write_json(sealed({"kind": "run", "files": {name: digest(b"mine")}}), out / MANIFEST)
        refused(out, f"{MANIFEST} was changed")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_the_own_folders_of_a_store_take_no_result(tmp_path: Path) -> None:
    plant(tmp_path, {MANIFEST: '{"kind": "study"}', "runs/part-000001.parquet": "", "discover/x": ""})
    refused(tmp_path / "runs", "belongs to the store of a study")
    assert claimed(tmp_path / "discover", RUN) is None


def test_what_slips_through_is_caught_at_the_end(tmp_path: Path) -> None:
    claimed(tmp_path, [])
    plant(tmp_path, MINE | {"summary.md": "mine"})
    before = tree(tmp_path)
    with pytest.raises(InTheWay, match=r"summary.md stands where"):
        write(tmp_path, FIRST)
    assert tree(tmp_path) == before


def test_a_single_file_takes_the_place_of_nothing(tmp_path: Path) -> None:
    plant(tmp_path, {"thesis.tar.gz": "mine", "thesis-2.tar.gz": "mine"})
    with (
        pytest.raises(InTheWay, match=r"is there already.*thesis-3\.tar\.gz"),
        drafted_file(tmp_path / "thesis.tar.gz"),
    ):
        raise AssertionError("told before the work")
    with drafted_file(tmp_path / "new" / "thesis.tar.gz") as draft:
        draft.write_text("theirs")
    assert tree(tmp_path) == {
        "new": "folder", "new/thesis.tar.gz": "theirs", "thesis.tar.gz": "mine", "thesis-2.tar.gz": "mine",
    }  # fmt: skip


# names that results write, and some that they do not; a name ends in a file, a folder or a link
PARTS = st.sampled_from(
    ["summary.md", "series.parquet", "figures", "map.png", "old.png", "thesis.png", MANIFEST, "details", "a", "runs",
     "new.parquet", f"{DRAFT}x", MARKER, INTENT, "manifest", "study.toml"]
)  # fmt: skip
TREES = st.dictionaries(
    st.lists(PARTS, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["mine", "{}", '{"files": {}}', "FOLDER", "LINK", "LINK TO FOLDER"]),
    max_size=6,
)


def grow(folder: Path, planned: dict[str, str], outside: Path) -> None:
    """The tree as far as it can be: what a file or link stands in the way of is left out."""
    for name, what in planned.items():
        path = folder / name
        if any((folder / each).is_symlink() for each in path.relative_to(folder).parents):
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if what == "FOLDER":
                path.mkdir()
            elif what.startswith("LINK"):
                path.symlink_to(outside if "FOLDER" in what else outside / "mine.txt")
            elif not path.is_symlink():
                path.write_text(what)
        except OSError:
            continue


@examples(max_examples=60)
@given(planned=TREES, writes=st.lists(st.sampled_from([FIRST, SECOND]), min_size=1, max_size=3))
def test_no_foreign_file_is_ever_changed_or_removed(planned: dict[str, str], writes: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out, outside = Path(folder) / "out", Path(folder) / "outside"
        plant(outside, {"mine.txt": "mine"})
        out.mkdir()
        grow(out, planned, outside)
        before = tree(out)
        for files in writes:
            try:
                claimed(out, list(files))
                known = True
            except InTheWay:
                known = False
            try:
                write(out, files)
                assert known and state(out) == files["summary.md"]
            except InTheWay:
                assert not known or (out / MANIFEST).exists()
            assert before.items() <= tree(out).items()
            assert tree(outside) == {"mine.txt": "mine"}


# ---- where a folder is -----------------------------------------------------------------------------------------------


def test_an_out_that_is_a_link_works_in_its_real_folder(tmp_path: Path) -> None:
    plant(tmp_path / "real", MINE)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "new").symlink_to("not/yet")
    for link, real in (("link", "real"), ("new", "not/yet")):
        claimed(tmp_path / link, RUN)
        write(tmp_path / link, FIRST)
        write(tmp_path / link, SECOND)
        assert (tmp_path / link).is_symlink() and state(tmp_path / real) == "second"
    assert MINE.items() <= tree(tmp_path / "real").items()


def test_links_that_go_round_and_names_that_cannot_be_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    plant(tmp_path, {"file": "mine"})
    before = tree(tmp_path)
    for name in ("a", "x" * 256, "file", "file/out", "nul\0", "a/b/c"):
        with pytest.raises(InputError, match="out: cannot be written to"):
            claimed(tmp_path / name, RUN)
        assert tree(tmp_path) == before


def test_a_claim_leaves_no_trace(tmp_path: Path) -> None:
    claimed(tmp_path / "not" / "yet", RUN)
    assert tree(tmp_path) == {}
    write(tmp_path / "ours", FIRST)
    before = tree(tmp_path)
    claimed(tmp_path / "ours", RUN)
    assert tree(tmp_path) == before


def test_a_name_of_250_characters_is_written(tmp_path: Path) -> None:
    out = tmp_path / ("x" * 250)
    claimed(out, RUN)
    write(out, FIRST)
    assert state(out) == "first"


def test_nothing_is_written_beside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent that takes nothing new, as root cannot be refused it by rights."""
    out = tmp_path / "out"
    write(out, FIRST)

    def only_inside(kept: Callable[..., None]) -> Callable[..., None]:
        def call(path: object, *more: object, **named: object) -> None:
            if Path(str(path)).parent == tmp_path:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            kept(path, *more, **named)

        return call

    for name in ("mkdir", "replace", "rename"):
        monkeypatch.setattr(os, name, only_inside(getattr(os, name)))
    claimed(out, RUN)
    write(out, SECOND)
    assert state(out) == "second"
    with pytest.raises(InputError, match=r"other: out: cannot be written to .Permission denied"):
        claimed(tmp_path / "other", RUN)


def test_a_full_disk_is_known_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LEAST_FREE", 10**18)
    with pytest.raises(InputError, match=r"cannot be written to .less than .* MB are free"):
        claimed(tmp_path / "out", RUN)
    assert tree(tmp_path) == {}


def test_the_free_name_lies_beside_or_for_a_place_without_a_name_inside(tmp_path: Path) -> None:
    plant(tmp_path, {"out/x": "", "out-2/x": ""})
    assert free_beside(tmp_path / "out") == tmp_path / "out-3"
    assert free_beside(Path(".")) == Path("konvergensi-2")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 20 MB, inside a folder of another."""
    place = tmp_path / "mounted"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "none", place], check=False, capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"this machine lets nobody mount: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_an_out_that_is_a_mount_point_is_written(mounted: Path, tmp_path: Path) -> None:
    plant(mounted, MINE)
    (tmp_path / "link").symlink_to(mounted)
    for out in (mounted, tmp_path / "link", mounted / "deeper"):
        claimed(out, RUN)
        write(out, FIRST)
        write(out, SECOND)
        assert state(out) == "second"
    assert MINE.items() <= tree(mounted).items()


def test_a_disk_that_fills_while_saving_leaves_the_old_result(mounted: Path) -> None:
    write(mounted, FIRST)
    claimed(mounted, RUN)
    with pytest.raises(OSError, match="No space left"):
        write(mounted, SECOND | {"series.parquet": "x" * 30_000_000})
    assert state(mounted) == "first" and not list(mounted.glob(f"{DRAFT}*"))
    (mounted / "big").write_bytes(b"x" * 10_000_000)
    with pytest.raises(InputError, match="MB are free"):
        claimed(mounted, RUN)


def test_a_folder_inside_that_is_a_mount_point_is_refused(tmp_path: Path, mounted: Path) -> None:
    inner = mounted / "out"
    (inner / "figures").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", inner / "figures"], check=True)
    try:
        refused(inner, "figures lies on another file system")
    finally:
        subprocess.run(["umount", "-l", inner / "figures"], check=True)


# ---- whoever fails or is killed at whatever moment -------------------------------------------------------------------


def prepared(out: Path) -> None:
    plant(out, MINE)
    write(out, FIRST)


def calls_of_a_write(out: Path) -> int:
    prepared(out)
    with counted(lambda _: None, out) as seen:
        write(out, SECOND)
    assert state(out) == "second" and seen[0] > 30
    return seen[0]


@pytest.mark.parametrize("lasting", [False, True])
def test_whatever_call_fails_the_folder_is_as_before_or_whole(tmp_path: Path, lasting: bool) -> None:
    for call in range(1, calls_of_a_write(tmp_path / "count") + 1):
        out = tmp_path / str(call)
        prepared(out)

        def fail(number: int, call: int = call) -> None:
            if number == call or (lasting and number > call):
                reason = (errno.ENOSPC, errno.EACCES, errno.EXDEV)[number % 3]
                raise OSError(reason, os.strerror(reason))

        with counted(fail, out):
            try:
                write(out, SECOND)
                outcome = "second"
            except OSError:
                outcome = "first"
        if not lasting:
            assert state(out) == outcome and not (out / INTENT).exists()
        claimed(out, RUN)  # the next start finishes what could not even be undone
        assert state(out) in ("first", "second")
        assert MINE.items() <= tree(out).items()
        assert not (out / INTENT).exists() and not list(out.glob(f"{DRAFT}*"))


def test_whatever_call_fails_a_new_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with counted(lambda _: None, out) as seen:
        write(out, FIRST)
    for call in range(1, seen[0] + 1):
        out = tmp_path / str(call)

        def fail(number: int, call: int = call) -> None:
            if number == call:
                raise OSError(errno.ENOSPC, "No space left on device")

        with counted(fail, out):
            try:
                write(out, FIRST)
                assert state(out) == "first"
            except OSError:
                assert not (out / MANIFEST).exists()
        claimed(out, RUN)
        assert not out.exists() or state(out) in ("first", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_writer_killed_at_any_moment_leaves_a_folder_that_the_next_one_puts_right(tmp_path: Path) -> None:
    last = calls_of_a_write(tmp_path / "count")
    seen = set()

    def look(out: Path) -> None:
        assert MINE.items() <= tree(out).items()
        if (out / MANIFEST).exists() and not (out / INTENT).exists():
            state(out)  # a manifest without an intent means whole
        seen.add((out / INTENT).exists())
        claimed(out, RUN)
        assert state(out) in ("first", "second")
        assert MINE.items() <= tree(out).items()
        assert not (out / INTENT).exists() and not list(out.glob(f"{DRAFT}*"))
        write(out, FIRST)
        assert state(out) == "first"

    kill_at_each(tmp_path / "out", 1, last, prepared, look)
    assert seen == {True, False}


def interrupted(out: Path) -> str:
    """A folder whose writer was killed between two moves; the name of its draft."""
    prepared(out)
    last = calls_of_a_write(out.with_name("count"))
    for call in range(last, 0, -1):
        kill_at_each(out, call, call, prepared, lambda _: None)
        here = out.with_name(f"{out.name}-{call}")
        moved = (here / INTENT).exists() and not (here / MANIFEST).exists() and (here / "summary.md").exists()
        if moved and (here / "summary.md").read_text() == "second":
            (draft,) = here.glob(f"{DRAFT}*")
            return f"{here.name}/{draft.name}"
    raise AssertionError("no such moment")


def test_a_half_moved_folder_whose_draft_is_gone_is_still_known_as_ours(tmp_path: Path) -> None:
    import shutil

    draft = tmp_path / interrupted(tmp_path / "out")
    shutil.rmtree(draft)
    claimed(draft.parent, RUN)
    write(draft.parent, FIRST)
    assert state(draft.parent) == "first" and MINE.items() <= tree(draft.parent).items()


def test_a_file_put_into_a_half_moved_folder_is_not_replaced(tmp_path: Path) -> None:
    out = (tmp_path / interrupted(tmp_path / "out")).parent
    plant(out, {"figures/map.png": "mine now"})
    with pytest.raises(InTheWay, match=r"figures/map.png was changed"):
        claimed(out, RUN)
    assert (out / "figures" / "map.png").read_text() == "mine now"


def test_only_drafts_of_ours_that_nobody_holds_are_swept(tmp_path: Path) -> None:
    plant(tmp_path, {f"{DRAFT}mine/thesis.md": "mine", f"{DRAFT}other/{MARKER}": "{}", f"{DRAFT}file": "mine"})
    before = tree(tmp_path)
    with drafted(tmp_path) as draft:
        (draft / "summary.md").write_text("live")
        claimed(tmp_path, RUN)
        assert (draft / "summary.md").exists()  # of a process at work
        seal(draft, {"kind": "run"})
    assert before.items() <= tree(tmp_path).items()


def test_two_that_save_at_once_leave_one_of_both(tmp_path: Path) -> None:
    both = [threading.Thread(target=write, args=(tmp_path, files)) for files in (FIRST, SECOND) * 3]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert state(tmp_path) in ("first", "second") and not list(tmp_path.glob(f"{DRAFT}*"))
