# SPDX-License-Identifier: BSD-3-Clause
"""Run a `.pte` on the host: what the device must compute, byte for byte.

The instructions are walked over buffers laid out as the file's memory plan says, so that views and
reused memory behave as on the device. int8 operators give what ExecuTorch's Python reference
operators give (`executorch/backends/cortex_m/ops/operators.py`), but much faster: sums of int8
products are integers far below 2**53, so float64 convolutions and matrix products are exact in any
order. Two operators are defined in integers where the Python reference computes in float:
`quantized_avg_pool2d` (sum plus or minus half the count, divided, truncated) and `softmax` (the
fixed-point algorithm of TFLite's int8 softmax).

What a program keeps between inferences (mutable buffers) a `Reference` keeps, too: it starts as a
device does that has just loaded the model.
"""
