from pathlib import Path

import pytest

from amodal.errors import UnreadableCell
from amodal.media import locate


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "table"
    (folder / "image").mkdir(parents=True)
    (folder / "image" / "a.png").write_bytes(b"a picture")
    (folder / "empty.png").touch()
    (tmp_path / "secret.png").write_bytes(b"not of this table")
    return folder


def test_a_relative_path_is_found(root: Path) -> None:
    assert locate("image/a.png", root) == (root / "image" / "a.png").resolve()
    assert locate("image/../image/./a.png", root).read_bytes() == b"a picture"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (3.5, "is float, not the path"),
        (None, "is NoneType"),
        ("", "is not the path of a file"),
        ("a\0.png", "is not the path of a file"),
        ("/etc/passwd", "absolute path; write it relative to the table's folder or pass media_root=FOLDER"),
        ("C:\\pictures\\a.png", "is an absolute path"),
        ("https://example.org/a.png", "is a URL"),
        ("file:///etc/passwd", "is a URL"),
        ("data:image/png;base64,AAAA", "is a URL"),
        ("../secret.png", "leaves the table's folder"),
        ("../nowhere.png", "leaves the table's folder"),
        ("image/b.png", "no such file"),
        ("image/a.png/b.png", "no such file"),
        ("x" * 5000, "cannot be opened"),
        ("image", "is a folder"),
        (".", "is a folder"),
        ("empty.png", "is an empty file"),
    ],
)
def test_what_is_no_path_is_refused(root: Path, cell: object, reason: str) -> None:
    with pytest.raises(UnreadableCell, match=reason.replace("(", r"\(")):
        locate(cell, root)


def test_a_table_without_a_folder_asks_for_one() -> None:
    with pytest.raises(UnreadableCell, match="pass media_root"):
        locate("a.png", None)


def test_a_link_may_point_within_the_folder_only(root: Path) -> None:
    (root / "inside.png").symlink_to(root / "image" / "a.png")
    (root / "outside.png").symlink_to(root.parent / "secret.png")
    (root / "up").symlink_to(root.parent)
    (root / "circle.png").symlink_to(root / "circle.png")
    assert locate("inside.png", root) == (root / "image" / "a.png").resolve()
    for cell in ("outside.png", "up/secret.png"):
        with pytest.raises(UnreadableCell, match="leaves"):
            locate(cell, root)
    with pytest.raises(UnreadableCell):
        locate("circle.png", root)


def test_the_root_may_itself_be_a_link(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert locate("image/a.png", link) == (root / "image" / "a.png").resolve()
