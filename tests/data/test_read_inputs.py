import numpy as np
import pytest
from needs import needs_pillow

from bitwright.data import InputSpec, from_csv, from_folder, read_inputs

GREY = InputSpec("image", (1, 4, 4), "uint8", 0, 255, mode="L")
NUMBERS = InputSpec("array", (3,), "float32")


def save_image(path, pixels):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return path


@needs_pillow
def test_images_are_prepared_as_for_training(tmp_path):
    rng = np.random.default_rng(7)
    for k in range(4):
        save_image(tmp_path / "photos" / "ab"[k % 2] / f"{k}.png", rng.integers(0, 256, (13, 9, 3)))
    data = from_folder(tmp_path / "photos", size=4, mode="RGB", test=0, validation=0)
    names, x = read_inputs(tmp_path / "photos", data.input)
    assert names == ["a/0.png", "a/2.png", "b/1.png", "b/3.png"] and (x == data.x_train).all()
    names, x = read_inputs(tmp_path / "photos" / "b" / "3.png", data.input)
    assert names == ["3.png"] and (x == data.x_train[3:]).all()


@needs_pillow
def test_pixels_meet_the_range_of_the_training_data(tmp_path):
    path = save_image(tmp_path / "x.png", [[0, 8, 127, 128], [255, 247, 16, 239], [0] * 4, [0] * 4])
    _, x = read_inputs(path, InputSpec("image", (1, 4, 4), "uint8", 0, 16, mode="L"))
    exact = np.array([0, 8, 127, 128, 255, 247, 16, 239]) * 16 / 255
    assert x.ravel()[:8].tolist() == np.floor(exact + 0.5).tolist() and x.dtype == np.uint8
    assert read_inputs(path, GREY)[1].ravel()[:4].tolist() == [0, 8, 127, 128]


def test_a_npy_of_rows_or_of_one_row(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (5, 1, 4, 4), np.uint8)
    np.save(tmp_path / "x.npy", x)
    names, read = read_inputs(tmp_path / "x.npy", GREY)
    assert (read == x).all() and names == [f"x.npy[{k}]" for k in range(5)]
    np.save(tmp_path / "x.npy", x[2])
    assert (read_inputs(tmp_path / "x.npy", GREY)[1] == x[2:3]).all()


def test_a_csv_for_a_table_is_read_by_the_names_of_its_columns(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y\n" + "".join(f"{k},{'uv'[k % 2]},{k % 2}\n" for k in range(6)))
    data = from_csv(tmp_path / "t.csv", target="y", test=0, validation=0)
    (tmp_path / "new.csv").write_text("b,a\nv,3\nu,4\n")
    names, x = read_inputs(tmp_path / "new.csv", data.input)
    assert names == ["new.csv[0]", "new.csv[1]"] and x.tolist() == [[3, 0, 1], [4, 1, 0]]


@pytest.mark.parametrize("header", ["", "a,b,c\n"])
def test_a_csv_of_numbers_with_or_without_header(tmp_path, header):
    (tmp_path / "t.csv").write_text(header + "1,2.5,-3\n4,5,6\n")
    _, x = read_inputs(tmp_path / "t.csv", NUMBERS)
    assert x.dtype == np.float32 and x.tolist() == [[1, 2.5, -3], [4, 5, 6]]


def test_a_csv_of_pixels(tmp_path):
    (tmp_path / "t.csv").write_text(",".join(map(str, range(16))) + "\n")
    _, x = read_inputs(tmp_path / "t.csv", GREY)
    assert x.dtype == np.uint8 and (x == np.arange(16).reshape(1, 1, 4, 4)).all()


BAD_CSV = [
    ("1,2\n", NUMBERS, r"t.csv has 2 columns, expected 3, one a feature"),
    ("a,b,c\n1,2,3\n4,,6\n", NUMBERS, r"row 2 \(line 3\), column 'b' is empty"),
    ("1,,3\n4,5,6\n", NUMBERS, r"row 1 \(line 1\), column '2' is empty"),
    ("1,x,3\n4,5,6\n", NUMBERS, r"row 1 \(line 1\), column '2' is 'x', expected a finite number"),
    ("1,2,3\n4,x,6\n", NUMBERS, r"row 2 \(line 2\), column '2' is 'x', expected a finite number"),
    (",".join(["256"] * 16) + "\n", GREY, r"row 1 \(line 1\), column '1' is 256, expected an integer in 0..255"),
    (",".join(["0"] * 15 + ["0.5"]) + "\n", GREY, r"column '16' is 0.5, expected an integer"),
]


@pytest.mark.parametrize(("text", "spec", "said"), BAD_CSV)
def test_a_csv_that_does_not_fit_is_named(tmp_path, text, spec, said):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_inputs(tmp_path / "t.csv", spec)


def test_files_of_the_wrong_kind_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"predict: no file or folder .*gone.png"):
        read_inputs(tmp_path / "gone.png", GREY)
    with pytest.raises(ValueError, match=r"holds no images \(.png, .jpg"):
        read_inputs(tmp_path, GREY)
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"x.wav is none of: an image \(.*a folder of images, a .csv, a .npy"):
        read_inputs(tmp_path / "x.wav", GREY)
    (tmp_path / "x.npy").write_bytes(b"not numpy's")
    with pytest.raises(ValueError, match=r"x.npy is not a .npy of numbers"):
        read_inputs(tmp_path / "x.npy", GREY)
    np.save(tmp_path / "x.npy", np.array([{}], object))
    with pytest.raises(ValueError, match=r"x.npy is not a .npy of numbers"):
        read_inputs(tmp_path / "x.npy", GREY)
    np.save(tmp_path / "x.npy", np.zeros((2, 1, 4, 4)))
    with pytest.raises(TypeError, match=r"x.npy is float64, expected uint8 in 0..255"):
        read_inputs(tmp_path / "x.npy", GREY)


def test_an_image_for_a_model_of_numbers_is_refused(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"cat.png is an image, but the model eats a array; give it a .csv of 3 numbers"
    ):
        read_inputs(tmp_path / "cat.png", NUMBERS)
