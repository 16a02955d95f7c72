import numpy as np
import pandas as pd
from PIL import Image

from amodal import Sound, show


def test_images_are_shown_and_sounds_have_players() -> None:
    sound = Sound(np.zeros(800, np.float32), 8000)
    frame = pd.DataFrame(
        {
            "image": [np.zeros((4, 4, 3), np.uint8), Image.new("L", (4, 4)), None],
            "sound": [sound, (8000, np.zeros(80)), None],
            "<b>": ["a < b", None, "c"],
        },
        index=["p", "q", "r"],
    )
    html = show(frame)._repr_html_()
    assert html.count('<img src="data:image/png;base64,') == 2
    assert html.count('<audio controls preload="none" src="data:audio/wav;base64,') == 2
    assert "<th>&lt;b&gt;</th>" in html
    assert "a &lt; b" in html
    assert "<th>q</th>" in html
    assert "0.10 s" in sound._repr_html_()


def test_rows_are_limited_and_others_counted() -> None:
    shown = show(pd.DataFrame({"a": range(50)}), rows=3)
    assert len(shown.frame) == 3
    assert "47 more rows" in shown._repr_html_()
    assert "more rows" not in show({"a": [1]})._repr_html_()


def test_paths_are_opened_below_the_folder_only(tmp_path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "1.png")
    frame = pd.DataFrame({"image": ["1.png", "../1.png", "gone.png"]})
    assert show(frame, media_root=tmp_path)._repr_html_().count("<img") == 1
