"""Who a Program is timed beside: the float twin in PyTorch, and other engines where they happen to be installed.

A rival takes the float twin and gives a call on a float32 batch. None is required; one that is missing is left out.
"""

import importlib
import importlib.util
import io
from collections.abc import Callable
from typing import Any

import numpy as np

Call = Callable[[], object]
FLOAT_TWIN = "float twin, PyTorch"


def torch_eager(twin: Any, x: np.ndarray, threads: int) -> Call:
    """Eager, inference_mode, float32, the batch ready as a tensor; images in the layout that is faster for it."""
    import torch

    from bitwright.bench.timing import interleaved

    twin = twin.eval()
    batch = torch.from_numpy(x)

    def call(model: Any = twin, given: Any = batch) -> object:
        with torch.inference_mode():
            return model(given)

    if batch.ndim != 4 or not any(isinstance(layer, torch.nn.Conv2d) for layer in twin.modules()):
        return call
    import copy

    other = copy.deepcopy(twin).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    other_batch = batch.contiguous(memory_format=torch.channels_last)
    calls = {"as it is": call, "channels last": lambda: call(other, other_batch)}
    taken = interleaved(calls, rounds=3)
    return calls[min(taken, key=lambda name: taken[name].seconds)]


def onnxruntime(twin: Any, x: np.ndarray, threads: int) -> Call:
    """ONNX Runtime, float32, on the exported twin (needs onnx for the export)."""
    import torch

    runtime = importlib.import_module("onnxruntime")
    file = io.BytesIO()
    torch.onnx.export(twin.eval(), (torch.from_numpy(x),), file, input_names=["x"], dynamo=False)  # type: ignore[arg-type]
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = runtime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


def openvino(twin: Any, x: np.ndarray, threads: int) -> Call:
    """OpenVINO, latency hint, float32, on the converted twin."""
    import torch

    vino = importlib.import_module("openvino")
    converted = vino.convert_model(twin.eval(), example_input=torch.from_numpy(x), input=[x.shape])
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = vino.Core().compile_model(converted, "CPU", settings).create_infer_request()
    return lambda: request.infer([x])


# Name in the tables -> (package it needs, how to make its call).
RIVALS: dict[str, tuple[str, Callable[[Any, np.ndarray, int], Call]]] = {
    FLOAT_TWIN: ("torch", torch_eager),
    "float twin, ONNX Runtime": ("onnxruntime", onnxruntime),
    "float twin, OpenVINO": ("openvino", openvino),
}


def rival_calls(twin: Any, x: np.ndarray, threads: int) -> tuple[dict[str, Call], dict[str, str]]:
    """(name -> call, name -> why it is left out). x: float32 batch."""
    calls, missing = {}, {}
    for name, (package, build) in RIVALS.items():
        if importlib.util.find_spec(package) is None:
            missing[name] = f"{package} is not installed"
            continue
        try:
            calls[name] = build(twin, x, threads)
        except Exception as error:  # a rival that cannot take this network is no reason to stop
            missing[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return calls, missing
