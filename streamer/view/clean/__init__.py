"""The clean video of one stream: the camera's own pictures, and beside them where everything is, as data.

In: encoded pictures as they come, and what the model and the tracker say of frames. Out: messages, each made once and
written to every viewer as it is (docs/api.md). Nothing is decoded or encoded for it.

wire.py      messages as bytes
group.py     the pictures since the last key picture, for whoever comes late; unheard.py the same while nobody is there;
             room.py how much of it
backlog.py   what one viewer is still to be sent, bounded
viewer.py    one viewer
placing.py   where everything is in a picture that has not been decoded; beside.py in one of another connection
clean.py     all of it joined
sizes.py     who is sent the camera's large video, and who its small one
"""
