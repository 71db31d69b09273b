"""The service: one frame's way from a camera to a browser, in files named after its stages. Read `pipeline` first."""
