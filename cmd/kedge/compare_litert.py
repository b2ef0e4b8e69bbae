# What kedge compare has Python do: run a model by LiteRT, write the results of
# all samples to a file and print times and versions as one line of JSON.
#
# Arguments: model, inputs, outputs, number of samples, inferences, threads.
import sys

sys.path = [p for p in sys.path if p]  # nothing from the folder that it is run in
import importlib
import importlib.metadata
import json
import platform
import time

model, inputs, outputs = sys.argv[1:4]
samples, n, threads = (int(a) for a in sys.argv[4:7])

absent = []
for package in "ai_edge_litert", "tflite_runtime":
    try:
        Interpreter = importlib.import_module(package + ".interpreter").Interpreter
        break
    except ImportError as e:
        absent.append(str(e))
else:
    print(json.dumps({"absent": absent}))
    sys.exit()

import numpy

version = ""
for distribution in package.replace("_", "-"), package.replace("_", "-") + "-nightly":
    try:
        version = importlib.metadata.version(distribution)
        break
    except importlib.metadata.PackageNotFoundError:
        pass

interpreter = Interpreter(model_path=model, num_threads=threads)
interpreter.allocate_tensors()


def load(tensor, file):
    kind = numpy.dtype(tensor["dtype"])
    count = int(numpy.prod(tensor["shape"], dtype=numpy.int64))
    values = numpy.frombuffer(file.read(count * kind.itemsize), dtype=kind)
    interpreter.set_tensor(tensor["index"], values.reshape(tensor["shape"]))


with open(inputs, "rb") as source, open(outputs, "wb") as results:
    for _ in range(samples):
        for tensor in interpreter.get_input_details():
            load(tensor, source)
        interpreter.invoke()
        for tensor in interpreter.get_output_details():
            results.write(interpreter.get_tensor(tensor["index"]).tobytes())

for _ in range(10):
    interpreter.invoke()
times = []
for _ in range(n):
    start = time.perf_counter()
    interpreter.invoke()
    times.append((time.perf_counter() - start) * 1e6)
times.sort()
print(json.dumps({
    "program": f"{package} {version}, Python {platform.python_version()}",
    "us_min": times[0], "us_median": (times[(n - 1) // 2] + times[n // 2]) / 2,
}))
