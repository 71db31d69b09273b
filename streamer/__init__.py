"""The service: one frame's way from a camera to a browser, in rooms. Read `stream/pipeline.py` first."""
