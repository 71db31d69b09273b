"""The viewer page: static files that streamer.http.page serves at / and /web/."""
