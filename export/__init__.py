"""What training leaves behind becomes a version directory that TensorFlow Serving loads: `sightline export`.

    cli         arguments in, exit code out; TensorFlow is not imported before it is needed
    source      a path ─► which kind of source it is, and the files it consists of
    request     one export, fully described; its fingerprint says whether it was made before
    exporter    the story: load ─► write ─► prove ─► publish
    checkpoint, tf1_checkpoint, frozen_graph, keras_model, saved_model, object_detection_api
                one kind of source each ─► a `Detector`; `keras_2` loads what Keras 2 wrote
    network     a source whose tensors are known by name ─► a `Detector`: by its `family`, or as it was described
    box_scale   whether boxes count pixels or fractions, seen on pictures
    label_map   class names by id; `string_int_label_map`, those of the Object Detection API
    decoding, decoder    what --decode says of a raw head; the same inside the graph
    findings    which labels call for a person, by --findings or by their names
    detector    what every source becomes: a function from pictures to the canonical outputs
    writer      a `Detector` ─► SavedModel, contract, warm-up requests; `freeze` ─► the same as one file
    golden      what the source found on the pictures of the proof, kept with the version; `digests`, those of its files
    proof       the written model, in a fresh process, against the source
    checkup     an exported version, against its golden answers and digests: `--check`
    versions    numbered directories, written beside and renamed into place
    inspector   a path ─► what lies there, an `Inspection`, and how it would be exported: `inspect`

A new kind of source is a new `Kind` in `source`, a module with `load(request) -> Detector`, and a line in `exporter`.
"""
