"""The rules of collecting a debt: pure functions and values, without clock, chance or input and output."""
