// SPDX-License-Identifier: BSD-3-Clause
// Inner loops of the int8 kernels for Armv6-M (Cortex-M0, M0+) and Armv8-M Baseline (M23).
// Contracts and C++ declarations: loops_mla.h.
//
// Nearly all instructions reach r0-r7 only; ADD, CMP and MOV reach the others. There is no long
// product. All functions: AAPCS; leaf functions without recursion; r4-r11 are saved. The stack only
// moves down by push, so interrupts are safe. Every access is aligned: LDM, LDR and STM to scratch
// memory and to the stack, LDRB and STRB to tensors.

#if __ARM_ARCH_ISA_THUMB == 1

    .syntax unified
    .thumb

#include <kernels/function.inc>

.macro push_all
    push    {r4-r7, lr}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {r4-r7}
.endm

.macro pop_all
    pop     {r4-r7}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {r4-r7, pc}
.endm

//
// Products of matrices, two pixels by one output channel
//

// Four taps of a pixel: the upper half of each product and, since ASRS leaves the sign of the lower
// half in the carry, what that took from it. r0: pixels; r2, r3: weights. Clobbers r4, r5.
.macro four_taps_of_pixel acc
    ldmia   r0!, {r4, r5}
    muls    r4, r2, r4
    muls    r5, r3, r5
    asrs    r4, r4, #16
    adcs    \acc, \acc, r4
    asrs    r5, r5, #16
    adcs    \acc, \acc, r5
.endm

// Four taps of two pixels and a channel: 8 MAC, 15 instructions. r0: pixels, r1: weights, both
// post-incremented; r6, r7: pixels 0 and 1.
.macro four_taps
    ldmia   r1!, {r2, r3}
    four_taps_of_pixel r6
    four_taps_of_pixel r7
.endm

.equ FOUR_TAPS_BYTES, 30
.equ UNROLLED, 4

// Where a tile finds what no register is left for.
.equ ZERO, 0            // the output's zero point, for the exact forms
.equ TILE_STEP, 4
.equ TILE_END, 8
.equ TILE_BYTES, 12

// r4 -> r4, saturated to 8 bits. Clobbers r5.
.macro saturate
    sxtb    r5, r4
    cmp     r5, r4
    beq     8f
    asrs    r4, r4, #31
    movs    r5, #0x7f
    eors    r4, r5
8:
.endm

// acc -> r4 = (acc * multiplier / 2^30 + offset) >> shift, saturated to 8 bits. r0: offset, r1:
// shift, r2: upper half of the multiplier, r3: its lower half. Clobbers acc, r5, and lr if exact.
//
// With acc = h * 2^16 + l, l signed, nothing runs over: |l * r3| < 2^31, |l * r2| < 2^30, and
// |h * r3| < 2^29 because |acc| < 2^29.
.macro rescale acc, exact
    .if \exact
    asrs    r5, \acc, #31
    lsls    r5, r5, #1
    mov     lr, r5                      // halves away from zero: 2 from negative ones
    .else
    cmp     \acc, #0
    bge     7f
    movs    r4, r0
    asrs    r4, r1
    b       9f
7:
    .endif
    sxth    r4, \acc                    // l
    subs    \acc, \acc, r4
    asrs    \acc, \acc, #16             // h
    movs    r5, r4
    muls    r5, r3, r5
    asrs    r5, r5, #16
    muls    r4, r2, r4
    adds    r4, r4, r5
    movs    r5, \acc
    muls    r5, r3, r5
    adds    r4, r4, r5
    asrs    r4, r4, #14
    muls    \acc, r2, \acc
    lsls    \acc, \acc, #2
    adds    r4, r4, \acc
    adds    r4, r4, r0
    .if \exact
    add     r4, lr
    .endif
    asrs    r4, r1
    .if \exact
    ldr     r5, [sp, #ZERO]
    adds    r4, r4, r5
    .endif
    saturate
9:
.endm

.macro tiles name, exact
    function \name
    push_all
    sub     sp, sp, #TILE_BYTES
    ldmia   r0!, {r1, r2, r3, r4, r5, r6}   // see McugenMlaTiles
    // r1 pixels, r2 stream, r3 out, r4 pixel, r5 end, r6 taps / 4 - 1
    ldr     r7, [r0]                    // zero
    str     r4, [sp, #TILE_STEP]
    str     r5, [sp, #TILE_END]
    str     r7, [sp, #ZERO]
    mov     r10, r3
    mov     r11, r2
    movs    r0, r1
    movs    r4, #UNROLLED - 1
    ands    r4, r6
    movs    r5, #FOUR_TAPS_BYTES
    muls    r4, r5, r4
    adr     r5, 3f
    subs    r5, r5, r4
    mov     r9, r5                      // where to enter the unrolled loop
    lsls    r6, r6, #3
    adds    r6, r6, r2
    adds    r6, r6, #12
    mov     r8, r6                      // end of the weights
    b       1f
    .balign 4
2:
    .rept UNROLLED
    four_taps
    .endr
3:
    cmp     r1, r8
    bne     2b
    mov     r12, r0
    ldmia   r1!, {r2, r3}               // the multiplier's halves
    ldmia   r1!, {r0, r4}               // offset, shift
    movs    r1, r4
    rescale r6, \exact
    mov     r5, r10
    strb    r4, [r5]
    rescale r7, \exact
    mov     r5, r10
    ldr     r6, [sp, #TILE_STEP]
    strb    r4, [r5, r6]
    adds    r5, r5, r6
    adds    r5, r5, r6
    mov     r10, r5
    mov     r0, r12
    ldr     r6, [sp, #TILE_END]
    cmp     r0, r6
    beq     6f
1:
    mov     r1, r11
    ldmia   r1!, {r6}                   // start
    movs    r7, r6
    four_taps
    mov     pc, r9
6:
    add     sp, sp, #TILE_BYTES
    pop_all
    end_function \name
.endm

    tiles mcugen_mla_tiles, 0
    tiles mcugen_mla_tiles_exact, 1

//
// Bytes to two in a word
//

// Four bytes of a row -> r4, r5. r7: 0x800080. Clobbers r6.
.macro two_words row, b0, b1, b2, b3
    ldrb    r4, [\row, #\b0]
    ldrb    r6, [\row, #\b2]
    lsls    r6, r6, #16
    orrs    r4, r6
    ldrb    r5, [\row, #\b1]
    ldrb    r6, [\row, #\b3]
    lsls    r6, r6, #16
    orrs    r5, r6
    eors    r4, r7
    eors    r5, r7
    subs    r4, r4, r7
    subs    r5, r5, r7
.endm

.macro widen_four
    two_words r0, 0, 1, 2, 3
    stmia   r2!, {r4, r5}
    two_words r1, 0, 1, 2, 3
    stmia   r2!, {r4, r5}
.endm

// Where mcugen_mla_widen finds its arguments behind what it pushed.
.equ WIDEN_PAIRS, 20
.equ WIDEN_SKIP, 24

    function mcugen_mla_widen
    push    {r4-r7, lr}
    ldr     r7, =0x00800080
    mov     r12, r3
5:
    mov     r3, r12
    subs    r3, r3, #4
    blo     2f
1:
    widen_four
    adds    r0, r0, #4
    adds    r1, r1, #4
    subs    r3, r3, #4
    bhs     1b
2:
    adds    r3, r3, #4
    beq     4f
    // One to three bytes of each run, and zeros.
    movs    r4, #0
    movs    r5, #0
    push    {r0, r1, r3, r4, r5}
    mov     r4, sp
    adds    r4, r4, #12
3:
    subs    r3, r3, #1
    ldrb    r5, [r0, r3]
    ldrb    r6, [r1, r3]
    strb    r5, [r4, r3]
    adds    r4, r4, #4
    strb    r6, [r4, r3]
    subs    r4, r4, #4
    cmp     r3, #0
    bne     3b
    movs    r0, r4
    adds    r1, r4, #4
    widen_four
    pop     {r0, r1, r3, r4, r5}
    adds    r0, r0, r3
    adds    r1, r1, r3
4:
    ldr     r4, [sp, #WIDEN_SKIP]
    adds    r0, r0, r4
    adds    r1, r1, r4
    ldr     r4, [sp, #WIDEN_PAIRS]
    subs    r4, r4, #1
    str     r4, [sp, #WIDEN_PAIRS]
    bne     5b
    movs    r0, r2
    pop     {r4-r7, pc}
    end_function mcugen_mla_widen

// r8: sum of the words; r9: what a word of two -128 is; r10: becomes it where there is one.
.macro weights_four
    two_words r0, 2, 3, 0, 1
    stmia   r2!, {r4, r5}
    add     r8, r4
    add     r8, r5
    cmp     r4, r9
    beq     8f
    cmp     r5, r9
    bne     9f
8:
    mov     r10, r9
9:
.endm

    function mcugen_mla_weights
    push_all
    push    {r3}                        // sums
    ldr     r0, [r0]
    movs    r3, r1
    ldr     r7, =0xff7fff80
    mov     r9, r7
    movs    r7, #0
    mov     r8, r7
    mov     r10, r7
    ldr     r7, =0x00800080
    subs    r3, r3, #4
    blo     2f
1:
    weights_four
    adds    r0, r0, #4
    subs    r3, r3, #4
    bhs     1b
2:
    adds    r3, r3, #4
    beq     4f
    // One to three weights, and zeros.
    movs    r4, #0
    push    {r4}
    mov     r6, sp
3:
    subs    r3, r3, #1
    ldrb    r4, [r0, r3]
    strb    r4, [r6, r3]
    bne     3b
    mov     r0, sp
    weights_four
    add     sp, sp, #4
4:
    movs    r0, r2
    pop     {r3}
    mov     r4, r8
    mov     r5, r10
    stmia   r3!, {r4, r5}
    pop_all
    end_function mcugen_mla_weights

//
// Depthwise 3x3 over a plane of words
//

    function mcugen_mla_plane
    push_all
    ldmia   r0!, {r1, r2, r3, r4, r5, r6}   // in, plane, pixels, in_ch, rows, in_skip
    ldr     r7, [r0]                    // plane_skip
    mov     r8, r3
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    movs    r7, #0
1:
    mov     r3, r8
    subs    r3, r3, #4
    blo     3f
2:
    .rept 2
    ldrsb   r5, [r1, r7]
    ldrsb   r6, [r1, r4]
    adds    r1, r1, r4
    adds    r1, r1, r4
    stmia   r2!, {r5, r6}
    .endr
    subs    r3, r3, #4
    bhs     2b
3:
    adds    r3, r3, #4
    beq     5f
4:
    ldrsb   r5, [r1, r7]
    adds    r1, r1, r4
    stmia   r2!, {r5}
    subs    r3, r3, #1
    bne     4b
5:
    add     r1, r10
    add     r2, r11
    mov     r3, r9
    subs    r3, r3, #1
    mov     r9, r3
    bne     1b
    pop_all
    end_function mcugen_mla_plane

// Where an output finds what no register is left for; ZERO first.
.equ STEP_PIXEL, 4
.equ STEP_STREAM, 8
.equ STEP_LEFT, 12      // outputs of the row
.equ STEP_ROW_PLANE, 16
.equ STEP_ROW_OUT, 20
.equ STEP_PLANE_STEP, 24
.equ STEP_OUT_STEP, 28
.equ STEP_COLUMNS, 32
.equ STEP_ROWS, 36
.equ STEP_BYTES, 40

// Three taps. r0: plane, r1: weights, both post-incremented. r8: sum. Clobbers r2-r7.
.macro three_taps
    ldmia   r1!, {r2, r3, r4}
    ldmia   r0!, {r5, r6, r7}
    muls    r5, r2, r5
    muls    r6, r3, r6
    muls    r7, r4, r7
    adds    r5, r5, r6
    adds    r5, r5, r7
    add     r8, r5
.endm

.macro depthwise name, stride, exact
    function \name
    push_all
    sub     sp, sp, #STEP_BYTES
    ldmia   r0!, {r1, r2, r3, r4, r5, r6, r7}   // see McugenMlaDepthwise
    str     r1, [sp, #STEP_ROW_PLANE]
    str     r2, [sp, #STEP_STREAM]
    str     r3, [sp, #STEP_ROW_OUT]
    str     r4, [sp, #STEP_PIXEL]
    str     r6, [sp, #STEP_PLANE_STEP]
    str     r7, [sp, #STEP_OUT_STEP]
    subs    r5, r5, #12
    mov     r9, r5                      // from behind three words of a row to the next
    ldmia   r0!, {r1, r2}
    str     r1, [sp, #STEP_COLUMNS]
    str     r2, [sp, #STEP_ROWS]
1:
    ldr     r0, [sp, #STEP_ROW_PLANE]
    ldr     r1, [sp, #STEP_PLANE_STEP]
    adds    r1, r1, r0
    str     r1, [sp, #STEP_ROW_PLANE]
    ldr     r2, [sp, #STEP_ROW_OUT]
    mov     r11, r2
    ldr     r3, [sp, #STEP_OUT_STEP]
    adds    r2, r2, r3
    str     r2, [sp, #STEP_ROW_OUT]
    ldr     r1, [sp, #STEP_COLUMNS]
2:
    str     r1, [sp, #STEP_LEFT]
    movs    r1, r0
    adds    r1, r1, #4 * \stride
    mov     r10, r1
    ldr     r1, [sp, #STEP_STREAM]
    ldmia   r1!, {r2}
    mov     r8, r2
    three_taps
    add     r0, r9
    three_taps
    add     r0, r9
    three_taps
    .if \exact
    ldr     r5, [r1, #16]
    str     r5, [sp, #ZERO]
    .endif
    ldmia   r1!, {r2, r3}               // the multiplier's halves
    ldmia   r1!, {r0, r4}               // offset, shift
    movs    r1, r4
    mov     r6, r8
    rescale r6, \exact
    mov     r5, r11
    strb    r4, [r5]
    ldr     r6, [sp, #STEP_PIXEL]
    adds    r5, r5, r6
    mov     r11, r5
    mov     r0, r10
    ldr     r1, [sp, #STEP_LEFT]
    subs    r1, r1, #1
    bne     2b
    ldr     r1, [sp, #STEP_ROWS]
    subs    r1, r1, #1
    str     r1, [sp, #STEP_ROWS]
    bne     1b
    add     sp, sp, #STEP_BYTES
    pop_all
    end_function \name
.endm

    depthwise mcugen_mla_depthwise_1, 1, 0
    depthwise mcugen_mla_depthwise_2, 2, 0
    depthwise mcugen_mla_depthwise_1_exact, 1, 1
    depthwise mcugen_mla_depthwise_2_exact, 2, 1

//
// A row by four rows, as they lie
//

// One tap. r0: inputs, r1-r4: weights, r5: which tap, goes on by 1; r8-r11: sums; r12: minus the
// zero point. Clobbers r6, r7.
.macro one_tap
    ldrsb   r6, [r0, r5]
    add     r6, r12
    ldrsb   r7, [r1, r5]
    muls    r7, r6, r7
    add     r8, r7
    ldrsb   r7, [r2, r5]
    muls    r7, r6, r7
    add     r9, r7
    ldrsb   r7, [r3, r5]
    muls    r7, r6, r7
    add     r10, r7
    ldrsb   r7, [r4, r5]
    muls    r7, r6, r7
    add     r11, r7
    adds    r5, r5, #1
.endm

// Where mcugen_mla_four_rows finds its arguments behind what it pushed.
.equ ROWS_ZERO, 36
.equ ROWS_SUMS, 40

    function mcugen_mla_four_rows
    push_all
    lsls    r3, r3, #2
    mov     lr, r3                      // taps
    ldr     r3, [sp, #ROWS_ZERO]
    rsbs    r3, r3, #0
    mov     r12, r3
    ldr     r3, [sp, #ROWS_SUMS]
    ldmia   r3!, {r4-r7}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    movs    r4, r2
    adds    r2, r1, r4
    adds    r3, r2, r4
    adds    r4, r3, r4
    movs    r5, #0
    mov     r7, lr
    lsls    r7, r7, #29
    bpl     1f                          // a multiple of eight taps
    .rept 4
    one_tap
    .endr
    cmp     r5, lr
    beq     2f
1:
    .rept 8
    one_tap
    .endr
    cmp     r5, lr
    bne     1b
2:
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    ldr     r3, [sp, #ROWS_SUMS]
    stmia   r3!, {r4-r7}
    pop_all
    end_function mcugen_mla_four_rows

//
// A row by four rows, laid out for it
//

// Four inputs and a word of a row: 4 MAC, 14 instructions. Each half of the word's bytes, less 128,
// are two weights, the one of input k + 2 below the one of k; the middle of their product with two
// inputs is the sum of two, as in four_taps_of_pixel. r0: inputs; r1: weights; r6: sum; r7:
// 0x00ff00ff; r8: -0x00800080. Clobbers r2-r5.
.macro four_inputs offset
    ldmia   r0!, {r2, r3}
    ldr     r4, [r1, #\offset]
    movs    r5, r4
    ands    r5, r7
    add     r5, r8
    muls    r5, r2, r5
    asrs    r5, r5, #16
    adcs    r6, r6, r5
    lsrs    r4, r4, #8
    ands    r4, r7
    add     r4, r8
    muls    r4, r3, r4
    asrs    r4, r4, #16
    adcs    r6, r6, r4
.endm

.equ FOUR_INPUTS_BYTES, 28
.equ UNROLLED_INPUTS, 8

.equ PACKED_ROW, 0          // weights of the next row
.equ PACKED_SUMS, 4
.equ PACKED_BYTES, 8

    // r0: inputs; r1: group; r2: inputs / 4; r3: sums.
    function mcugen_mla_packed_rows
    push_all
    sub     sp, sp, #PACKED_BYTES
    str     r3, [sp, #PACKED_SUMS]
    mov     r9, r0
    mov     r10, r1                     // the starts
    subs    r5, r2, #1
    movs    r4, #UNROLLED_INPUTS - 1
    ands    r5, r4
    adds    r5, r5, #1                  // how many come first
    lsls    r2, r2, #3
    adds    r2, r2, r0
    mov     r12, r2                     // end of the inputs
    movs    r4, #FOUR_INPUTS_BYTES
    muls    r4, r5, r4
    adr     r6, 3f
    subs    r6, r6, r4
    mov     r11, r6                     // where to enter the unrolled loop
    adds    r1, r1, #16
    movs    r4, #UNROLLED_INPUTS
    subs    r4, r4, r5
    lsls    r4, r4, #4
    subs    r1, r1, r4                  // the loop's offsets count from there
    str     r1, [sp, #PACKED_ROW]
    ldr     r7, =0x00ff00ff
    ldr     r4, =0xff7fff80
    mov     r8, r4
    movs    r4, #4
1:
    mov     lr, r4                      // rows left
    mov     r4, r10
    ldmia   r4!, {r6}
    mov     r10, r4
    ldr     r1, [sp, #PACKED_ROW]
    adds    r4, r1, #4
    str     r4, [sp, #PACKED_ROW]
    mov     r0, r9
    mov     pc, r11
    .balign 4
2:
    .irp offset, 0, 16, 32, 48, 64, 80, 96, 112
    four_inputs \offset
    .endr
3:
    adds    r1, r1, #128
    cmp     r0, r12
    bne     2b
    ldr     r4, [sp, #PACKED_SUMS]
    stmia   r4!, {r6}
    str     r4, [sp, #PACKED_SUMS]
    mov     r4, lr
    subs    r4, r4, #1
    beq     4f
    b       1b
4:
    subs    r1, r1, #12                 // of the last row
    movs    r0, r1
    add     sp, sp, #PACKED_BYTES
    pop_all
    end_function mcugen_mla_packed_rows

#endif
