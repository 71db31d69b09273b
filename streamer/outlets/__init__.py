"""Who is told: webhooks and MQTT.

In: notifications of an outbox that outlives us, and what streams are doing. Out: requests to receivers and messages to
a broker, each at least once, in order a stream, and each receiver waits for itself alone.
"""
