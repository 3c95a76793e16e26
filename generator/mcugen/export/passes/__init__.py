# SPDX-License-Identifier: BSD-3-Clause
"""ExecuTorch's Cortex-M passes, mended where they leave int8 tensors without a meaning.

The published passes remove the quantize/dequantize pairs around every operator that the quantizer
took, and then turn some of these operators into int8 ones. An operator they then leave as it was
computes with raw int8 values, whose scale is lost. It happens to

- a convolution, linear layer or addition, and the activation after it, whose range is shared with
  other tensors (by a `cat`, say) and so exceeds the activation's: fused all the same, by narrowing
  the limits that the operator clamps to, which every such operator has (fuse_activations.py);
- a hardswish: a table, as sigmoid is, behind whatever layer (to_cortex_m.py).

Functions of one tensor (mcugen::curve) become tables, too, and a linear layer whose weights have a
scale per output becomes an operator of our own (linear.py), as recurrent layers (recurrent.py) and
norms by the statistics of each sample do (norms.py).

Besides, cortex_m::minimum and maximum of two images came out in NCHW order, which pools and
convolutions refuse, and padding takes for another one (layouts.py); and attention could not
be lowered at all (manager.py).
"""
