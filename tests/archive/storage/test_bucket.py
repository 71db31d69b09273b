"""A bucket, by a server that speaks S3 and checks who asks."""

import random
from pathlib import Path

import pytest

from streamer.archive.storage.bucket import PART, Bucket, StorageAway
from tests.peers.object_storage import ACCESS_KEY, SECRET_KEY, ObjectStorage
from tests.peers.process import free_port


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of more than two parts."""
    path = tmp_path / "large.mp4"
    path.write_bytes(random.Random(16).randbytes(2 * PART + 12_345))
    return path


def test_a_file_of_several_parts_is_read_again_anywhere(storage: ObjectStorage, large: Path) -> None:
    """Whatever part is asked for is that of the file; to put it there once more changes nothing."""
    bucket, data = Bucket(storage.place()), large.read_bytes()
    for _ in range(2):
        bucket.upload("recordings/a-b/2025/11/29/one.mp4", large)
    assert storage.objects()["recordings/a-b/2025/11/29/one.mp4"] == len(data)
    for offset, size in ((0, 1), (PART - 3, 9), (len(data) - 5, 5), (7, 1 << 20)):
        assert bucket.read("recordings/a-b/2025/11/29/one.mp4", offset, size) == data[offset : offset + size]
    assert bucket.whole("recordings/a-b/2025/11/29/one.mp4") == data


def test_what_is_removed_is_gone_and_may_be_removed_again(storage: ObjectStorage, large: Path) -> None:
    """Nobody need know whether a removal was done before; what is not there is said to be missing."""
    bucket = Bucket(storage.place())
    bucket.upload("gone.mp4", large)
    bucket.remove("gone.mp4")
    bucket.remove("gone.mp4")
    assert "gone.mp4" not in storage.objects()
    with pytest.raises(FileNotFoundError):
        bucket.read("gone.mp4", 0, 1)
    with pytest.raises(FileNotFoundError):
        bucket.whole("gone.mp4")
    with pytest.raises(FileNotFoundError):
        bucket.upload("gone.mp4", large.with_name("nothing.mp4"))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"secret_key": "another"}, "the object storage refuses: SignatureDoesNotMatch"),
        ({"access_key": "nobody"}, "the object storage refuses: InvalidAccessKeyId"),
        ({"bucket": "nowhere"}, "there is no bucket nowhere"),
        (
            {"endpoint": "http://127.0.0.1:{free}"},
            "the object storage does not answer: s3://cameras/here at http://127.0.0.1:",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_clause_without_keys(
    storage: ObjectStorage, large: Path, given: dict[str, str], sentence: str
) -> None:
    """Whether it is written, read or removed; keys stand neither in it nor in what the values are shown as."""
    free = free_port()
    bucket = Bucket(storage.place(**{key: value.format(free=free) for key, value in given.items()}))
    for errand in (
        lambda: bucket.upload("x", large),
        lambda: bucket.read("x", 0, 1),
        lambda: bucket.whole("x"),
        lambda: bucket.remove("x"),
    ):
        with pytest.raises(StorageAway) as caught:
            errand()
        assert str(caught.value).startswith(sentence)
        assert "\n" not in str(caught.value)
        assert "another" not in repr(caught.value)
    for shown in (repr(bucket.place), str(bucket.place)):
        assert SECRET_KEY not in shown
        assert "another" not in shown
    assert ACCESS_KEY not in str(bucket.place)
