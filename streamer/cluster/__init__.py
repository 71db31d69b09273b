"""Who of several replicas runs which stream, agreed on through the key-value store of NATS JetStream.

In: the streams that all of them know, and what is heard in the bucket. Out: which of the streams this replica gains and
loses, each with an epoch; and the streams themselves, as all of them know them. docs/design/cluster.md says why so.

member.py      a replica as the others know it; liveness.py: which of them live, by our own clock
shared.py      a stream as it is shared; assignment.py: to whom those belong that nobody owns
rebalancing.py which stream moves from whom to whom where some own too many
claims.py      who owns what, by the newest epoch
registry.py    which streams there are, by the records of files and of what the API changed
ownership.py   all of that joined, for one replica: what is done next. Pure: knows neither NATS nor a clock
servers.py     where NATS is, and how we show each other who we are
credentials.py who we are there, by a file: a user's JWT and seed, or an nkey's seed
bucket.py      the store, for as long as one connection lasts
opening.py     the store by whichever server serves it first
subjects.py    detections and events as messages, for the other replicas and for whoever else listens
replica.py     a connection that is made again, and what is done through it
"""
