"""HR's rooms: calls and the way into a team, roster, courses, import, pulse."""
