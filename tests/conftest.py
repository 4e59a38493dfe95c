"""What all tests share."""

from pathlib import Path

from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

# Examples that failed are kept with the other caches: a folder of its own at the top would be
# looked into for tests. No deadline: the machine is shared, and a slow moment is no failure.
set_hypothesis_home_dir(Path(__file__).parents[1] / ".cache" / "hypothesis")
settings.register_profile("liveos", deadline=None, print_blob=True)
settings.load_profile("liveos")
