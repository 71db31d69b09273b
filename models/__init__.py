"""The detectors that ship with Sightline: network, training, checkpoint, label map and model card, one folder each."""
