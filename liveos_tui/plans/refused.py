"""Why there is no plan."""

from liveos_tui.errors import LiveosError

UNCHANGED = "Nothing was changed."


class PlanRefusedError(LiveosError):
    """Nothing is planned: the message says why not, the hint what helps. Nothing was changed."""


class BesideTakenError(PlanRefusedError):
    """The name of the new image is taken: by an image of another job, or by something else."""


class NothingToDoError(PlanRefusedError):
    """Nothing is planned because all is well as it is."""
