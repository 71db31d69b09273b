"""What training leaves behind becomes a version directory that TensorFlow Serving loads: `python -m export`.

    cli         arguments in, exit code out; TensorFlow is not imported before it is needed
    source      a path ─► which kind of source it is, and the files it consists of
    request     one export, fully described; its fingerprint says whether it was made before
    exporter    the story: load ─► write ─► prove ─► publish
    checkpoint, frozen_graph, saved_model    one kind of source each ─► a `Detector`
    detector    what every source becomes: a function from pictures to the canonical outputs
    writer      a `Detector` ─► SavedModel, contract, warm-up requests
    proof       the written model, in a fresh process, against the source
    versions    numbered directories, written beside and renamed into place

A new kind of source is a new `Kind` in `source`, a module with `load(request) -> Detector`, and a line in `exporter`.
"""
