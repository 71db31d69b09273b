"""Real peers for the tests: an RTSP server, a browser, a Prometheus, and the clips that go through them.

required.py      which system tools and data files a test needs, and what happens when they are missing
process.py       a program that is always stopped again
clip.py          small H.264 clips whose frames carry their own number
rtsp_server.py   gst-rtsp-server as a camera that can freeze, die and come back
chromium.py      the system's Chromium, driven by playwright
prometheus.py    a real Prometheus scraping what a test gives it
"""
