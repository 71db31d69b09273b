"""Label maps: three forms, one dict."""

from pathlib import Path

import pytest

from sightline_export.errors import Unusable
from sightline_export.label_map import read_label_map


def read(tmp_path: Path, name: str, text: str | bytes) -> dict[int, str]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_label_map(path)


def test_pbtxt_prefers_the_display_name(tmp_path: Path) -> None:
    """A display_name wins over a name, which may be a machine id; comments, quotes and field order do not matter."""
    text = """
    # from the Object Detection API
    item { name: "/m/01g317" id: 3 display_name: 'person # 1' }
    item {
      id: 1,
      name: 'it\\'s'
    }
    item: { id: 2; name: "{x}" keypoints { id: 7 label: "nose" } }
    """
    labels = read(tmp_path, "map.pbtxt", text)
    assert labels == {1: "it's", 2: "{x}", 3: "person # 1"}
    assert list(labels) == [1, 2, 3]


def test_pbtxt_keeps_a_background_id(tmp_path: Path) -> None:
    """Id 0, which some maps give to the background, stands as it is."""
    assert read(tmp_path, "map.pbtxt", "item { id: 0 name: 'none' }") == {0: "none"}


def test_txt_counts_names_from_one(tmp_path: Path) -> None:
    """A .txt has one name a line; blank lines, comments and a byte order mark do not count."""
    assert read(tmp_path, "map.txt", "\ufeffa\n\n# note\n b c \r\n") == {1: "a", 2: "b c"}


@pytest.mark.parametrize(
    ("text", "labels"),
    [('{"2": "b", "1": "a"}', {1: "a", 2: "b"}), ('["a", "b"]', {1: "a", 2: "b"})],
)
def test_json_is_an_object_or_a_list(tmp_path: Path, text: str, labels: dict[int, str]) -> None:
    """A .json gives ids and names, or names only."""
    assert read(tmp_path, "map.json", text) == labels


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("map.pbtxt", "item { id: 1 name: 'a' } item { id: 1 name: 'b' }", "id 1 is given twice, to 'a' and 'b'"),
        ("map.pbtxt", "item { id: 1 }", "line 1 lacks its id or its name"),
        ("map.pbtxt", "item { id: 1 name: 'a'", "not closed"),
        ("map.pbtxt", "}", "unexpected } on line 1"),
        ("map.pbtxt", "item { id: 1\n name: 'a\n }", "line 2 is not of the form"),
        ("map.pbtxt", "item { id: -1 name: 'a' }", "negative"),
        ("map.pbtxt", b"\xff\xfe\x00", "no UTF-8"),
        ("map.txt", "\n", "names no class"),
        ("map.json", '{"1": "a", "1": "b"}', "given twice"),
        ("map.json", '{"one": "a"}', "'one' is no class id"),
        ("map.json", '{"1": {"name": "a"}}', "expected"),
        ("map.json", "{}", "expected"),
        ("map.json", "3", "expected"),
        ("map.json", "{", "map.json"),
        ("map.csv", "1,a", "a .csv file; known are .pbtxt, .txt, .json"),
    ],
)
def test_an_unusable_map_is_refused(tmp_path: Path, name: str, text: str | bytes, said: str) -> None:
    """A map that cannot be read, or gives an id twice, is refused with its file and the reason."""
    with pytest.raises(Unusable) as caught:
        read(tmp_path, name, text)
    assert said in str(caught.value)
    assert name in str(caught.value)


def test_a_missing_map_is_refused(tmp_path: Path) -> None:
    """A label map that is not there is named."""
    with pytest.raises(Unusable, match="No such file"):
        read_label_map(tmp_path / "map.txt")
