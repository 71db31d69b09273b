"""What a rendered scene is made of. World axes in metres: x along the line, y away from the drone, z up."""
