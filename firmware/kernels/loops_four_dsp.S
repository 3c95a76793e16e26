// SPDX-License-Identifier: BSD-3-Clause
// Products of matrices, four pixels by two output channels, for cores with the DSP extension where
// cycles count: a core that takes 1 + N cycles to load N words (Cortex-M4). Per 16 MAC they take 11
// instructions and 17 cycles, two pixels by two channels 10 and 18. Contracts and C++ declarations:
// loops_four_dsp.h. All functions: as loops_dsp.S.

    .syntax unified
    .thumb

#include <kernels/function.inc>
#include <kernels/products_dsp.inc>

// Two taps of four pixels and two channels: 16 MAC, 11 instructions.
// r0: pixels, r1: weights, both post-incremented. r2, r3: pixel 0 of channels 0 and 1; r4, r5: of
// pixel 1; r6, r7: of pixel 2; r8, r9: of pixel 3. \s0, \s1: the accumulators that all start from;
// none: their own. Clobbers r10 to r12, lr.
.macro two_taps s0, s1
    ldrd    r10, r11, [r0], #8
    ldrd    r12, lr, [r1], #8
    .ifb \s0
    smlad   r2, r10, r12, r2
    smlad   r3, r10, lr, r3
    smlad   r4, r11, r12, r4
    smlad   r5, r11, lr, r5
    ldrd    r10, r11, [r0], #8
    smlad   r6, r10, r12, r6
    smlad   r7, r10, lr, r7
    .else
    smlad   r2, r10, r12, \s0
    smlad   r3, r10, lr, \s1
    smlad   r4, r11, r12, \s0
    smlad   r5, r11, lr, \s1
    ldrd    r10, r11, [r0], #8
    smlad   r6, r10, r12, \s0
    smlad   r7, r10, lr, \s1
    .endif
    smlad   r8, r11, r12, r8
    smlad   r9, r11, lr, r9
.endm

.macro four_taps
    two_taps
    two_taps
.endm

.equ FOUR_TAPS_BYTES, 88
.equ UNROLLED, 8             // all that a tile executes fits into 1 KB of cache

// Where a tile finds what no register is left for; the first five as one LDM takes them.
.equ TILE_STREAM, 0
.equ TILE_PIXEL_STEP, 4
.equ TILE_OUT, 8            // of channel 0, of channel 1
.equ TILE_PIXELS_END, 16
.equ TILE_ENTRY, 20         // into the unrolled loop
.equ TILE_WEIGHTS_END, 24
.equ TILE_EPILOGUE, 28
.equ TILE_BYTES, 32

// A tile's first taps; then the others.
.macro begin_tile
    ldmia   r1!, {r8, r9}               // biases
    two_taps r8, r9
    two_taps
    ldr     pc, [sp, #TILE_ENTRY]
.endm

// The results of a tile in r2-r9, stored; then the next one.
.macro end_of_tile
    ldm     sp, {r1, r10, r11, r12, lr} // stream, pixel_step, out of both channels, end
    strb    r2, [r11]
    strb    r4, [r11, r10]
    strb    r3, [r12]
    strb    r5, [r12, r10]
    add     r11, r11, r10, lsl #1
    add     r12, r12, r10, lsl #1
    strb    r6, [r11]
    strb    r8, [r11, r10]
    strb    r7, [r12]
    strb    r9, [r12, r10]
    add     r11, r11, r10, lsl #1
    add     r12, r12, r10, lsl #1
    strd    r11, r12, [sp, #TILE_OUT]
    cmp     r0, lr
    beq.w   5f
    begin_tile                          // here, for a branch that is not taken
.endm

// Of results of one rescaling in 8 bits: two instructions. The shift is in the code.
.macro end_of_tile_by shift
    ldm     r1, {r10, r11, r12, lr}     // multiplier and offset of channel 0, of channel 1
    .irp acc, r2, r4, r6, r8
    smmla   \acc, \acc, r10, r11
    .endr
    .irp acc, r3, r5, r7, r9
    smmla   \acc, \acc, r12, lr
    .endr
    .irp acc, r2, r3, r4, r5, r6, r7, r8, r9
    ssat    \acc, #8, \acc, asr #7 + \shift
    .endr
    end_of_tile
.endm

    function mcugen_dsp_tiles_of_four
    push    {r4-r11, lr}
    ldm     r0, {r0-r7}                 // see McugenDspTiles
    // r0 pixels, r1 stream, r2 out, r3 pixel_step, r4 channel_step, r5 end, r6 taps / 4 - 1, r7 form
    sub     sp, sp, #TILE_BYTES
    adr     r12, 3f
    orr     r12, r12, #1
    adr     r9, 6f
    ldrh    r9, [r9, r7, lsl #1]
    add     r9, r9, r12                 // the epilogue
    add     r8, r1, #24
    add     r8, r8, r6, lsl #4          // end of the weights
    strd    r8, r9, [sp, #TILE_WEIGHTS_END]
    and     r6, r6, #UNROLLED - 1
    mov     r7, #FOUR_TAPS_BYTES
    mls     r8, r6, r7, r12             // where to enter the unrolled loop
    str     r8, [sp, #TILE_ENTRY]
    add     r4, r2, r4
    strd    r1, r3, [sp, #TILE_STREAM]
    strd    r2, r4, [sp, #TILE_OUT]
    str     r5, [sp, #TILE_PIXELS_END]
    begin_tile
    .balign 4
2:
    .rept UNROLLED
    four_taps
    .endr
3:
    ldr     r10, [sp, #TILE_WEIGHTS_END]
    cmp     r1, r10
    bne.w   2b
    ldr     pc, [sp, #TILE_EPILOGUE]
.Lfour_exact:
    ldm     r1, {r1, r10, r11, r12, lr} // multiplier and factor of channel 0, of 1; zero point
    .irp acc, r2, r4, r6, r8
    round_twice \acc, r1, r10, lr
    .endr
    .irp acc, r3, r5, r7, r9
    round_twice \acc, r11, r12, lr
    .endr
    end_of_tile
    .irp shift, 4, 5, 6, 7, 8, 9, 10, 11
.Lfour_\shift:
    end_of_tile_by \shift
    .endr
5:
    add     sp, sp, #TILE_BYTES
    pop     {r4-r11, pc}
    .balign 4
6:                                      // by form, how far behind label 3
    .irp form, exact, 4, 5, 6, 7, 8, 9, 10, 11
    .2byte  .Lfour_\form - 3b
    .endr
    .balign 4
    end_function mcugen_dsp_tiles_of_four

// Four taps of one of two pairs of pixels that lie side by side.
.macro store_beside
    strd    r6, r7, [r2]
    strd    r8, r9, [r2, #16]
    adds    r2, #32
.endm

    // r0, r1: two runs of bytes; r2: out; r3: bytes of a run; on the stack: minus the zero point,
    // how many pairs of runs, and from behind a run to the next.
    function mcugen_dsp_widen_beside
    push    {r4-r11, lr}
    ldrd    r12, r10, [sp, #36]
    ldr     r11, [sp, #44]
1:
    lsrs    lr, r3, #3
    beq     3f
2:
    .rept 2
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    widen_four
    store_beside
    .endr
    subs    lr, lr, #1
    bne     2b
3:
    lsls    lr, r3, #30
    bcc     4f
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    widen_four
    store_beside
4:
    lsrs    lr, lr, #30
    bne     6f
5:
    add     r0, r0, r11
    add     r1, r1, r11
    subs    r10, r10, #1
    bne     1b
    pop     {r4-r11, pc}
6:                                      // one to three bytes
    last_bytes
    widen_four
    store_beside
    b       5b
    end_function mcugen_dsp_widen_beside

    widen_nine mcugen_dsp_widen_nine_beside, store_beside
