"""The viewer page: static files that streamer.http.api serves at / and /web/."""
