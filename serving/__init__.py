"""TensorFlow Serving for Sightline: the contract, its wire format, an embedded server where there is no Docker."""
