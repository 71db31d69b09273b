"""`sightline doctor` and `POST /api/doctor`: what is wrong with a camera, what it sends, and what would be better.

A camera is opened once, as a stream's source opens it, watched for some seconds, and judged:

    URL ─► examination ─► observation ─► measurements ─► findings ─► report
            (a thread)     (what came)     (numbers)      (words)      (JSON, text)

examination.py   one camera: opened, and watched; never longer than ten seconds
watch.py         what comes of a camera, noted and decoded
observation.py   what came. A value that grows
symptoms.py      whether a camera that was silent is there at all
measurements.py  numbers from what came. Pure
findings.py      words from the numbers. Read this to add one. Pure
case.py          what a rule looks at, and what it says. Values
picture_rules.py, packet_rules.py  the rules, of pictures and of how they come. Pure
remedies.py      what to do about each word of a source's failure. Pure
facts.py         what an RTSP camera told of itself, in words. Pure
report.py        the answer: one word, and a document for programs
printout.py      the same for a person. Pure
still.py         one picture as a JPEG
command.py       the command
practice.py      the API's: few at a time; http/doctor.py asks whether the configuration allows it
"""
