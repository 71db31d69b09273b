"""serving.text_proto reads messages that are described by their fields alone, and says what is wrong with a file."""

from pathlib import Path

import pytest

from serving import text_proto
from serving.errors import StartError

FIELDS: text_proto.Fields = {
    "count": "google.protobuf.Int64Value",
    "missing": "google.protobuf.BoolValue",
    "sizes": "repeated int64",
    "inner": {"name": "string", "deeper": {"share": "double"}},
}
Message = text_proto.message_class("a.b.Message", FIELDS)


def test_messages_have_the_fields_they_are_given(tmp_path: Path) -> None:
    """Scalars, wrappers, repeated fields and nested messages are read, and a wrapper that is not there is known."""
    (tmp_path / "text").write_text(
        'count { value: 5 } sizes: 1 sizes: [2, 3] inner { name: "a" deeper { share: 0.5 } }'
    )
    message = text_proto.read(tmp_path / "text", Message, "--flag")
    assert message.DESCRIPTOR.full_name == "a.b.Message"
    assert (message.count.value, message.HasField("missing"), list(message.sizes)) == (5, False, [1, 2, 3])
    assert (message.inner.name, message.inner.deeper.share) == ("a", 0.5)


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("cuont {}", "1:1", 'Message type "a.b.Message" has no field named "cuont".'),
        ("\nsizes: x", "2:8", "'sizes: x': Couldn't parse integer: x"),
        ("count: 5", "1:8", """'count: 5': Expected "{"."""),
        ("inner { deeper { share: 1 } ", "1:27", 'Expected "}".'),
        ('inner { name: "a\n" }', "1:15", """'inner { name: "a': String missing ending quote: '"a'"""),
        ("\x00", "1:1", "'\x00': Expected identifier or number, got \x00."),
    ],
)
@pytest.mark.parametrize("secret", [False, True])
def test_wrong_files_are_refused_in_one_line(tmp_path: Path, text: str, where: str, says: str, secret: bool) -> None:
    """The flag, the file, the line and column, and what is wrong there, which a secret file's line does not quote."""
    path = tmp_path / "text"
    path.write_text(text)
    with pytest.raises(StartError) as error:
        text_proto.read(path, Message, "--flag", secret=secret)
    assert str(error.value) == f"--flag {path}:{where} : {'not valid text of Message' if secret else says}"


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    """A missing file, a directory and bytes that are not text are named."""
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, says in (("nowhere", "No such file"), ("", "Is a directory"), ("bytes", "'utf-8' codec can't decode")):
        with pytest.raises(StartError) as error:
            text_proto.read(tmp_path / name, Message, "--flag")
        assert str(error.value).startswith(f"--flag {tmp_path / name}: {says}")
