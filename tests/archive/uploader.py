"""Uploads what an archive has, until all is there or it is killed: a program for test_uploads.py."""

import sys
import time
from pathlib import Path

from streamer.archive.pictures import Pictures
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.sqlite import Sqlite
from streamer.archive.storage.bucket import Bucket, Place
from streamer.archive.uploads import Uploads
from tests.peers.object_storage import ACCESS_KEY, BUCKET, SECRET_KEY


def main(folder: Path, endpoint: str) -> None:
    """Upload until there is nothing left."""
    bucket = Bucket(Place(BUCKET, "here", endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY))
    database, files = Sqlite(folder / "sightline.db"), RecordingFiles(folder / "recordings")
    uploads = Uploads(bucket, database, Pictures(folder / "pictures", bucket), files, 1.0, wall=time.time)
    print("begun", flush=True)
    while uploads.step():
        pass
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
