"""streamer.annotate.leftovers: nothing is removed but what a killed run left."""

from pathlib import Path

from streamer.annotate.leftovers import remove_leftovers


def test_only_what_is_half_written_goes(tmp_path: Path) -> None:
    """Half written files of ours are removed; hidden files of others stay, and in the folder itself all but ours."""
    half = ("labels/below/.a.txt.ab_12xyz", ".labels.csv.ab_12xyz")
    others = ("labels/.a.txt", "labels/.notes.abcd", ".a.txt.ab_12xyz", "photos/.a.jpg.ab_12xyz", "labels/a.txt")
    for name in (*half, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, ["labels.csv"], ["labels"])
    assert [name for name in half if (tmp_path / name).exists()] == []
    assert [name for name in others if not (tmp_path / name).exists()] == []
