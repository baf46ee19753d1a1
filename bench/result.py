"""One measured figure beside its goal and the limit of the same run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """``kept``: whether the goal was; None for a figure without a goal of its own.

    ``limit`` is what the same machine did in the same run without the product, in words with the
    ratio; empty where a count has no such thing.
    """

    name: str
    figure: str
    goal: str = ""
    limit: str = ""
    kept: bool | None = None

    def line(self) -> str:
        """One line for a terminal."""
        mark = {True: "kept", False: "VIOLATED", None: ""}[self.kept]
        parts = [self.name, self.figure, f"goal {self.goal}" if self.goal else "", self.limit, mark]
        return " · ".join(part for part in parts if part)

    def row(self) -> str:
        """One row of the Markdown table."""
        mark = {True: "yes", False: "**no**", None: ""}[self.kept]
        return f"| {self.name} | {self.figure} | {self.goal} | {self.limit} | {mark} |"
