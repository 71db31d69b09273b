"""streamer.view.clean: the camera's own pictures, on their way to viewers."""
