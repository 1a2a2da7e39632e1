import numpy as np
import pytest
from needs import needs_pillow

from bitwright.data import InputSpec, from_folder
from bitwright.data.images import read_image

pytestmark = needs_pillow


def save(path, pixels, **options):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels))
    image.save(path, **options)
    return path


@pytest.fixture
def photos(tmp_path):
    """Ten plain cats, dark, and ten dogs, bright, each of its own grey; some deeper, some of other formats."""
    for k in range(10):
        save(tmp_path / "cat" / ("old" if k < 3 else "") / f"{k}.png", np.full((9, 9), 10 + k, np.uint8))
        save(tmp_path / "dog" / f"{k}.bmp", np.full((12, 12, 3), 200 + k, np.uint8))
    (tmp_path / "dog" / "notes.txt").write_text("not an image")
    (tmp_path / "dog" / ".9.png").write_text("a hidden file")
    (tmp_path / ".cache").mkdir()
    return tmp_path


def test_a_subfolder_is_a_class_and_every_image_is_used_once(photos):
    data = from_folder(photos, size=4, mode="L", test=0.3, validation=0.2)
    assert data.classes == ["cat", "dog"] and data.input == InputSpec("image", (1, 4, 4), "uint8", 0, 255, mode="L")
    x = np.concatenate([data.x_train, data.x_val, data.x_test])[:, 0, 0, 0]
    y = np.concatenate([data.y_train, data.y_val, data.y_test])
    assert sorted(zip(y.tolist(), x.tolist())) == [(0, 10 + k) for k in range(10)] + [(1, 200 + k) for k in range(10)]
    assert [len(part) for part in (data.y_train, data.y_val, data.y_test)] == [10, 4, 6]
    assert np.bincount(data.y_test).tolist() == [3, 3]
    again = from_folder(photos, size=4, mode="L", test=0.3, validation=0.2)
    assert (again.x_test == data.x_test).all()


def test_size_may_be_height_and_width_and_colour_is_channels_first(photos):
    data = from_folder(photos, size=(2, 3), mode="RGB")
    assert data.x_train.shape == (14, 3, 2, 3) and data.input.mode == "RGB"


def test_a_corrupt_image_is_named(photos):
    path = photos / "cat" / "9.png"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(
        ValueError, match=r"image: .*cat.9.png cannot be read as an image \(.*replace or remove the file"
    ):
        from_folder(photos)


def remove_dogs(root):
    for path in (root / "dog").iterdir():
        path.unlink()
    (root / "dog").rmdir()


def empty_dogs(root):
    for path in (root / "dog").glob("*.bmp"):
        path.unlink()


def leave_one_dog(root):
    for path in sorted((root / "dog").glob("*.bmp"))[1:]:
        path.unlink()


def add_stray(root):
    save(root / "stray.png", np.zeros((4, 4), np.uint8))


def rename_to_splits(root):
    (root / "cat").rename(root / "test")
    (root / "dog").rename(root / "train")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (remove_dogs, r"has one subfolder, 'cat'; expected at least two, a class each"),
        (empty_dogs, r"dog holds no images; add some, or remove the folder"),
        (leave_one_dog, r"too few rows of class 'dog' \(1\); each class needs at least 2"),
        (add_stray, r"stray.png lies beside the class folders; move it"),
        (rename_to_splits, r"are splits \(test, train\), not classes; give .*train"),
    ],
)
def test_a_folder_that_is_no_data_set_is_named(photos, change, said):
    change(photos)
    with pytest.raises(ValueError, match=said):
        from_folder(photos)


@pytest.mark.parametrize(("options", "said"), [({"mode": "CMYK"}, "mode is 'CMYK'"), ({"size": 0}, "size is 0")])
def test_bad_options_are_named(photos, options, said):
    with pytest.raises(ValueError, match=f"from_folder: {said}, expected"):
        from_folder(photos, **options)


def test_no_folder_and_an_empty_one(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"gone is not a folder; expected one with a subfolder of images a class"
    ):
        from_folder(tmp_path / "gone")
    with pytest.raises(ValueError, match=r"has no subfolders; expected at least two"):
        from_folder(tmp_path)


def test_an_image_of_the_right_size_is_read_as_it_is(tmp_path):
    x = np.random.default_rng(3).integers(0, 256, (5, 7, 3), np.uint8)
    assert (read_image(save(tmp_path / "x.png", x), 5, 7, "RGB") == x.transpose(2, 0, 1)).all()
    assert (read_image(save(tmp_path / "g.png", x[:, :, 0]), 5, 7, "L") == x[None, :, :, 0]).all()


def test_a_wide_image_loses_its_sides_not_its_proportions(tmp_path):
    x = np.zeros((8, 24), np.uint8)
    x[:, 8:16] = 200
    assert (read_image(save(tmp_path / "wide.png", x), 8, 8, "L") == 200).all()


def test_shrinking_averages(tmp_path):
    x = np.indices((64, 64)).sum(0) % 2 * np.uint8(200)  # a checkerboard: picking pixels would give 0 or 200
    small = read_image(save(tmp_path / "board.png", x.astype(np.uint8)), 8, 8, "L")
    assert (abs(small.astype(int) - 100) <= 2).all()


def test_what_cameras_and_editors_write(tmp_path):
    from PIL import Image

    sideways = Image.fromarray(np.array([[10, 20], [30, 40]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned right by 90 degrees
    turned = read_image(save(tmp_path / "turned.png", sideways, exif=exif), 2, 2, "L")
    assert turned.tolist() == [[[30, 10], [40, 20]]]
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = (10, 10, 10, 255)
    assert read_image(save(tmp_path / "clear.png", clear), 2, 2, "L").tolist() == [[[10, 255], [255, 255]]]
    deep = np.array([[0, 256 * 7 + 255], [256 * 128, 65535]], np.uint16)
    assert read_image(save(tmp_path / "deep.png", deep), 2, 2, "L").tolist() == [[[0, 7], [128, 255]]]
