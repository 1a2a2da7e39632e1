"""`verify` sees a backend that is wrong in one hidden bit, or in one score."""

import numpy as np
import pytest
from building import data_for
from damage import image_program

from bitwright.ir import EXECUTORS, execute
from bitwright.ir.executors import Interpreter


class Wrong(Interpreter):
    """The interpreter with one value changed."""

    def __init__(self, number):
        self.number = number

    def run(self, program, x, threads=1):
        return self.values(program, x)[len(program.ops) - 1]

    def values(self, program, x, threads=1):
        values = {i: v.copy() for i, v in enumerate(execute(program, x, keep=True))}
        if self.number is not None and len(x) > 3:
            values[self.number].reshape(len(x), -1)[3, 1] ^= 1
        return values


@pytest.mark.parametrize("number", [None, 4, -1])
def test_one_wrong_value_is_found(number, monkeypatch):
    program = image_program()
    number = len(program.ops) - 1 if number == -1 else number
    monkeypatch.setitem(EXECUTORS, "wrong", Wrong(number))
    report = program.verify(data_for(program, 10), ["wrong"], batch=8)
    if number is None:
        assert report.ok and report.differing == 0 and report.backends[0].hidden_compared > 0
        return
    assert not report.ok
    assert f"sample 3, value {number} ({program.ops[number].name})" in str(report)
    assert report.backends[0].hidden_differing == 1
    assert report.backends[0].scores_differing == int(number == len(program.ops) - 1)


def test_comparing_nothing_is_an_error():
    x = np.zeros((2, 2, 4, 4), int)
    for samples, backends, batch in ((x, [], 2), (x[:0], None, 2), (x, None, 0), (x, None, -1)):
        with pytest.raises(ValueError, match="nothing to compare|batch is"):
            image_program().verify(samples, backends, batch)
    assert image_program().verify(x, "interpreter").ok


def test_the_last_short_batch_is_compared_and_samples_are_numbered_through(monkeypatch):
    program = image_program()
    monkeypatch.setitem(EXECUTORS, "wrong", Wrong(4))
    report = program.verify(data_for(program, 9), ["wrong"], batch=5)  # 5 and 4 samples: number 3 of each is wrong
    assert report.backends[0].hidden_differing == 2
    report = program.verify(data_for(program, 9), ["wrong"], batch=3)
    assert report.ok
    per_sample = sum(t.n_values for t in program.types)
    assert report.backends[0].hidden_compared == 9 * per_sample


def test_the_first_difference_is_named_by_its_sample(monkeypatch):
    class Late(Wrong):
        def values(self, program, x, threads=1):
            return super().values(program, x) if len(x) == 4 else Interpreter.values(self, program, x, threads)

    program = image_program()
    monkeypatch.setitem(EXECUTORS, "wrong", Late(4))
    assert "sample 8, value 4" in str(program.verify(data_for(program, 9), ["wrong"], batch=5))


def test_progress_counts_every_sample_and_wide_programs_take_small_batches(monkeypatch):
    program = image_program()
    seen = []
    assert program.verify(data_for(program, 9), ["interpreter"], batch=4, progress=seen.append).ok
    assert seen == [4, 4, 1]
    per_sample = sum(type_.n_values for type_ in program.types)
    monkeypatch.setattr("bitwright.ir.interpreter.BLOCK_VALUES", 2 * per_sample + 1)
    seen.clear()
    assert program.verify(data_for(program, 5), ["interpreter"], progress=seen.append).ok
    assert seen == [2, 2, 1]
