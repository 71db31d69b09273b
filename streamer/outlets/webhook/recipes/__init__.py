"""In whose words a receiver is told: each recipe makes one request of a letter. Pure."""
