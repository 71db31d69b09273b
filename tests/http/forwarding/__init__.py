"""Tests of streamer.http.forwarding."""
