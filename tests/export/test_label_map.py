"""Label maps: three forms, one dict."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from sightline_export import string_int_label_map
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


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (r"item { id: 1 name: '\347\273\235\347\274\230\345\255\220' }", {1: "绝缘子"}),
        (r"item { id: 1 name: '\x41\t\u00e9' }", {1: "A\té"}),
        ("item { id: 1 name: 'power' \" line\" }", {1: "power line"}),
        ("item { id: 0x10 name: 'a' } item { id: 010 name: 'b' }", {16: "a", 8: "b"}),
        ("item < id: 1 name: 'a' > item: < id: 2; name: 'b' >", {1: "a", 2: "b"}),
        ("item: [{ id: 1, name: 'a' }, < id: 2 name: 'b' >]", {1: "a", 2: "b"}),
        ("item { id: 1 name: 'a' keypoints [{ id: 7 label: 'x' }, < id: 8 >] ancestor_ids: [1, 2] }", {1: "a"}),
        ("version: 2 item { id: 1 name: 'a' of: COMMON x: [1, 2] more < of: < name: 'b' > > }", {1: "a"}),
    ],
)
def test_pbtxt_is_what_protobuf_makes_of_it(tmp_path: Path, text: str, labels: dict[int, str]) -> None:
    """Escapes, strings in parts, hexadecimal and octal ids, <>, lists, and fields that are not known."""
    assert read(tmp_path, "map.pbtxt", text) == labels


@given(names=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5), as_utf8=st.booleans())
def test_what_protobuf_writes_is_read(names: list[str], as_utf8: bool) -> None:
    """Whatever characters class names hold, they come back from the text that protobuf makes of them."""
    message = string_int_label_map._StringIntLabelMap()
    for class_id, name in enumerate(names):
        message.item.add(id=class_id, name=name)
    text = text_format.MessageToString(message, as_utf8=as_utf8)
    assert list(string_int_label_map.read_items(text)) == list(enumerate(names))


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
        ("map.pbtxt", "item { id: 1 name: 'a' } item { id: 2 }", "item 2 (id 2) lacks its name"),
        ("map.pbtxt", "item { name: 'a' }", "item 1 (a) lacks its id"),
        ("map.pbtxt", "item { id: 1 name: 'a'", "line 1 is not of the form item { id: 1 name: 'x' }: Expected \"}\""),
        ("map.pbtxt", "}", "line 1 is not of the form"),
        (
            "map.pbtxt",
            "item { id: 1\n name: 'a\n }",
            "line 2 is not of the form item { id: 1 name: 'x' }: String missing",
        ),
        ("map.pbtxt", "item { id: 1 id: 2 name: 'a' }", 'should not have multiple "id" fields'),
        ("map.pbtxt", "item { id: 99999999999 name: 'a' }", "Value out of range: 99999999999"),
        ("map.pbtxt", "\n\nitem { id: 1 name: '\\377' }", "line 3 is not of the form"),
        ("map.pbtxt", "item { " * 9999, "nested too deep"),
        (
            "map.pbtxt",
            "item { id: 1 name: '" + "x" * 257 + "' }",
            "the name of id 1 has 257 characters",
        ),
        ("map.pbtxt", "#" * 4_000_001, "is larger than 4 MB, the most that is read"),
        ("map.pbtxt", "item { id: -1 name: 'a' }", "negative"),
        ("map.pbtxt", b"\xff\xfe\x00", "no UTF-8"),
        ("map.txt", "\n", "names no class"),
        ("map.json", '{"1": "a", "1": "b"}', "given twice"),
        ("map.json", '{"one": "a"}', "'one' is no class id"),
        ("map.json", '{"1": {"name": "a"}}', "expected"),
        ("map.json", "{}", "expected"),
        ("map.json", "3", "expected"),
        ("map.json", "{", "map.json"),
        ("map.json", "[" * 99_999, "nested too deep"),
        ("map.json", '["\\ud800"]', "the name of id 1, '\\ud800', is no text"),
        ("map.json", '{"3000000000": "a"}', "id 3000000000 of 'a' is too large"),
        ("map.json", '{"1": ""}', "the name of id 1 has 0 characters"),
        ("map.csv", "1,a", "a .csv file; known are .pbtxt, .txt, .json"),
    ],
)
def test_an_unusable_map_is_refused(tmp_path: Path, name: str, text: str | bytes, said: str) -> None:
    """A map that cannot be read, gives an id twice or is too large is refused with its file, place and reason."""
    with pytest.raises(Unusable) as caught:
        read(tmp_path, name, text)
    assert said in str(caught.value)
    assert name in str(caught.value)


def test_a_missing_map_is_refused(tmp_path: Path) -> None:
    """A label map that is not there is named."""
    with pytest.raises(Unusable, match="No such file"):
        read_label_map(tmp_path / "map.txt")
