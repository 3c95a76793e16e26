// SPDX-License-Identifier: BSD-3-Clause
// Inner loops of the int8 kernels for cores with the DSP extension: Armv7E-M (Cortex-M4, M7) and
// Armv8-M Mainline (M33). Contracts and C++ declarations: loops_dsp.h.
//
// In assembler because GCC does not keep these loops in registers: of the same loop by intrinsics
// it makes nearly twice the instructions (1.13 per MAC at -O2 against 0.63).
//
// All functions: AAPCS; leaf functions without recursion; r4-r11 are saved. No FPU register is
// touched. The stack only moves down by push, so interrupts are safe. LDM, LDRD and STM need their
// addresses word-aligned, and get scratch memory only; tensors are read by LDR, LDRB and written by
// STRH, STRB, which take any address.

    .syntax unified
    .thumb

// With MCUGEN_SMALL_KERNELS (--optimize size) some loops are unrolled less, or there is one for all
// forms instead of one for each; contracts and results are the same, but for what loops_dsp.h says.

#include <kernels/function.inc>
#include <kernels/products_dsp.inc>
#include <kernels/winograd_products.inc>

//
// Products of matrices, two pixels by two output channels
//

// All taps of the second of two pixels alone, by two channels: eight at a time.
// r0: pixels, r1: weights, both post-incremented; r3: end of the weights. r4, r5: accumulators of
// the channels. Clobbers r6 to r12, lr.
.macro last_pixel_taps
.Llast_pixel\@:
    .rept 2
    ldmia   r1!, {r6-r9}
    ldmia   r0!, {r10, r11, r12, lr}
    smlad   r4, r11, r6, r4
    smlad   r5, r11, r7, r5
    smlad   r4, lr, r8, r4
    smlad   r5, lr, r9, r5
    .endr
    cmp     r1, r3
    bne     .Llast_pixel\@
.endm

// Four taps of two pixels and two channels: 16 MAC, 10 instructions.
// r0: pixels, r1: weights, both post-incremented. r2, r3: pixel 0 of channels 0 and 1; r4, r5: of
// pixel 1. \s0, \s1: the accumulators that pixel 1 starts from.
.macro four_taps s0=r4, s1=r5
    ldmia   r1!, {r6-r9}                // c0 k02, c1 k02, c0 k13, c1 k13
    ldmia   r0!, {r10, r11, r12, lr}    // p0 k02, p1 k02, p0 k13, p1 k13
    smlad   r4, r11, r6, \s0
    smlad   r5, r11, r7, \s1
    smlad   r2, r10, r6, r2
    smlad   r3, r10, r7, r3
    smlad   r4, lr, r8, r4
    smlad   r5, lr, r9, r5
    smlad   r2, r12, r8, r2
    smlad   r3, r12, r9, r3
.endm

.equ FOUR_TAPS_BYTES, 40
#if defined(MCUGEN_SMALL_KERNELS)
.equ UNROLLED, 8
#else
.equ UNROLLED, 32
#endif

// Where a tile finds what no register is left for; the first six as one LDM takes them: stream, out,
// pixel_step, channel_step, their sum, pixels_end.
.equ TILE_STREAM, 0
.equ TILE_OUT, 4
.equ TILE_PIXEL_STEP, 8
.equ TILE_STEPS, 16
.equ TILE_PIXELS_END, 20
.equ TILE_ENTRY, 24         // into the unrolled loop
.equ TILE_EXIT, 28          // behind it
.equ TILE_WEIGHTS_END, 32
.equ TILE_EPILOGUE, 36
.equ TILE_PAIR_BYTES, 40
.equ TILE_ODD, 44
#if defined(MCUGEN_SMALL_KERNELS)
.equ TILE_SHIFT, 48
.equ TILE_BYTES, 52
#else
.equ TILE_BYTES, 48
#endif

// A tile's first taps; then the others.
.macro begin_tile
    ldmia   r1!, {r2, r3}               // biases
    four_taps r2, r3
    ldr     pc, [sp, #TILE_ENTRY]
.endm

// The results of a tile in r2-r5, stored; then the next one.
.macro end_of_tile
    ldm     sp, {r1, r6-r10}            // stream, out, pixel_step, channel_step, their sum, end
    strb    r2, [r6]
    strb    r4, [r6, r7]
    strb    r3, [r6, r8]
    strb    r5, [r6, r9]
    add     r6, r6, r7, lsl #1
    str     r6, [sp, #TILE_OUT]
    cmp     r0, r10
#if defined(MCUGEN_SMALL_KERNELS)
    bne     1b
    b       5f
#else
    beq.w   5f
    begin_tile                          // here, for a branch that is not taken
#endif
.endm

#if defined(MCUGEN_SMALL_KERNELS)
// Of results of one rescaling in 8 bits: three instructions, of any shift.
.macro end_of_tile_by_register
    ldm     r1, {r6-r9}                 // multiplier and offset of channel 0, of channel 1
    ldr     r10, [sp, #TILE_SHIFT]
    .irp acc, r2, r4
    smmla   \acc, \acc, r6, r7
    .endr
    .irp acc, r3, r5
    smmla   \acc, \acc, r8, r9
    .endr
    .irp acc, r2, r3, r4, r5
    asr     \acc, \acc, r10
    ssat    \acc, #8, \acc
    .endr
    b       .Lend_of_tile
.endm
#endif

// Of results of one rescaling in 8 bits: two instructions. The shift is in the code.
.macro end_of_tile_by shift
    ldm     r1, {r6-r9}                 // multiplier and offset of channel 0, of channel 1
    smmla   r2, r2, r6, r7
    smmla   r4, r4, r6, r7
    smmla   r3, r3, r8, r9
    smmla   r5, r5, r8, r9
    ssat    r2, #8, r2, asr #7 + \shift
    ssat    r4, #8, r4, asr #7 + \shift
    ssat    r3, #8, r3, asr #7 + \shift
    ssat    r5, #8, r5, asr #7 + \shift
    end_of_tile
.endm

    function mcugen_dsp_tiles
    push    {r4-r11, lr}
    ldm     r0, {r0-r8}                 // see McugenDspTiles
    // r0 pixels, r1 stream, r2 out, r3 pixel_step, r4 channel_step, r5 end, r6 taps / 4 - 1,
    // r7 form, r8 odd
    sub     sp, sp, #TILE_BYTES
    adr     r12, 3f
    orr     r12, r12, #1
#if defined(MCUGEN_SMALL_KERNELS)
    add     r9, r7, #7 + 3              // see end_of_tile_by
    str     r9, [sp, #TILE_SHIFT]
    adr.w   r9, .Ltile_exact            // the epilogue
    cbz     r7, 8f
    adr.w   r9, .Ltile_by_register
8:
    orr     r9, r9, #1
#else
    adr     r9, 6f
    ldrh    r9, [r9, r7, lsl #1]
    add     r9, r9, r12                 // the epilogue
#endif
    add     r7, r6, #1
    lsl     r7, r7, #4
    strd    r7, r8, [sp, #TILE_PAIR_BYTES]
    add     r8, r1, #24
    add     r8, r8, r6, lsl #4          // end of the weights
    strd    r8, r9, [sp, #TILE_WEIGHTS_END]
    cmp     r6, #UNROLLED
    it      hs
    addhs   r9, r12, #4                 // 4f
    and     r6, r6, #UNROLLED - 1
    mov     r7, #FOUR_TAPS_BYTES
    mls     r8, r6, r7, r12             // where to enter the unrolled loop
    strd    r8, r9, [sp, #TILE_ENTRY]
    mov     r6, r5
    add     r5, r3, r4
    stm     sp, {r1-r6}
1:
    begin_tile
    .balign 4
2:
    .rept UNROLLED
    four_taps
    .endr
    .balign 4
.Ltaps_end:
3:
    ldr.w   pc, [sp, #TILE_EXIT]        // most often nothing is left to test
4:
    ldr     r6, [sp, #TILE_WEIGHTS_END]
    cmp     r1, r6
    bne     2b
    ldr     pc, [sp, #TILE_EPILOGUE]
.Ltile_exact:
    ldm     r1, {r6-r10}                // multiplier and factor of channel 0, of 1; zero point
    round_twice r2, r6, r7, r10
    round_twice r4, r6, r7, r10
    round_twice r3, r8, r9, r10
    round_twice r5, r8, r9, r10
#if defined(MCUGEN_SMALL_KERNELS)
.Lend_of_tile:
    end_of_tile
.Ltile_by_register:
    end_of_tile_by_register
#else
    end_of_tile
    .irp shift, 4, 5, 6, 7, 8, 9, 10, 11
.Ltile_\shift:
    end_of_tile_by \shift
    .endr
#endif
5:
    ldrd    r2, r3, [sp, #TILE_PAIR_BYTES]
    cbnz    r3, 7f
    add     sp, sp, #TILE_BYTES
    pop     {r4-r11, pc}
7:
    add     r10, r10, r2
    movs    r3, #0
    str     r3, [sp, #TILE_ODD]
    str     r10, [sp, #TILE_PIXELS_END]
    lsls    r4, r2, #27                 // a multiple of twice four taps
    beq     10f
    sub     r6, r6, r7                  // the last pixel once more with the one before
    str     r6, [sp, #TILE_OUT]
    b       1b
10:                                     // the last pixel alone; the other one's results go to the
    strd    r3, r8, [sp, #TILE_PIXEL_STEP]  // same place first
    str     r8, [sp, #TILE_STEPS]
    ldmia   r1!, {r4, r5}
    add     r3, r1, r2                  // behind the weights
    last_pixel_taps
    ldr     pc, [sp, #TILE_EPILOGUE]
#if !defined(MCUGEN_SMALL_KERNELS)
    .balign 4
6:                                      // by form, how far behind label 3
    .irp form, exact, 4, 5, 6, 7, 8, 9, 10, 11
    .2byte  .Ltile_\form - 3b
    .endr
    .balign 4
#endif
    end_function mcugen_dsp_tiles

//
// Bytes to 16 bits, two rows side by side
//

// As widen_four, but times 2^8. r12: 0xff00ff00.
.macro scale_four_8 a=r6, b=r7, row0=r4, row1=r5, c=r8, d=r9
    and     \a, r12, \row0, lsl #8
    and     \b, r12, \row1, lsl #8
    and     \c, r12, \row0
    and     \d, r12, \row1
.endm

// Four taps of a pair of pixels.
.macro store_pair
    stmia   r2!, {r6-r9}
.endm

// Four bytes of each of two rows, those of r4 and r5, from \four to where they go.
.macro write_four four
    \four
    store_pair
.endm

// Eight bytes of each of two rows at r0 and r1, word-aligned.
.macro write_eight four
    ldrd    r6, r10, [r0], #8
    ldrd    r7, r11, [r1], #8
    \four   r4, r5, r6, r7, r6, r7
    \four   r8, r9, r10, r11, r10, r11
    stmia   r2!, {r4-r11}
.endm

    // r0, r1: two runs of bytes; r2: out; r3: bytes of a run; on the stack: minus
    // the zero point, how many pairs of runs, and from behind a run to the next. Behind the last
    // byte of a run come what zeros give.
    function mcugen_dsp_widen
    push    {r4-r11, lr}
    ldrd    r12, r10, [sp, #36]
    ldr     r11, [sp, #44]
#if !defined(MCUGEN_SMALL_KERNELS)
    orr     r4, r0, r1
    orrs    r4, r11
    orrs    r4, r3
    orr     r4, r4, r3, lsr #1
    lsls    r4, r4, #30
    bne     7f
8:                                      // whole words, four at a time
    lsrs    lr, r3, #4
    beq     10f
9:
    write_eight widen_four
    write_eight widen_four
    subs    lr, lr, #1
    bne     9b
10:
    lsls    r4, r3, #28
    bpl     11f
    write_eight widen_four
11:
    ldrd    r10, r11, [sp, #40]
    add     r0, r0, r11
    add     r1, r1, r11
    subs    r10, r10, #1
    str     r10, [sp, #40]
    bne     8b
    mov     r0, r2
    pop     {r4-r11, pc}
7:
    cmp     r3, #4                      // windows of few taps in a row
    bne     1f
    add     r11, r11, #4
12:
    ldr     r4, [r0]
    ldr     r5, [r1]
    add     r0, r0, r11
    add     r1, r1, r11
    write_four widen_four
    subs    r10, r10, #1
    bne     12b
    mov     r0, r2
    pop     {r4-r11, pc}
#endif
1:
    lsrs    lr, r3, #3
    beq     3f
2:
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    write_four widen_four
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    write_four widen_four
    subs    lr, lr, #1
    bne     2b
3:
    ands    lr, r3, #7
    bne     4f
5:
    add     r0, r0, r11
    add     r1, r1, r11
    subs    r10, r10, #1
    bne     1b
    mov     r0, r2
    pop     {r4-r11, pc}
4:                                      // one to seven bytes
    subs    lr, lr, #4
    blo     6f
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    write_four widen_four                    // leaves the flags
    beq     5b
    subs    lr, lr, #4
6:                                      // one to three, less four
    adds    lr, lr, #4
    last_bytes
    write_four widen_four
    b       5b
    end_function mcugen_dsp_widen

    widen_nine mcugen_dsp_widen_nine, store_pair

    // r0, r1: two rows of weights, word-aligned; r2: out; r3: their bytes, a multiple of eight.
    function mcugen_dsp_scale_words
    push    {r4-r11, lr}
    mov     r12, #0xff00ff00
    lsls    lr, r3, #28
    beq     1f
    write_eight scale_four_8
    subs    r3, #8
    beq     2f
1:
    .rept 2
    write_eight scale_four_8
    .endr
    subs    r3, #16
    bne     1b
2:
    mov     r0, r2
    pop     {r4-r11, pc}
    end_function mcugen_dsp_scale_words

//
// Depthwise 3x3 over planes of one channel
//

#if defined(MCUGEN_SMALL_KERNELS)

// One loop for rows of planes of any length and results of either sign; only the products of a pair
// are of a stride. What a row finds there:
.equ ROW_MULTIPLIER, 0  // offset behind it
.equ ROW_STEP, 8
.equ ROW_PAIRS, 12      // bytes of the plane that a row's pairs advance
.equ ROW_ODD, 16        // bytes of one pair, if a row has a pixel more
.equ ROW_SKIPS, 20      // of the plane, of the output
.equ ROW_LAST, 28       // the plane behind the last row
.equ ROW_PLANE, 32      // bytes of a row of the plane; then out_step, or 0 for the pixel more
.equ ROW_END, 40
.equ ROW_BIAS, 44       // twice
.equ ROW_OUT_STEP, 52
.equ ROW_ENTRY, 56      // the products of a pair
.equ ROW_BYTES, 60

// One row of a pair of windows, which begin at r0. \w01, \w12: weights 0, 1 and 1, 2.
.macro pair_row stride, w01, w12
    ldrd    r12, lr, [r0]
    smlad   r2, r12, \w01, r2
    smlabt  r2, lr, \w12, r2
    .if \stride == 1
    smlatb  r3, r12, \w01, r3
    smlad   r3, lr, \w12, r3
    .else
    smlad   r3, lr, \w01, r3
    ldr     r12, [r0, #8]
    smlabt  r3, r12, \w12, r3
    .endif
.endm

.macro pair_of stride
    ldrd    r2, r3, [sp, #ROW_BIAS]
    pair_row \stride, r4, r5
    add     r0, r0, r10
    pair_row \stride, r6, r7
    add     r0, r0, r10
    pair_row \stride, r8, r9
    adds    r0, #4 * \stride
.endm

    function mcugen_dsp_depthwise
    push    {r0, r4-r11, lr}
    sub     sp, sp, #ROW_BYTES
    add     r1, r0, #32
    ldm     r1, {r4-r10}                // pair_bytes, odd, skips, plane_end, form, out_step
    add     r1, sp, #ROW_PAIRS
    stm     r1, {r4-r8}
    lsrs    r9, r9, #1                  // carry: stride 2
    adr.w   r11, .Lpair_of_stride_1
    bcc     1f
    adr.w   r11, .Lpair_of_stride_2
1:
    lsl     r9, r9, #1
    orr     r11, r11, #1
    str     r9, [sp, #ROW_PLANE]
    strd    r10, r11, [sp, #ROW_OUT_STEP]
.Lchannel:
    ldm     r0, {r1-r8}
    // r1 plane, r2 out, r3 weights, r4 shifts, r5 multipliers, r6 bias, r7 channels, r8 plane_bytes
    mov     r12, r1
    mov     lr, r2
    add     r1, r1, r8
    adds    r2, #1
    adds    r3, #24
    ldr     r9, [r4], #4
    ldr     r11, [r5], #4
    ldr     r10, [r6], #4
    subs    r7, #1
    stm     r0, {r1-r7}                 // of the next channel
    add     r2, r9, #13                 // bits
    subs    r3, #24
    movs    r6, #1
    lsls    r6, r2
    mov     r4, r11
    ldr     r5, [r0, #60]               // offset
    add     r5, r5, r6, lsr #2
    lsrs    r7, r6, #1
    stm     sp, {r4, r5, r7}
    lsl     r10, r10, r2
    mov     r11, r10
    strd    r10, r11, [sp, #ROW_BIAS]
    subs    r1, r6, #1
    ldm     r3, {r4-r9}
    .irp word, r4, r5, r6, r7, r8, r9
    lsl     \word, \word, r2
    bic     \word, \word, r1, lsl #16   // what the lower half shifted into the upper one
    .endr
    mov     r0, r12
    mov     r1, lr
.Lrow:
    ldr     r12, [sp, #ROW_OUT_STEP]
    ldr     lr, [sp, #ROW_PAIRS]
    add     lr, lr, r0
.Lrow_up_to_lr:
    strd    r12, lr, [sp, #ROW_PLANE + 4]
    ldrd    r10, r11, [sp, #ROW_PLANE]
.Lpair:
    ldr     pc, [sp, #ROW_ENTRY]
.Lpair_of_stride_1:
    pair_of 1
    b       1f
.Lpair_of_stride_2:
    pair_of 2
1:
    sub     r0, r0, r10, lsl #1
    ldr     r12, [sp, #ROW_STEP]        // see rescale_row
    and     lr, r12, r2, asr #31
    and     r12, r12, r3, asr #31
    ldrd    r10, r11, [sp, #ROW_MULTIPLIER]
    smmla   r2, r2, r10, r11
    sub     r2, r2, lr
    smmla   r3, r3, r10, r11
    sub     r3, r3, r12
    ldrd    r10, r11, [sp, #ROW_PLANE]
    ssat    r2, #8, r2, asr #12
    ssat    r3, #8, r3, asr #12
    strb    r3, [r1, r11]               // of the pixel more there is no second one
    strb    r2, [r1]
    add     r1, r1, r11, lsl #1
    ldr     r12, [sp, #ROW_END]
    cmp     r0, r12
    bne     .Lpair
    ldr     lr, [sp, #ROW_ODD]
    cmp     lr, #0
    it      ne
    cmpne   r11, #0
    beq     2f                          // all is done
    add     lr, lr, r0
    mov     r12, #0
    b       .Lrow_up_to_lr
2:
    add     r12, sp, #ROW_SKIPS
    ldm     r12, {r2, r3, r12}
    add     r0, r0, r2
    add     r1, r1, r3
    cmp     r0, r12
    bne     .Lrow
    ldr     r0, [sp, #ROW_BYTES]
    ldrd    r2, r3, [r0, #24]           // channels, plane_bytes
    cbz     r2, 3f
    ldr     r4, [sp, #ROW_LAST]
    add     r4, r4, r3
    str     r4, [sp, #ROW_LAST]
    b       .Lchannel
3:
    add     sp, sp, #ROW_BYTES + 4
    pop     {r4-r11, pc}
    end_function mcugen_dsp_depthwise

#else

// Where a row finds what no register is left for. From 24 to 48: see mcugen_dsp_conv_depthwise.
.equ ROW_SKIPS, 0       // of the plane, of the output
.equ ROW_LAST, 8        // ROW_END of the last row
.equ ROW_MULTIPLIER, 12 // offset behind it
.equ ROW_STEP, 20       // exact only
.equ ROW_PAIRS, 24      // bytes of the plane that a row's pairs advance
.equ ROW_END, 48
.equ ROW_NEXT, 52       // behind the last row
.equ ROW_ENTRY, 56      // of the loop over three pairs, of stride 2 over two
.equ ROW_REST, 60       // behind a row's pairs
.equ ROW_BIAS, 64       // exact only, with out_step behind
.equ ROW_BYTES, 72

// r2 and, if both, r3 -> results, rescaled and saturated. Clobbers r12, lr.
.macro rescale_row exact, both=1
    .if \exact
    ldr     r12, [sp, #ROW_STEP]
    and     lr, r12, r2, asr #31
    .if \both
    and     r12, r12, r3, asr #31
    .endif
    ldrd    r10, r11, [sp, #ROW_MULTIPLIER]
    smmla   r2, r2, r10, r11
    sub     r2, r2, lr
    .if \both
    smmla   r3, r3, r10, r11
    sub     r3, r3, r12
    .endif
    ldrd    r10, r11, [sp, #ROW_BIAS]
    .else
    ldrd    r12, lr, [sp, #ROW_MULTIPLIER]
    smmla   r2, r2, r12, lr
    .if \both
    smmla   r3, r3, r12, lr
    .endif
    .endif
    ssat    r2, #8, r2, asr #12
    .if \both
    ssat    r3, #8, r3, asr #12
    .endif
.endm

// Two outputs of stride 1, whose windows begin at bytes behind r0. r4-r9: weights 0, 1 and 1, 2 of
// each row of the kernel. r10: bias.
.macro pair_stride_1 row_bytes, exact, at
    ldrd    r12, lr, [r0, #\at]
    smlad   r2, r12, r4, r10
    smlatb  r3, r12, r4, r10
    smlabt  r2, lr, r5, r2
    smlad   r3, lr, r5, r3
    ldrd    r12, lr, [r0, #\row_bytes + \at]
    smlad   r2, r12, r6, r2
    smlatb  r3, r12, r6, r3
    smlabt  r2, lr, r7, r2
    smlad   r3, lr, r7, r3
    ldrd    r12, lr, [r0, #2 * \row_bytes + \at]
    smlad   r2, r12, r8, r2
    smlatb  r3, r12, r8, r3
    smlabt  r2, lr, r9, r2
    smlad   r3, lr, r9, r3
    rescale_row \exact
    strb    r2, [r1]
    strb    r3, [r1, r11]
    add     r1, r1, r11, lsl #1
.endm

.macro single_stride_1 row_bytes
    ldrd    r12, lr, [r0]
    smlad   r2, r12, r4, r10
    smlabt  r2, lr, r5, r2
    ldrd    r12, lr, [r0, #\row_bytes]
    smlad   r2, r12, r6, r2
    smlabt  r2, lr, r7, r2
    ldrd    r12, lr, [r0, #2 * \row_bytes]
    smlad   r2, r12, r8, r2
    smlabt  r2, lr, r9, r2
.endm

// Two outputs of stride 2. r4-r6: weights 0, 1 of each row; r7: weight 2 of rows 0 and 1; r8: of
// row 2, on top. r10: bias.
.macro pair_stride_2 row_bytes, exact
    ldrd    r12, lr, [r0]
    smlad   r2, r12, r4, r10
    smlabb  r2, lr, r7, r2
    smlad   r3, lr, r4, r10
    ldr     r12, [r0, #8]
    smlabb  r3, r12, r7, r3
    ldrd    r12, lr, [r0, #\row_bytes]
    smlad   r2, r12, r5, r2
    smlabt  r2, lr, r7, r2
    smlad   r3, lr, r5, r3
    ldr     r12, [r0, #\row_bytes + 8]
    smlabt  r3, r12, r7, r3
    ldrd    r12, lr, [r0, #2 * \row_bytes]
    smlad   r2, r12, r6, r2
    smlabt  r2, lr, r8, r2
    smlad   r3, lr, r6, r3
    ldr     r12, [r0, #2 * \row_bytes + 8]
    smlabt  r3, r12, r8, r3
    rescale_row \exact
    strb    r2, [r1]
    strb    r3, [r1, r11]
    add     r1, r1, r11, lsl #1
    adds    r0, #8
.endm

.macro single_stride_2 row_bytes
    ldrd    r12, lr, [r0]
    smlad   r2, r12, r4, r10
    smlabb  r2, lr, r7, r2
    ldrd    r12, lr, [r0, #\row_bytes]
    smlad   r2, r12, r5, r2
    smlabt  r2, lr, r7, r2
    ldrd    r12, lr, [r0, #2 * \row_bytes]
    smlad   r2, r12, r6, r2
    smlabt  r2, lr, r8, r2
.endm

// The rows of a form, from behind its first instructions on, which all of a stride share. r12, of
// stride 2 r9: ROW_END.
.macro depthwise stride, row_bytes, exact
    .if \stride == 1
.Lthree_\stride\()_\row_bytes\()_\exact:
    pair_stride_1 \row_bytes, \exact, 0
.Ltwo_\stride\()_\row_bytes\()_\exact:
    pair_stride_1 \row_bytes, \exact, 4
.Lone_\stride\()_\row_bytes\()_\exact:
    pair_stride_1 \row_bytes, \exact, 8
    ldr     r12, [sp, #ROW_END]
    adds    r0, #12
    cmp     r0, r12
    .else
.Lthree_\stride\()_\row_bytes\()_\exact:
    pair_stride_2 \row_bytes, \exact
.Ltwo_\stride\()_\row_bytes\()_\exact:
.Lone_\stride\()_\row_bytes\()_\exact:
    pair_stride_2 \row_bytes, \exact
    cmp     r0, r9
    .endif
    bne     .Lthree_\stride\()_\row_bytes\()_\exact
    ldr     pc, [sp, #ROW_REST]
.Lodd_\stride\()_\row_bytes\()_\exact:  // one pixel more
    single_stride_\stride \row_bytes
    rescale_row \exact, 0
    strb    r2, [r1]
    add     r1, r1, r11
    .if \stride == 1
    ldr     r12, [sp, #ROW_END]
    .endif
.Leven_\stride\()_\row_bytes\()_\exact:
    ldm     sp, {r2, r3, lr}            // skips; the last row's end
    add     r0, r0, r2
    add     r1, r1, r3
    .if \stride == 1
    cmp     r12, lr
    add     r12, r12, #\row_bytes
    str     r12, [sp, #ROW_END]
    .else
    cmp     r9, lr
    add     r9, r9, #2 * \row_bytes
    .endif
    beq     5f
    ldr     pc, [sp, #ROW_ENTRY]
5:
    ldr     pc, [sp, #ROW_NEXT]
.endm

// Where a form's rows begin and what is behind their pairs, to r2, r3 and the stack. \form: as
// McugenDspDepthwise has it, afterwards without the latter; \entries: .Ldepthwise_entries.
.macro depthwise_entries form, entries
    lsr     r3, \form, #16
    uxth    \form, \form
    ldrh    r2, [\entries, \form, lsl #1]
    ldrh    r3, [\entries, r3, lsl #1]
    add     r2, r2, \entries
    add     r3, r3, \entries
    strd    r2, r3, [sp, #ROW_ENTRY]
.endm

.equ DEPTHWISE_OF_STRIDE_2, 15          // the first such form

    function mcugen_dsp_depthwise
    push    {r0, r4-r11, lr}
    sub     sp, sp, #ROW_BYTES
    ldr     r4, [r0, #32]               // pair_bytes
    add     r1, r0, #40
    ldm     r1, {r6-r9}                 // skips, plane_end, form
    sub     r8, r8, r6
    stm     sp, {r6-r8}
    str     r4, [sp, #ROW_PAIRS]
    adr     r12, 6f
    depthwise_entries r9, r12
    adr.w   r1, .Lnext_channel + 1
    str     r1, [sp, #ROW_NEXT]
3:
    ldm     r0, {r1-r8}
    // r1 plane, r2 out, r3 weights, r4 shifts, r5 multipliers, r6 bias, r7 channels, r8 plane_bytes
    mov     r12, r1
    mov     lr, r2
    add     r1, r1, r8
    adds    r2, #1
    adds    r3, #24
    ldr     r9, [r4], #4
    ldr     r11, [r5], #4
    ldr     r10, [r6], #4
    subs    r7, #1
    stm     r0, {r1-r7}                 // of the next channel
    add     r2, r9, #13                 // bits
    subs    r3, #24
    movs    r6, #1
    lsls    r6, r2
    mov     r4, r11
    ldrd    r11, r5, [r0, #56]          // out_step, offset
    add     r5, r5, r6, lsr #2
    lsrs    r7, r6, #1
    strd    r4, r5, [sp, #ROW_MULTIPLIER]
    str     r7, [sp, #ROW_STEP]
    lsl     r10, r10, r2
    strd    r10, r11, [sp, #ROW_BIAS]
    subs    r1, r6, #1
    ldrh    r0, [r0, #52]               // form
    ldm     r3, {r4-r9}
    .irp word, r4, r5, r6, r7, r8, r9
    lsl     \word, \word, r2
    bic     \word, \word, r1, lsl #16   // what the lower half shifted into the upper one
    .endr
    ldr     r2, [sp, #ROW_PAIRS]
    cmp     r0, #DEPTHWISE_OF_STRIDE_2
    mov     r0, r12
    mov     r1, lr
    add     r12, r12, r2
    bhs     4f
    str     r12, [sp, #ROW_END]
    ldr     pc, [sp, #ROW_ENTRY]
4:
    pkhtb   r7, r7, r5, asr #16
    mov     r5, r6
    mov     r6, r8
    mov     r8, r9
    mov     r9, r12
    ldr     pc, [sp, #ROW_ENTRY]
.Lnext_channel:
    ldr     r0, [sp, #ROW_BYTES]
    ldrd    r2, r3, [r0, #24]           // channels, plane_bytes
    cbz     r2, 5f
    ldr     r4, [sp, #ROW_LAST]
    add     r4, r4, r3
    str     r4, [sp, #ROW_LAST]
    b       3b
5:
    add     sp, sp, #ROW_BYTES + 4
    pop     {r4-r11, pc}
    .balign 4
.Ldepthwise_entries:
6:                                      // by form and pairs that are left out; what is behind
    .irp form, 1_64_0, 1_128_0, 1_128_1, 2_64_0, 2_128_0, 2_128_1
    .2byte  .Lthree_\form - 6b + 1
    .2byte  .Ltwo_\form - 6b + 1
    .2byte  .Lone_\form - 6b + 1
    .2byte  .Leven_\form - 6b + 1
    .2byte  .Lodd_\form - 6b + 1
    .endr
    depthwise 1, 64, 0
    depthwise 1, 128, 0
    depthwise 1, 128, 1
    depthwise 2, 64, 0
    depthwise 2, 128, 0
    depthwise 2, 128, 1
    end_function mcugen_dsp_depthwise

//
// A convolution and the depthwise one of 3x3 that reads it
//

// Two channels at a time: products go to two planes, then the loops of mcugen_dsp_depthwise read
// those. The first 24 bytes belong to whichever is at work: to products stream, out and pixels_end
// of this row, from the element before pixel 0 of channel 0 to both of channel 1, and plane_skip.
.equ BOTH_OUT, 4
.equ BOTH_LAST, TILE_ODD    // pixels_end of the last row
.equ BOTH, ROW_BIAS         // the McugenDspConvDepthwise, and its `windows`
.equ BOTH_BEGIN, 72         // of a channel's depthwise rows
.equ BOTH_THEN, 76          // behind the products
.equ BOTH_LEFT, 80          // last pixels of rows
.equ BOTH_BYTES, 84

// Words of a McugenDspConvDepthwise.
.equ BOTH_STREAM, 4
.equ BOTH_STREAM_BYTES, 28  // its end behind it
.equ BOTH_WINDOWS, 36
.equ BOTH_WINDOWS_OUT, 40
.equ BOTH_SECOND, 64
.equ BOTH_PLANE_BYTES, 68   // .Lboth_done behind it
.equ BOTH_DONE, 72
.equ BOTH_ROW_PIXELS, 76    // pixels_last behind it
.equ BOTH_FOURS, 84         // form behind it
.equ BOTH_ODD_ROWS, 92      // last_column behind it
.equ BOTH_ROW_BYTES, 100    // pair_bytes behind it

// A channel's weights and scaling at lr, and its rows.
.macro rows_of_channel
    ldmia   lr!, {r4-r10}               // weights and bias
    ldrd    r2, r3, [lr]
    strd    r2, r3, [sp, #ROW_MULTIPLIER]
    ldr     pc, [sp, #BOTH_BEGIN]
.endm

    function mcugen_dsp_conv_depthwise
    push    {r4-r11, lr}
    sub     sp, sp, #BOTH_BYTES
    add     r1, r0, #BOTH_WINDOWS
    strd    r0, r1, [sp, #BOTH]
    ldr     r1, [r0, #BOTH_STREAM]
    ldrd    r6, r5, [r0, #BOTH_FOURS]
    adr.w   r12, 1f + 1
    mov     r9, r12
    add     r8, r1, #24
    add     r8, r8, r6, lsl #4          // end of the weights
    strd    r8, r9, [sp, #TILE_WEIGHTS_END]
    cmp     r6, #UNROLLED
    blo     5f
    movw    r12, #:lower16:.Ltaps_end + 1   // many taps go round in the loop above
    movt    r12, #:upper16:.Ltaps_end + 1
    add     r9, r12, #4
    and     r6, r6, #UNROLLED - 1
5:
    mov     r7, #FOUR_TAPS_BYTES
    mls     r8, r6, r7, r12
    strd    r8, r9, [sp, #TILE_ENTRY]
    ldrd    r2, r3, [r0, #BOTH_ROW_PIXELS]
    strd    r2, r3, [sp, #TILE_PAIR_BYTES]
    movw    r12, #:lower16:.Ldepthwise_entries
    movt    r12, #:upper16:.Ldepthwise_entries
    depthwise_entries r5, r12
    cmp     r5, #DEPTHWISE_OF_STRIDE_2
    it      hs
    adrhs.w r2, .Lboth_of_stride_2 + 1
    ldr     r4, [r0, #BOTH_ODD_ROWS]
    adr.w   r3, .Lboth_rows + 1
    cbz     r4, 5f
    adr.w   r3, .Lboth_odd + 1
5:
    strd    r2, r3, [sp, #BOTH_BEGIN]
    adr.w   r2, .Lboth_second + 1
    adr.w   r3, .Lboth_done + 1
    str     r2, [r0, #BOTH_SECOND]
    str     r3, [r0, #BOTH_DONE]
.Lboth:
    ldr     lr, [sp, #BOTH]
    ldm     lr, {r0, r1, r6-r10}        // pixels, then stream and what goes with it
    stm     sp, {r1, r6-r10}
6:
    begin_tile
    .balign 4
    .rept UNROLLED - 1
    four_taps
    .endr
    .balign 4
1:
    ldm     r1, {r6-r9}                 // multiplier and offset of channel 0, of channel 1
    smmla   r2, r2, r6, r7
    smmla   r4, r4, r6, r7
    smmla   r3, r3, r8, r9
    smmla   r5, r5, r8, r9
    usat    r2, #8, r2, asr #12
    usat    r4, #8, r4, asr #12
    usat    r3, #8, r3, asr #12
    usat    r5, #8, r5, asr #12
    ldm     sp, {r1, r6-r10}
    strh    r2, [r6, #2]
    strh    r3, [r6, r8]
    strh    r5, [r6, r9]
    strh    r4, [r6, #4]!
    str     r6, [sp, #BOTH_OUT]
    cmp     r0, r7
    beq     8f
    begin_tile
8:
    ldrd    r2, r3, [sp, #TILE_PAIR_BYTES]  // of a row; the end of the last one
    add     r6, r6, r10
    cmp     r7, r3
    add     r7, r7, r2
    strd    r6, r7, [sp, #BOTH_OUT]
    bne.w   6b
    ldr     pc, [sp, #BOTH_THEN]
.Lboth_odd_pair:                        // r4, r5: of the next row, but behind this one
    ldr     lr, [sp, #BOTH]
    ldr     r11, [sp, #BOTH_LEFT]
    ldr     r7, [lr, #BOTH_ROW_BYTES]
    sub     r6, r6, r10
    movs    r2, #0
    sub     r3, r8, #2
    strh    r2, [r6]
    strh    r2, [r6, r3]
    add     r6, r6, r7
    subs    r3, #2
    strh    r4, [r6, #-2]
    strh    r5, [r6, r3]
    add     r6, r6, r7
    subs    r6, #4
    b       2f
.Lboth_odd:                             // the last pixels of rows, those of two rows at a time
    ldr     lr, [sp, #BOTH]
    ldrd    r11, r6, [lr, #BOTH_ODD_ROWS]
    adr.w   r2, .Lboth_odd_pair + 1
    str     r2, [sp, #BOTH_THEN]
2:
    subs    r11, r11, #2
    bmi     4f
    ldr     r2, [lr, #BOTH_ROW_BYTES + 4]
    str     r11, [sp, #BOTH_LEFT]
    add     r7, r0, r2
    strd    r6, r7, [sp, #BOTH_OUT]
    str     r7, [sp, #BOTH_LAST]
    b.w     6b
4:
    adds    r11, r11, #1
    bne     7f
    str     r6, [sp, #BOTH_OUT]         // one alone
    ldr     r3, [sp, #TILE_WEIGHTS_END]
    ldmia   r1!, {r4, r5}
    last_pixel_taps
    ldm     r1, {r6-r9}
    smmla   r4, r4, r6, r7
    smmla   r5, r5, r8, r9
    ldm     sp, {r1, r6-r8}
    usat    r4, #8, r4, asr #12
    usat    r5, #8, r5, asr #12
    strh    r4, [r6, #2]
    strh    r5, [r6, r8]
    ldr     lr, [sp, #BOTH]
7:
    adr.w   r2, .Lboth_odd + 1
    str     r2, [sp, #BOTH_THEN]
    ldr     r2, [lr, #BOTH_ROW_PIXELS + 4]
    str     r2, [sp, #BOTH_LAST]
.Lboth_rows:
    ldr     lr, [sp, #BOTH + 4]
    ldm     lr, {r0-r4, r11, r12, lr}
    // r0 windows, r1 out, r2, r3 skips, r4 windows_last, r11 out_step, r12 windows_end,
    // lr .Lboth_second
    stm     sp, {r2-r4}
    strd    r12, lr, [sp, #ROW_END]
    ldr     lr, [sp, #TILE_WEIGHTS_END]
    add     lr, lr, #16
    rows_of_channel
.Lboth_second:
    ldr     lr, [sp, #BOTH + 4]
    ldm     lr, {r0-r4, r11, r12}
    ldrd    r5, r6, [lr, #BOTH_PLANE_BYTES - BOTH_WINDOWS]
    adds    r1, #1
    add     r0, r0, r5
    add     r4, r4, r5
    add     r12, r12, r5
    stm     sp, {r2-r4}
    strd    r12, r6, [sp, #ROW_END]
    ldr     lr, [sp, #TILE_WEIGHTS_END]
    add     lr, lr, #16 + 36
    rows_of_channel
.Lboth_of_stride_2:
    pkhtb   r7, r7, r5, asr #16
    mov     r5, r6
    mov     r6, r8
    mov     r8, r9
    mov     r9, r12
    ldr     pc, [sp, #ROW_ENTRY]
.Lboth_done:
    ldr     lr, [sp, #BOTH]
    ldrd    r2, r3, [lr, #BOTH_STREAM_BYTES]
    ldr     r4, [lr, #BOTH_STREAM]
    ldr     r5, [lr, #BOTH_WINDOWS_OUT]
    ldr     r6, [sp, #TILE_WEIGHTS_END]
    add     r4, r4, r2
    adds    r5, #2
    add     r6, r6, r2
    str     r4, [lr, #BOTH_STREAM]
    str     r5, [lr, #BOTH_WINDOWS_OUT]
    str     r6, [sp, #TILE_WEIGHTS_END]
    cmp     r4, r3
    bne.w   .Lboth
    add     sp, sp, #BOTH_BYTES
    pop     {r4-r11, pc}
    end_function mcugen_dsp_conv_depthwise

#endif

    // r0: weights of tap 0, of four channels; r1: to the next tap; r2: to the next row of taps;
    // r3: out. Each word is two taps of a channel.
    function mcugen_dsp_depthwise_weights
    push    {r4-r10, lr}
    mov     r12, #3
1:
    ldr     r4, [r0]
    ldr     r6, [r0, r1]
    ldr     r8, [r0, r1, lsl #1]
    add     r0, r0, r2
    sxtb16  r5, r4, ror #8              // r4, r6, r8: channels 0 and 2 of taps 0, 1, 2
    sxtb16  r4, r4                      // r5, r7, r9: channels 1 and 3
    sxtb16  r7, r6, ror #8
    sxtb16  r6, r6
    sxtb16  r9, r8, ror #8
    sxtb16  r8, r8
    pkhbt   r10, r4, r6, lsl #16
    pkhbt   lr, r6, r8, lsl #16
    strd    r10, lr, [r3]
    pkhbt   r10, r5, r7, lsl #16
    pkhbt   lr, r7, r9, lsl #16
    strd    r10, lr, [r3, #24]
    pkhtb   r10, r6, r4, asr #16
    pkhtb   lr, r8, r6, asr #16
    strd    r10, lr, [r3, #48]
    pkhtb   r10, r7, r5, asr #16
    pkhtb   lr, r9, r7, asr #16
    strd    r10, lr, [r3, #72]
    adds    r3, #8
    subs    r12, r12, #1
    bne     1b
    pop     {r4-r10, pc}
    end_function mcugen_dsp_depthwise_weights

//
// Four channels of an image as planes of 16 bits
//

// One pixel. r0: image; r1, r4, r5, r6: planes; r3: bytes of a pixel; r7: minus the zero point.
.macro one_pixel
    ldr     r8, [r0]
    add     r0, r0, r3
    sxtab16 r10, r7, r8
    sxtab16 r8, r7, r8, ror #8
    strh    r10, [r1], #2
    lsr     r10, r10, #16
    strh    r10, [r5], #2
    strh    r8, [r4], #2
    lsr     r8, r8, #16
    strh    r8, [r6], #2
.endm

// Two pixels. Clobbers r8-r10; leaves the flags, as one_pixel does.
.macro two_pixels
    ldr     r8, [r0]
    ldr     r9, [r0, r3]
    add     r0, r0, r3, lsl #1
    pkhbt   r10, r8, r9, lsl #16        // channels 0 and 1 of both
    pkhtb   r9, r9, r8, asr #16         // channels 2 and 3
    sxtab16 r8, r7, r10
    sxtab16 r10, r7, r10, ror #8
    str     r8, [r1], #4
    str     r10, [r4], #4
    sxtab16 r8, r7, r9
    sxtab16 r9, r7, r9, ror #8
    str     r8, [r5], #4
    str     r9, [r6], #4
.endm

    function mcugen_dsp_planes
    push    {r4-r11, lr}
    ldm     r0, {r0-r8}                 // see McugenDspPlanes
    // r0 in, r1 plane, r2 pixels, r3 in_ch, r4 plane_bytes, r5 minus_zero_point, r6 rows,
    // r7 in_skip, r8 plane_skip
    add     r9, r8, r2, lsl #1
    mla     r9, r6, r9, r1              // the plane behind the last row
    push    {r2, r7, r8, r9}
    mov     r7, r5
    add     r5, r1, r4, lsl #1
    add     r6, r5, r4
    add     r4, r1, r4
1:
    lsls    r8, r1, #31                 // the first one stands alone in its word
    bcc     2f
    one_pixel
    subs    r2, r2, #1
2:
#if defined(MCUGEN_SMALL_KERNELS)
    subs    r2, r2, #2
    blo     4f
3:
    two_pixels
    subs    r2, r2, #2
    bhs     3b
4:
    adds    r2, r2, #2                  // one more
#else
    subs    r2, r2, #4
    blo     4f
3:
    ldr     r8, [r0]
    ldr     r9, [r0, r3]
    add     r0, r0, r3, lsl #1
    ldr     r10, [r0]
    ldr     r11, [r0, r3]
    add     r0, r0, r3, lsl #1
    pkhbt   r12, r8, r9, lsl #16        // channels 0 and 1 of the first two
    pkhtb   r9, r9, r8, asr #16         // channels 2 and 3
    pkhbt   r8, r10, r11, lsl #16       // the same of the others
    pkhtb   r11, r11, r10, asr #16
    sxtab16 r10, r7, r12
    sxtab16 lr, r7, r8
    strd    r10, lr, [r1], #8
    sxtab16 r12, r7, r12, ror #8
    sxtab16 r8, r7, r8, ror #8
    strd    r12, r8, [r4], #8
    sxtab16 r10, r7, r9
    sxtab16 lr, r7, r11
    strd    r10, lr, [r5], #8
    sxtab16 r9, r7, r9, ror #8
    sxtab16 r11, r7, r11, ror #8
    strd    r9, r11, [r6], #8
    subs    r2, r2, #4
    bhs     3b
4:
    lsls    r2, r2, #31                 // two more, one more
    bcc     5f
    two_pixels
5:
#endif
    beq     6f
    one_pixel
6:
    ldm     sp, {r2, r8-r10}            // pixels, in_skip, plane_skip, end
    add     r0, r0, r8
    add     r1, r1, r9
    add     r4, r4, r9
    add     r5, r5, r9
    add     r6, r6, r9
    cmp     r1, r10
    bne     1b
    add     sp, sp, #16
    pop     {r4-r11, pc}
    end_function mcugen_dsp_planes

//
// Products of one row of inputs with four rows of weights
//

    // r0: input; r1: weights; r2: bytes from a row of them to the next; r3: words; on the stack:
    // minus the zero point, and int32[4], which sums are added to.
    function mcugen_dsp_four_rows
    push    {r4-r11, lr}
    ldrd    r9, r12, [sp, #36]
    ldm     r12, {r4-r7}
    add     r8, r2, r2, lsl #1          // three rows on
    lsls    r12, r3, #31                // two words more than a multiple of four, one more
    add     r3, r0, r3, lsl #2
    .macro row acc, address:vararg
    ldr     r12, \address
    sxtb16  lr, r12
    sxtb16  r12, r12, ror #8
    smlad   \acc, r10, lr, \acc
    smlad   \acc, r11, r12, \acc
    .endm
    .macro four_rows
    ldr     r11, [r0], #4
    sxtab16 r10, r9, r11
    sxtab16 r11, r9, r11, ror #8
    row     r5, [r1, r2]
    row     r6, [r1, r2, lsl #1]
    row     r7, [r1, r8]
    row     r4, [r1], #4
    .endm
    bcs     5f
    bmi     4f
1:
    four_rows
2:
    four_rows
3:
    four_rows
4:
    four_rows
    cmp     r0, r3
    bne     1b
    ldr     r12, [sp, #40]
    stm     r12, {r4-r7}
    pop     {r4-r11, pc}
5:
    bmi     2b
    b       3b
    end_function mcugen_dsp_four_rows

//
// Runs of bytes
//

    // r0: in; r1: out; r2: rows; r3: bytes of a run; on the stack: from a run to the next. Whole
    // words are copied, so that up to three bytes more are read, and written before the next run.
    function mcugen_dsp_copy_runs
    push    {r4-r7, lr}
    ldr     r4, [sp, #20]
    add     r3, r3, r1                  // end of the run where it goes
1:
    mov     r5, r0
    mov     r6, r1
2:
    ldr     r7, [r5], #4
    str     r7, [r6], #4
    cmp     r6, r3
    blo     2b
    sub     r7, r3, r1
    mov     r1, r3
    add     r3, r3, r7
    add     r0, r0, r4
    subs    r2, r2, #1
    bne     1b
    pop     {r4-r7, pc}
    end_function mcugen_dsp_copy_runs

    // r0: in, of four channels; r1: pixels in a row; r2: rows; r3: bytes of a pixel; on the stack:
    // from behind a row's last pixel to the next row's first; int32[4], which sums are added to.
    // Sums of 16 bits hold for 256 pixels.
    function mcugen_dsp_sum_four
    push    {r4-r7, lr}
    ldrd    r12, lr, [sp, #20]
    movs    r4, #0
    movs    r5, #0
1:
    mov     r6, r1
2:
    ldr     r7, [r0]
    add     r0, r0, r3
    sxtab16 r4, r4, r7
    sxtab16 r5, r5, r7, ror #8
    subs    r6, r6, #1
    bne     2b
    add     r0, r0, r12
    subs    r2, r2, #1
    bne     1b
    sxth    r0, r4
    asr     r2, r4, #16
    sxth    r1, r5
    asr     r3, r5, #16
    ldm     lr, {r4-r7}
    add     r4, r4, r0
    add     r5, r5, r1
    add     r6, r6, r2
    add     r7, r7, r3
    stm     lr, {r4-r7}
    pop     {r4-r7, pc}
    end_function mcugen_dsp_sum_four

//
// Rows of weights packed two to a halfword
//

    // r0: bytes; r1: out; r2: bytes; r3: minus the zero point. Halfwords k, k + 2, then k + 1, k + 3;
    // zeros behind the last byte.
    function mcugen_dsp_widen_row
    push    {r4-r6, lr}
    lsrs    r6, r2, #2
    beq     2f
1:
    ldr     r4, [r0], #4
    sxtab16 r5, r3, r4, ror #8
    sxtab16 r4, r3, r4
    strd    r4, r5, [r1], #8
    subs    r6, r6, #1
    bne     1b
2:
    ands    r2, r2, #3
    beq     4f
    movs    r4, #0
    add     r0, r0, r2
3:
    ldrb    r5, [r0, #-1]!
    orr     r4, r5, r4, lsl #8
    subs    r2, r2, #1
    bne     3b
    sxtab16 r5, r3, r4, ror #8
    sxtab16 r4, r3, r4
    strd    r4, r5, [r1]
4:
    pop     {r4-r6, pc}
    end_function mcugen_dsp_widen_row

// Four inputs, four rows: 16 MAC, 14 instructions. r0: inputs; r1: weights. r2: row a; r3: b and a;
// r4: c; r5: d and c.
.macro four_inputs
    ldmia   r1!, {r6-r9}
    ldrd    r10, r11, [r0], #8
    sxtb16  r12, r6
    smlad   r3, r6, r10, r3
    smlad   r2, r12, r10, r2
    sxtb16  r12, r7
    smlad   r5, r7, r10, r5
    smlad   r4, r12, r10, r4
    sxtb16  r12, r8
    smlad   r3, r8, r11, r3
    smlad   r2, r12, r11, r2
    sxtb16  r12, r9
    smlad   r5, r9, r11, r5
    smlad   r4, r12, r11, r4
.endm

// acc -> acc * multiplier / 2^32 + offset, shifted and saturated to 8 bits.
.macro rescale acc, multiplier, offset, shift
    smmla   \acc, \acc, \multiplier, \offset
    asr     \acc, \acc, \shift
    ssat    \acc, #8, \acc
.endm

// The same, but that r12 is taken from what is negative. Clobbers \multiplier.
.macro rescale_by_product acc, multiplier, offset, shift
    smmul   \acc, \acc, \multiplier
    and     \multiplier, r12, \acc, asr #31
    add     \acc, \acc, \offset
    sub     \acc, \acc, \multiplier
    asr     \acc, \acc, \shift
    ssat    \acc, #8, \acc
.endm

.equ FOUR_INPUTS_BYTES, 56
.equ UNROLLED_INPUTS, 8

.equ ROWS_INPUTS, 0
.equ ROWS_END, 4
.equ ROWS_ENTRY, 8
.equ ROWS_OUT, 12
.equ ROWS_COUNT, 16
.equ ROWS_BYTES, 24

.macro packed_rows name, exact
    function \name
    push    {r4-r11, lr}
    sub     sp, sp, #ROWS_BYTES
    mov     r12, r0
    ldmia   r12, {r0-r4}                // see McugenDspRows
    // r0 inputs, r1 groups, r2 out, r3 fours, r4 count
    str     r0, [sp, #ROWS_INPUTS]
    add     r7, r0, r3, lsl #3
    str     r7, [sp, #ROWS_END]
    strd    r2, r4, [sp, #ROWS_OUT]
    and     r3, r3, #UNROLLED_INPUTS - 1
    mov     r4, #FOUR_INPUTS_BYTES
    adr     r5, 3f
    orr     r5, r5, #1
    cmp     r3, #0
    it      eq
    moveq   r3, #UNROLLED_INPUTS
    mls     r3, r3, r4, r5
    str     r3, [sp, #ROWS_ENTRY]
1:
    ldrd    r0, lr, [sp, #ROWS_INPUTS]
    ldmia   r1!, {r2-r5}
    ldr     pc, [sp, #ROWS_ENTRY]
    .balign 4
2:
    .rept UNROLLED_INPUTS
    four_inputs
    .endr
    .balign 4
3:
    cmp     r0, lr
    bne     2b
    sub     r3, r3, r2                  // 256 * b
    lsl     r2, r2, #8
    sub     r5, r5, r4
    lsl     r4, r4, #8
    ldmia   r1!, {r6-r11}
    .if \exact
    mov     r12, #128
    rescale_by_product r2, r6, r7, r8
    rescale_by_product r3, r9, r10, r11
    ldmia   r1!, {r6-r11}
    rescale_by_product r4, r6, r7, r8
    rescale_by_product r5, r9, r10, r11
    .else
    rescale r2, r6, r7, r8
    rescale r3, r9, r10, r11
    ldmia   r1!, {r6-r11}
    rescale r4, r6, r7, r8
    rescale r5, r9, r10, r11
    .endif
    bfi     r2, r3, #8, #8
    bfi     r4, r5, #8, #8
    pkhbt   r2, r2, r4, lsl #16
    ldrd    r6, r7, [sp, #ROWS_OUT]
    str     r2, [r6], #4
    subs    r7, r7, #1
    strd    r6, r7, [sp, #ROWS_OUT]
    bne     1b
    mov     r0, r1
    add     sp, sp, #ROWS_BYTES
    pop     {r4-r11, pc}
    end_function \name
.endm

    packed_rows mcugen_dsp_packed_rows, 0
    packed_rows mcugen_dsp_packed_rows_exact, 1

// Four inputs, five rows of weights of 16 bits: 20 MAC, 13 instructions. r0: inputs; r1: weights;
// r2-r6: the rows.
.macro four_wide_inputs
    ldrd    r12, lr, [r0], #8
    .irp input, r12, lr
    ldmia   r1!, {r7-r11}
    smlad   r2, r7, \input, r2
    smlad   r3, r8, \input, r3
    smlad   r4, r9, \input, r4
    smlad   r5, r10, \input, r5
    smlad   r6, r11, \input, r6
    .endr
.endm

.equ FOUR_WIDE_INPUTS_BYTES, 52

.macro scale_row exact, acc, multiplier, offset, shift
    .if \exact
    rescale_by_product \acc, \multiplier, \offset, \shift
    .else
    rescale \acc, \multiplier, \offset, \shift
    .endif
.endm

.macro wide_rows name, exact
    function \name
    push    {r4-r11, lr}
    sub     sp, sp, #ROWS_BYTES
    mov     r12, r0
    ldmia   r12, {r0-r4}                // see McugenDspRows
    str     r0, [sp, #ROWS_INPUTS]
    add     r7, r0, r3, lsl #3
    str     r7, [sp, #ROWS_END]
    strd    r2, r4, [sp, #ROWS_OUT]
    and     r3, r3, #UNROLLED_INPUTS - 1
    mov     r4, #FOUR_WIDE_INPUTS_BYTES
    adr     r5, 3f
    orr     r5, r5, #1
    cmp     r3, #0
    it      eq
    moveq   r3, #UNROLLED_INPUTS
    mls     r3, r3, r4, r5
    str     r3, [sp, #ROWS_ENTRY]
1:
    ldr     r0, [sp, #ROWS_INPUTS]
    ldmia   r1!, {r2-r6}
    ldr     pc, [sp, #ROWS_ENTRY]
    .balign 4
2:
    .rept UNROLLED_INPUTS
    four_wide_inputs
    .endr
    .balign 4
3:
    ldr     r7, [sp, #ROWS_END]
    cmp     r0, r7
    bne     2b
    .if \exact
    mov     r12, #128
    .endif
    ldmia   r1!, {r7-r11, lr}
    scale_row \exact, r2, r7, r8, r9
    scale_row \exact, r3, r10, r11, lr
    ldmia   r1!, {r7-r11, lr}
    scale_row \exact, r4, r7, r8, r9
    scale_row \exact, r5, r10, r11, lr
    ldmia   r1!, {r7-r9}
    scale_row \exact, r6, r7, r8, r9
    ldrd    r7, r8, [sp, #ROWS_OUT]
    bfi     r2, r3, #8, #8
    bfi     r4, r5, #8, #8
    pkhbt   r2, r2, r4, lsl #16
    str     r2, [r7], #4
    strb    r6, [r7], #1
    subs    r8, r8, #1
    strd    r7, r8, [sp, #ROWS_OUT]
    bne     1b
    mov     r0, r1
    add     sp, sp, #ROWS_BYTES
    pop     {r4-r11, pc}
    end_function \name
.endm

    wide_rows mcugen_dsp_wide_rows, 0
    wide_rows mcugen_dsp_wide_rows_exact, 1

//
// Sums of two tensors
//

// One element of the words r4 and r5 -> \to, saturated to 8 bits. Clobbers r7.
.macro scaled_sum to, bit
    sbfx    \to, r4, #\bit, #8
    sbfx    r7, r5, #\bit, #8
    mla     \to, \to, r9, r11
    mla     \to, r7, r10, \to
    asr     \to, \to, r12
    ssat    \to, #8, \to
.endm

    // r0, r1: in; r2: out; r3: its end, whole words on; on the stack: multipliers, offset, shift.
    function mcugen_dsp_scaled_add
    push    {r4-r11, lr}
    ldr     r12, [sp, #36]
    ldm     r12, {r9-r12}
1:
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    scaled_sum r6, 0
    scaled_sum r8, 8
    scaled_sum lr, 16
    bfi     r6, r8, #8, #8
    scaled_sum r8, 24
    bfi     lr, r8, #8, #8
    pkhbt   r6, r6, lr, lsl #16
    str     r6, [r2], #4
    cmp     r2, r3
    bne     1b
    pop     {r4-r11, pc}
    end_function mcugen_dsp_scaled_add

//
// 3x3 convolutions of stride 1 by Winograd's F(2x2, 3x3), exactly, in integers
//
// Four outputs of a tile come of 16 products per channel instead of 36. With
//     B' = 1 0 -1 0 | 0 1 1 0 | 0 -1 1 0 | 0 1 0 -1,  G = 1 0 0 | 1 1 1 | 1 -1 1 | 0 0 1,
// U = G g G' and V = B' d B, the products m of U and V summed over channels give four times the
// outputs as A' D m D A, A' = 1 1 1 0 | 0 1 -1 -1, D = diagonal of 2 1 1 2. Of D, what belongs to
// rows is in V, and what belongs to columns is added shifted. Positions are ordered by column, and
// within a column as rows 1, 0, 2, 3: then prefix sums P0 to P3 over a column give
//     A' m: P2, and P0 + P1 - P3,
// and what the sums start from in column 1 is in all outputs alike, as a bias has to be.

.equ WEIGHTS_SUM, 96
.equ WEIGHTS_END, 100
.equ WEIGHTS_BYTES, 104

    // r0: weights of a channel, of tap 0; r1: out; r2: in_ch.
    function mcugen_dsp_winograd_weights
    push    {r4-r11, lr}
    sub     sp, sp, #WEIGHTS_BYTES
    add     r4, r0, r2
    movs    r5, #0
    strd    r5, r4, [sp, #WEIGHTS_SUM]
    add     r3, r2, r2, lsl #1
1:
    mov     lr, sp
    .rept 3                             // G g, a column of taps
    ldr     r4, [r0]
    ldr     r5, [r0, r3]
    ldr     r6, [r0, r3, lsl #1]
    add     r0, r0, r2
    sxtb16  r7, r4                      // row 0 of channels 0 and 2, of 1 and 3
    sxtb16  r8, r4, ror #8
    sxtab16 r9, r7, r6
    sxtab16 r10, r8, r6, ror #8
    sxtb16  r11, r6                     // row 3
    sxtb16  r12, r6, ror #8
    sxtb16  r4, r5
    sxtb16  r6, r5, ror #8
    ssub16  r4, r9, r4                  // row 2
    ssub16  r6, r10, r6
    sxtab16 r9, r9, r5                  // row 1
    sxtab16 r10, r10, r5, ror #8
    stmia   lr!, {r4, r6-r12}
    .endr
    sub     r0, r0, r3
    adds    r0, #4
    mov     lr, #16                     // bytes of a column
    add     lr, lr, r2, lsl #4
    add     r12, lr, lr, lsl #1
    sub     r12, r12, r2, lsl #2        // from the last position of a row to the next row
    .irp row, 16, 8, 0, 24              // G g G', a row
    ldrd    r4, r5, [sp, #\row]
    ldrd    r6, r7, [sp, #\row + 32]
    ldrd    r8, r9, [sp, #\row + 64]
    strd    r4, r5, [r1]
    add     r1, r1, lr
    sadd16  r4, r4, r8
    sadd16  r5, r5, r9
    sadd16  r10, r4, r6
    sadd16  r11, r5, r7
    strd    r10, r11, [r1]
    add     r1, r1, lr
    ssub16  r4, r4, r6
    ssub16  r5, r5, r7
    strd    r4, r5, [r1]
    add     r1, r1, lr
    strd    r8, r9, [r1]
    sub     r1, r1, r12
    .if \row == 16                      // position (1, 1) is the sum of all taps
    ldr     r4, [sp, #WEIGHTS_SUM]
    mov     r5, #0x10001
    smlad   r4, r10, r5, r4
    smlad   r4, r11, r5, r4
    str     r4, [sp, #WEIGHTS_SUM]
    .endif
    .endr
    sub     r1, r1, lr
    adds    r1, #32
    ldr     r4, [sp, #WEIGHTS_END]
    cmp     r0, r4
    bne     1b
    ldr     r0, [sp, #WEIGHTS_SUM]
    add     sp, sp, #WEIGHTS_BYTES
    pop     {r4-r11, pc}
    end_function mcugen_dsp_winograd_weights

// B' d of two channels, of the pixels in r8-r11: r5, r7, r12, lr: rows 0, 3, 1, 2.
.macro winograd_column rotation
    sxtb16  r5, r8, ror #\rotation
    sxtb16  r12, r9, ror #\rotation
    sxtb16  lr, r10, ror #\rotation
    sxtb16  r7, r11, ror #\rotation
    ssub16  r5, r5, lr
    ssub16  r7, r12, r7
    sadd16  r5, r5, r5
    sadd16  r7, r7, r7
    ssub16  lr, lr, r12
    sxtab16 r12, r12, r10, ror #\rotation
    stmia   r6!, {r5, r7, r12, lr}
.endm

// Two rows of two tiles, two channels: columns 0 to 3 of B' d B to r1 and r3, r2 apart.
.macro winograd_rows at
    ldrd    r4, r5, [r0, #\at]
    ldrd    r8, r9, [r0, #\at + 64]
    ldrd    r12, lr, [r0, #\at + 128]
    ssub16  r4, r4, r8
    ssub16  r6, r8, r12
    strd    r4, r6, [r1]
    add     r1, r1, r2
    ssub16  r5, r5, r9
    ssub16  r7, r9, lr
    strd    r5, r7, [r3]
    add     r3, r3, r2
    ldrd    r4, r5, [r0, #\at + 32]
    ldrd    r6, r7, [r0, #\at + 96]
    sadd16  r10, r4, r8
    sadd16  r11, r6, r12
    strd    r10, r11, [r1]
    add     r1, r1, r2
    sadd16  r10, r5, r9
    sadd16  r11, r7, lr
    strd    r10, r11, [r3]
    add     r3, r3, r2
    ssub16  r8, r8, r4
    ssub16  r12, r12, r6
    strd    r8, r12, [r1]
    add     r1, r1, r2
    ssub16  r9, r9, r5
    ssub16  lr, lr, r7
    strd    r9, lr, [r3]
    add     r3, r3, r2
    ldrd    r10, r11, [r0, #\at + 160]
    ssub16  r4, r4, r6
    ssub16  r6, r6, r10
    strd    r4, r6, [r1]
    ssub16  r5, r5, r7
    ssub16  r7, r7, r11
    strd    r5, r7, [r3]
.endm

// The same from column 3 to 0.
.macro winograd_rows_back at
    ldrd    r4, r5, [r0, #\at + 160]
    ldrd    r8, r9, [r0, #\at + 96]
    ldrd    r12, lr, [r0, #\at + 32]
    ssub16  r6, r12, r8
    ssub16  r4, r8, r4
    strd    r6, r4, [r1]
    sub     r1, r1, r2
    ssub16  r7, lr, r9
    ssub16  r5, r9, r5
    strd    r7, r5, [r3]
    sub     r3, r3, r2
    ldrd    r4, r5, [r0, #\at + 128]
    ldrd    r6, r7, [r0, #\at + 64]
    ssub16  r10, r6, r12
    ssub16  r11, r4, r8
    strd    r10, r11, [r1]
    sub     r1, r1, r2
    ssub16  r10, r7, lr
    ssub16  r11, r5, r9
    strd    r10, r11, [r3]
    sub     r3, r3, r2
    sadd16  r12, r12, r6
    sadd16  r8, r8, r4
    strd    r12, r8, [r1]
    sub     r1, r1, r2
    sadd16  lr, lr, r7
    sadd16  r9, r9, r5
    strd    lr, r9, [r3]
    sub     r3, r3, r2
    ldrd    r10, r11, [r0, #\at]
    ssub16  r10, r10, r6
    ssub16  r6, r6, r4
    strd    r10, r6, [r1]
    ssub16  r11, r11, r7
    ssub16  r7, r7, r5
    strd    r11, r7, [r3]
.endm

.equ INPUT_COLUMNS, 0
.equ INPUT_COLUMNS_END, 4
.equ INPUT_TILES, 8
.equ INPUT_IN_CH, 12
.equ INPUT_NEXT, 16
.equ INPUT_BYTES, 24

    function mcugen_dsp_winograd_input
    push    {r4-r11, lr}
    sub     sp, sp, #INPUT_BYTES
    mov     r12, r0
    ldmia   r12, {r0-r9}                // see McugenDspWinogradInput
    // r0-r3 rows, r4 row_bytes, r5 in_ch, r6 inside, r7 columns, r8 columns_end, r9 tiles
    strd    r7, r8, [sp, #INPUT_COLUMNS]
    strd    r9, r5, [sp, #INPUT_TILES]
    add     r0, r0, r4
    add     r1, r1, r4
    add     r2, r2, r4
    add     r3, r3, r4
    rsbs    r4, r4, #0
1:
    ldr     r8, [r0, r4]
    ldr     r9, [r1, r4]
    ldr     r10, [r2, r4]
    ldr     r11, [r3, r4]
    winograd_column 0
    winograd_column 8
    ldr     r5, [sp, #INPUT_IN_CH]
    adds    r4, r4, r5
    bne     1b
    ldrd    r0, r4, [sp, #INPUT_COLUMNS]
    ldr     r1, [sp, #INPUT_TILES]
    lsls    r2, r5, #4                  // bytes of a column of four positions
    lsls    r5, r2, #2
    subs    r5, #8
    str     r5, [sp, #INPUT_NEXT]       // to the next pair of tiles
    adds    r0, #8                      // rows 1 and 2 first
    adds    r4, #8
    str     r4, [sp, #INPUT_COLUMNS_END]
2:
    add     r3, r1, r2, lsr #1
    winograd_rows 0                     // channels 0 and 2
    adds    r1, #8
    adds    r3, #8
    winograd_rows_back 16               // channels 1 and 3
    ldr     r4, [sp, #INPUT_NEXT]
    ldr     r5, [sp, #INPUT_COLUMNS_END]
    add     r1, r1, r4
    adds    r0, #128
    cmp     r0, r5
    bne     2b
    ldr     r0, [sp, #INPUT_COLUMNS]
    cbz     r0, 3f
    subs    r5, #8
    movs    r4, #0
    strd    r4, r5, [sp, #INPUT_COLUMNS]
    ldr     r1, [sp, #INPUT_TILES]
    add     r1, r1, r2, lsr #2          // then rows 0 and 3, behind row 1
    b       2b
3:
    add     sp, sp, #INPUT_BYTES
    pop     {r4-r11, pc}
    end_function mcugen_dsp_winograd_input

// Four taps of two tiles and two channels, as four_taps, with another order of the weights.
.macro four_products
    ldmia   r1!, {r6-r9}                // c0 k02, c0 k13, c1 k02, c1 k13
    ldmia   r0!, {r10, r11, r12, lr}    // p0 k02, p1 k02, p0 k13, p1 k13
    smlad   r2, r10, r6, r2
    smlad   r3, r10, r8, r3
    smlad   r4, r11, r6, r4
    smlad   r5, r11, r8, r5
    smlad   r2, r12, r7, r2
    smlad   r3, r12, r9, r3
    smlad   r4, lr, r7, r4
    smlad   r5, lr, r9, r5
.endm

// The result of \acc, twice a sum, to lr. r10, r11, r12: multiplier, factor, zero point.
.macro rescale_product acc
    smmulr  lr, \acc, r10
    add     lr, lr, lr, asr #31
    smmlsr  lr, lr, r11, r12
    ssat    lr, #8, lr
.endm

// See winograd_products: a row of outputs, as twice the sums over taps, which four times them are
// halved to. PRODUCTS_SCALING: multiplier, factor, zero point.
.macro output_row at
    ldrd    r2, r3, [sp, #\at + 128]    // column 1
    ldrd    r4, r5, [sp, #\at + 136]
    ldrd    r6, r7, [sp, #\at + 64]     // column 2
    ldrd    r8, r9, [sp, #\at + 72]
    ldrd    r10, r11, [sp, #\at + 192]  // column 0
    ldrd    r12, lr, [sp, #\at + 200]
    add     r2, r2, r6
    add     r3, r3, r7
    add     r4, r4, r8
    add     r5, r5, r9
    sub     r6, r2, r6, lsl #1
    sub     r7, r3, r7, lsl #1
    sub     r8, r4, r8, lsl #1
    sub     r9, r5, r9, lsl #1
    add     r2, r10, r2, asr #1
    add     r3, r11, r3, asr #1
    add     r4, r12, r4, asr #1
    add     r5, lr, r5, asr #1
    ldrd    r10, r11, [sp, #\at]        // column 3
    ldrd    r12, lr, [sp, #\at + 8]
    rsb     r6, r10, r6, asr #1
    rsb     r7, r11, r7, asr #1
    rsb     r8, r12, r8, asr #1
    rsb     r9, lr, r9, asr #1
    ldrd    r10, r11, [sp, #PRODUCTS_TABLE + PRODUCTS_SCALING_0]
    ldr     r12, [sp, #PRODUCTS_TABLE + PRODUCTS_SCALING_0 + 8]
    rescale_product r2
    strb    lr, [r0]
    rescale_product r6
    strb    lr, [r0, r1]
    rescale_product r4
    strb    lr, [r0, r1, lsl #1]
    add     r0, r0, r1
    rescale_product r8
    strb    lr, [r0, r1, lsl #1]
    ldrd    r10, r11, [sp, #PRODUCTS_TABLE + PRODUCTS_SCALING_1]
    ldr     r12, [sp, #PRODUCTS_TABLE + PRODUCTS_SCALING_1 + 8]
    adds    r0, #1
    rescale_product r7
    strb    lr, [r0]
    rescale_product r5
    strb    lr, [r0, r1]
    rescale_product r9
    strb    lr, [r0, r1, lsl #1]
    subs    r0, r0, r1
    rescale_product r3
    strb    lr, [r0]
.endm

    winograd_products mcugen_dsp_winograd_products, four_products, FOUR_TAPS_BYTES, 16
