"""`sightline detect`: pictures and videos in, labels out, as a model finds them; the annotation of a training set.

    files ─► listing ─► reading ─► annotation ═gRPC═► model server
                                       └─► output (labels, pictures, journal) or printed (stdout)

command.py       from the options (options.py) to the exit code; words.py: what it says
listing.py       which files: those given, and those in folders
reading.py       files become pictures in the model's size (shot.py), in threads; photo.py, video.py: one file
annotation.py    pictures become answers, in batches; asking.py: one call; thresholds.py: what counts
output.py        a folder of answers (answer.py); printed.py: stdout; journal.py: what is done already;
                 leftovers.py: what a killed run left
forms.py         the forms of labels (form.py): documents.py (JSON), coco.py, voc.py, yolo.py, table.py (csv)
"""
