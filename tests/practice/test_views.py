"""Base and store joined in user space, held to what every joiner does."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("views_specification")

from views_specification import (  # noqa: E402 - its assertions are to be rewritten
    MEMBER,
    NAME,
    Images,
    JoinerSpecification,
)

from liveos_tui.errors import LiveosError  # noqa: E402
from liveos_tui.practice import views  # noqa: E402
from liveos_tui.practice.views import UserSpaceJoiner  # noqa: E402
from liveos_tui.system.metrics import FilesystemUsage  # noqa: E402
from liveos_tui.system.runner import SystemRunner  # noqa: E402

pytestmark = pytest.mark.real_tools


class TestUserSpaceJoiner(JoinerSpecification):
    folder: Path

    @pytest.fixture
    def joiner(self, tmp_path: Path) -> UserSpaceJoiner:
        self.folder = tmp_path / "scratch"
        self.folder.mkdir()
        return UserSpaceJoiner(SystemRunner(), self.folder)

    def scratch(self, tmp_path: Path) -> Path:
        return self.folder

    def left_over(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def test_a_base_without_room_is_told_before_anything_is_written(
        self, joiner: UserSpaceJoiner, images: Images, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = FilesystemUsage(total_bytes=32 << 20, used_bytes=17 << 20, free_bytes=15 << 20)
        monkeypatch.setattr(views, "filesystem_usage", lambda _: usage)
        with (
            pytest.raises(LiveosError, match=r"needs 16 MiB in .*scratch, where 15 MiB is free"),
            joiner.base(images.squashfs, MEMBER, NAME),
        ):
            pass

    def test_a_copy_takes_no_room_for_zeros(self, joiner: UserSpaceJoiner, images: Images) -> None:
        with joiner.base(images.squashfs, MEMBER, NAME) as base:
            assert base.stat().st_blocks * 512 < base.stat().st_size / 4

    def test_an_erofs_is_left_to_the_kernel(self, joiner: UserSpaceJoiner, tmp_path: Path) -> None:
        image = Path(__file__).parents[1] / "data" / "images" / "erofs.head"
        with (
            pytest.raises(LiveosError, match="EROFS, which only the kernel"),
            joiner.base(image, MEMBER, NAME),
        ):
            pass
