"""A broker is told by MQTT.

In: notifications, and a look at streams and rules. Out: a message for each notification, at QoS 1; the state of streams
and rules, which the broker holds; devices for Home Assistant; and what commands say, where they are taken.

outlet.py     the outlet: a connection that is made again, and what leads to it; session.py: one connection
client.py     the library's client, mended; broker.py: whose
topics.py     where messages go; letter.py: what a notification says
board.py      what the broker is to hold of all streams and rules; retained.py: of that, what it does not know yet
pictures.py   the same of pictures
discovery.py  what Home Assistant is told; component.py: the parts of a stream's device
command.py    what we are told, understood; commands.py: obeyed
remarks.py    what of all that may be said in the log
"""
