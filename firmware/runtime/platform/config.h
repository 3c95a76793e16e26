// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Parts of the API that a firmware image hardly ever has a use for, and that the linker cannot
// drop because Program::load() and Program::load_method() name them. On a host they are in, so that
// they are tested; bare metal leaves them out unless a build defines them as 1 (README.md, "Size").

#if defined(__unix__)
#define MCUGEN_HOSTED 1
#else
#define MCUGEN_HOSTED 0
#endif

/// All of the parts below at once; the image that runs models it has never seen sets it.
#ifndef MCUGEN_RUNTIME_FULL
#define MCUGEN_RUNTIME_FULL MCUGEN_HOSTED
#endif

/// Most instructions that one Method::execute() carries out; 0: no bound. A jump may go back, so a
/// file can ask for a loop without end: with the bound it gets Error::InvalidProgram. The largest
/// networks have some hundred instructions, and a loop runs its body once per slice of a tensor.
#ifndef MCUGEN_MAX_INSTRUCTIONS
#define MCUGEN_MAX_INSTRUCTIONS (1u << 20)
#endif

/// Verification::InternalConsistency also checks the tensors and lists that no method has been
/// asked for yet. Loading a method checks its own in any case. The name is upstream's.
#ifndef ET_ENABLE_PROGRAM_VERIFICATION
#define ET_ENABLE_PROGRAM_VERIFICATION MCUGEN_RUNTIME_FULL
#endif

/// Program::get_named_data_map(). What is named there is for delegates, which there are none of.
#ifndef MCUGEN_NAMED_DATA
#define MCUGEN_NAMED_DATA MCUGEN_RUNTIME_FULL
#endif

/// Kernels that are specialized to types and dim orders by a KernelKey. Without it only fallback
/// kernels (those without a key) are found.
#ifndef MCUGEN_KERNEL_KEYS
#define MCUGEN_KERNEL_KEYS MCUGEN_RUNTIME_FULL
#endif

/// Without a temp allocator, kernels get memory from et_pal_allocate(). Without this, and where
/// there is no heap, they get Error::NotFound.
#ifndef MCUGEN_PAL_TEMP_ALLOCATOR
#define MCUGEN_PAL_TEMP_ALLOCATOR MCUGEN_HOSTED
#endif

/// Program::load() walks the whole FlatBuffer (README.md, "Hostile files"). A generated project can
/// do without: the generator has walked its one model, whose CRC is checked at boot.
#ifndef MCUGEN_VERIFY_PROGRAM
#define MCUGEN_VERIFY_PROGRAM 1
#endif

/// Program::load() and load_method() check what the tables of the FlatBuffer say: indices, types,
/// sizes, places. A generated project can do without: the generator has checked its one model.
#ifndef MCUGEN_CHECK_PROGRAM
#define MCUGEN_CHECK_PROGRAM 1
#endif

/// Values other than tensors, numbers and lists of ints, and instructions other than kernel calls.
/// A generated project can do without where its one program has none.
#ifndef MCUGEN_ANY_PROGRAM
#define MCUGEN_ANY_PROGRAM 1
#endif

/// load_method() refuses calls that write to constants, to inputs that stay in the caller's memory,
/// or to what a move or a view may have put there (README.md, "Hostile files"). A generated project
/// can do without: the generator has checked its one model, operator by operator.
#ifndef MCUGEN_CHECK_OUTPUTS
#define MCUGEN_CHECK_OUTPUTS MCUGEN_RUNTIME_FULL
#endif
