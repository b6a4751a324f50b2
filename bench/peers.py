"""What benchmark scripts share: our worker program (worker.h) and its peers, run in turn on the same inputs."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "vesalius/bench"

FP32_GATE = 2e-3  # of an output's largest value: what another order of summation may change


class Ours:
    """bench/NAME.cpp's program on FOLDER's weights, inputs and configuration: one line in, one line out."""

    def __init__(self, build, name, folder, threads):
        self.name, self.folder = name, folder
        self.process = subprocess.Popen(
            [build / "bench" / name, folder / "weights.safetensors", folder / "inputs.safetensors",
             folder / "config.json", str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"bench/{self.name}: the worker ended; its message stands above.")
        return json.loads(answer)

    def outputs(self):
        path = self.folder / "output.safetensors"
        self.ask(f"save {path}")
        return load_file(path)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def export(module, inputs, names, outputs, path):
    """The module as an ONNX file, kept in the cache."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        torch.onnx.export(module, inputs, str(partial), dynamo=False, opset_version=17, input_names=names,
                          output_names=outputs)
        partial.rename(path)
    return path


# A peer is called without arguments and gives a list of arrays.
def eager(module, inputs):
    def run():
        result = module(*inputs)
        return [x.float().numpy() for x in (result if isinstance(result, (list, tuple)) else [result])]

    return run


def onnxruntime_peer(path, inputs, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {i.name: x.numpy() for i, x in zip(session.get_inputs(), inputs)}
    return lambda: session.run(None, feed)


def openvino_peer(path, inputs, threads, precision):
    import openvino
    hints = {"INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[precision],
             "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    model = openvino.Core().compile_model(str(path), "CPU", hints)
    request = model.create_infer_request()
    feed = {i: x.numpy() for i, x in enumerate(inputs)}
    return lambda: [x.copy() for x in request.infer(feed).values()]


def measure(ours, request, peers, pairs, cpu_time):
    """Medians of `pairs` rounds in which every one runs once, in turning order."""
    clock, key = (time.process_time, "cpu_seconds") if cpu_time else (time.perf_counter, "seconds")
    times = {name: [] for name in ("ours", *peers)}
    order = list(times)
    for i in range(pairs):
        for name in order[i % len(order):] + order[:i % len(order)]:
            if name == "ours":
                times[name].append(ours.ask(request)[key])
            else:
                start = clock()
                peers[name]()
                times[name].append(clock() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def difference(outputs, reference):
    """The largest difference of an output, in shares of the reference's largest value."""
    return max(float(np.abs(np.asarray(a) - b).max() / np.abs(b).max()) for a, b in zip(outputs, reference, strict=True))


def compare(ours, case, precision, module, inputs, names, a, *, request, outputs, flops):
    """One row of a table: `module` in PyTorch, ONNX Runtime (fp32) and OpenVINO beside `request` to our worker, whose
    `outputs` by name are compared first. bf16 is measured against fp32 eager, and against the peer's own bf16."""
    peers = {"pytorch": eager(module, inputs)}
    reference = peers["pytorch"]()
    path = export(module, inputs, names, outputs, CACHE / f"{case}-{'quick' if a.quick else 'full'}.onnx")
    if precision == "fp32":
        peers["onnxruntime"] = onnxruntime_peer(path, inputs, a.threads)
    peers["openvino" if precision == "fp32" else "openvino bf16"] = openvino_peer(path, inputs, a.threads, precision)
    for _ in range(2):  # the second pass lays the weights out for those that are timed
        ours.ask(f"{precision} {request}")
    drift = difference(list(map(ours.outputs().get, outputs)), reference)
    drifts = {name: difference(run(), reference) for name, run in peers.items()}
    wrong = {n: d for n, d in {"ours": drift, **drifts}.items() if d > FP32_GATE and "bf16" not in n}
    if precision == "bf16":
        wrong.pop("ours", None)
    if wrong:
        sys.exit(f"{case} {precision}: outputs differ from PyTorch's, nothing timed: {wrong}")
    times = measure(ours, f"{precision} {request}", peers, a.pairs, a.cpu_time)
    limit = flops / ours.ask(f"peak {precision}")["cpu_flops" if a.cpu_time else "flops"]
    mine = times.pop("ours")
    return {"case": case, "precision": precision, "device": "cpu", "threads": a.threads,
            "clock": "cpu" if a.cpu_time else "wall", "ours_s": mine,
            "peers": times, "ratio": {n: t / mine for n, t in times.items()}, "limit_s": limit,
            "share": limit / mine, "max_rel_diff": drift, "peers_rel_diff": drifts}


def show(row, a):
    if a.json:
        print(json.dumps(row), flush=True)
        return
    ratios = "  ".join(f"{n} {t:.3f} s ({row['ratio'][n]:.2f}x)" for n, t in row["peers"].items())
    print(f"{row['case']:13} {row['precision']}  ours {row['ours_s']:.3f} s  {ratios}  limit {row['limit_s']:.3f} s "
          f"({row['share']:.0%})  drift {row['max_rel_diff']:.1e}", flush=True)


def arguments(name, description, more=lambda parser: None):
    """`more` adds a script's own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a shallow model, one image: under a minute")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cases", default="")
    parser.add_argument("--precisions", default="fp32,bf16")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--cpu-time", action="store_true",
                        help="compare processor time, for a machine that others use too; with --threads 1")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    more(parser)
    a = parser.parse_args()
    if not (a.build / "bench" / name).exists():
        parser.error(f"no {a.build}/bench/{name}; build with -DVESALIUS_BENCH=ON or give --build FOLDER")
    torch.set_num_threads(a.threads)
    torch.set_grad_enabled(False)
    return a


def precisions(a):
    """Those asked for that this CPU multiplies fast."""
    with open("/proc/cpuinfo") as info:
        has_bf16 = "avx512_bf16" in info.read()
    for precision in a.precisions.split(","):
        if precision == "bf16" and not has_bf16:
            print("bf16: this CPU has no AVX-512 bf16; left out.", file=sys.stderr)
        else:
            yield precision
