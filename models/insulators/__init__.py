"""Insulator strings of power lines and their missing caps, seen from a drone. Start with README.md, the model card."""
