"""TensorFlow Serving for Sightline: the contract, its wire format, and an embedded server for machines without Docker."""
