"""What pretended people write with."""

WORDS = [
    "wind",
    "turbine",
    "night",
    "sea",
    "colleague",
    "safety",
    "heat",
    "grid",
    "storm",
    "ladder",
    "summer",
    "apprentice",
]
