"""The viewer page: static files that streamer.api serves at / and /web/."""
