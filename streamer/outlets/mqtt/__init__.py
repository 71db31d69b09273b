"""A broker is told, by MQTT: what streams are doing, as retained messages, and each notification, at QoS 1."""
