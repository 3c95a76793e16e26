// SPDX-License-Identifier: BSD-3-Clause
// Inner loops of the int8 kernels for Armv7-M (Cortex-M3), and for cores like it whose DSP
// extension is absent. Contracts and C++ declarations: loops_mla.h.
//
// Chosen by cycles, as the Cortex-M3 Technical Reference Manual has them: MLA 2, ADD 1, LDM of n
// registers 1 + n. SMLAL would take fewer instructions (0.95 per MAC) and more cycles (4 to 7).
//
// All functions: AAPCS; leaf functions without recursion; r4-r11 are saved. The stack only moves
// down by push, so interrupts are safe. LDM, LDRD and STM need their addresses word-aligned, and
// get scratch memory only; tensors are read by LDR, LDRB and written by STRB, STRH, which take any
// address.

#if __ARM_ARCH_ISA_THUMB == 2

    .syntax unified
    .thumb

#include <kernels/function.inc>

//
// Products of matrices, two pixels by two output channels
//

// What is added to each product: 2^15, so that the lower half is not negative, and -256 above it,
// so that the upper half has room for all four operands being -128. The start of the sum makes up
// for the latter.
.equ HALF, 0x8000
.equ ROOM, 0xff000000

// Four taps of a pixel (r10, r11) and two channels (r6, r7 and r8, r9). lr: ROOM + HALF. Clobbers
// r12.
.macro four_taps_of_pixel acc0, acc1
    mla     r12, r10, r6, lr
    add     \acc0, \acc0, r12, asr #16
    mla     r12, r11, r7, lr
    add     \acc0, \acc0, r12, asr #16
    mla     r12, r10, r8, lr
    add     \acc1, \acc1, r12, asr #16
    mla     r12, r11, r9, lr
    add     \acc1, \acc1, r12, asr #16
.endm

// Four taps of two pixels and two channels: 16 MAC, 19 instructions, 35 cycles.
// r0: pixels, r1: weights, both post-incremented. r2, r3: pixel 0 of channels 0 and 1; r4, r5: of
// pixel 1.
.macro four_taps
    ldmia   r1!, {r6-r9}
    ldmia   r0!, {r10, r11}
    four_taps_of_pixel r2, r3
    ldmia   r0!, {r10, r11}
    four_taps_of_pixel r4, r5
.endm

.equ FOUR_TAPS_BYTES, 76
.equ UNROLLED, 8

// Where a tile finds what no register is left for.
.equ TILE_STREAM, 0
.equ TILE_OUT, 4
.equ TILE_PIXEL, 8
.equ TILE_END, 12
.equ TILE_ENTRY, 16
.equ TILE_WEIGHTS_END, 20
.equ TILE_ZERO, 24
.equ TILE_OFFSET, 28
.equ TILE_BYTES, 32

// acc -> acc * multiplier / 2^30 + offset, shifted and saturated to 8 bits. Clobbers r12.
.macro rescale acc, multiplier, offset, shift
    lsl     \acc, \acc, #2
    smull   r12, \acc, \acc, \multiplier
    add     \acc, \acc, \offset
    asr     \acc, \acc, \shift
    ssat    \acc, #8, \acc
.endm

// The same for results of either sign: halves are rounded away from zero by taking 2 from negative
// ones, and the zero point lr is added apart. Clobbers r1, r12.
.macro rescale_exact acc, multiplier, offset, shift
    asr     r1, \acc, #31
    lsl     \acc, \acc, #2
    smull   r12, \acc, \acc, \multiplier
    add     \acc, \acc, r1, lsl #1
    add     \acc, \acc, \offset
    asr     \acc, \acc, \shift
    add     \acc, \acc, lr
    ssat    \acc, #8, \acc
.endm

.macro tiles name, exact
    function \name
    push    {r4-r11, lr}
    ldmia   r0, {r0, r1, r2, r3, r4, r5, r6}     // see McugenMlaTiles
    // r0 pixels, r1 stream, r2 out, r3 pixel, r4 end, r5 taps / 4 - 1, r6 zero
    sub     sp, sp, #TILE_BYTES
    and     r8, r5, #UNROLLED - 1
    mov     r9, #FOUR_TAPS_BYTES
    adr     r11, 3f
    orr     r11, r11, #1
    mls     r8, r8, r9, r11             // where to enter the unrolled loop
    add     r9, r1, #24
    add     r9, r9, r5, lsl #4          // end of the weights
    mov     lr, #ROOM
    orr     lr, lr, #HALF
    strd    r1, r2, [sp, #TILE_STREAM]
    strd    r3, r4, [sp, #TILE_PIXEL]
    strd    r8, r9, [sp, #TILE_ENTRY]
    strd    r6, lr, [sp, #TILE_ZERO]
1:
    ldmia   r1!, {r2, r3}               // starts
    mov     r4, r2
    mov     r5, r3
    four_taps
    ldr     pc, [sp, #TILE_ENTRY]
    .balign 4
2:
    .rept UNROLLED
    four_taps
    .endr
    .balign 4
3:
    ldr     r6, [sp, #TILE_WEIGHTS_END]
    cmp     r1, r6
    bne     2b
    ldmia   r1, {r6-r11}                // multiplier, offset, shift of channel 0, of channel 1
    .if \exact
    ldr     lr, [sp, #TILE_ZERO]
    rescale_exact r2, r6, r7, r8
    rescale_exact r4, r6, r7, r8
    rescale_exact r3, r9, r10, r11
    rescale_exact r5, r9, r10, r11
    ldr     lr, [sp, #TILE_OFFSET]
    .else
    rescale r2, r6, r7, r8
    rescale r4, r6, r7, r8
    rescale r3, r9, r10, r11
    rescale r5, r9, r10, r11
    .endif
    bfi     r2, r3, #8, #8
    bfi     r4, r5, #8, #8
    ldm     sp, {r1, r6, r7, r8}        // stream, out, pixel, end
    strh    r2, [r6]
    strh    r4, [r6, r7]
    add     r6, r6, r7, lsl #1
    str     r6, [sp, #TILE_OUT]
    cmp     r0, r8
    bne     1b
    add     sp, sp, #TILE_BYTES
    pop     {r4-r11, pc}
    end_function \name
.endm

    tiles mcugen_mla_tiles, 0
    tiles mcugen_mla_tiles_exact, 1

//
// Bytes to two in a word
//

// Four bytes in r4, as 0 to 255 above -128 (exclusive or 0x80): \low has bytes 0 and 2, \high has 1
// and 3. With \turned the pairs are the other way around. r6: 0xff00ff.
.macro two_words low, high, from, turned
    .if \turned
    and     \low, r6, \from, ror #16
    and     \high, r6, \from, ror #24
    .else
    and     \low, r6, \from
    and     \high, r6, \from, lsr #8
    .endif
    sub     \low, \low, #0x00800080
    sub     \high, \high, #0x00800080
.endm

// r4, r5: four bytes of two rows.
.macro widen_four
    eor     r4, r4, #0x80808080
    eor     r5, r5, #0x80808080
    two_words r8, r9, r4, 0
    two_words r10, r11, r5, 0
    stmia   r2!, {r8-r11}
.endm

// The same, turned; lr and r12 add up the words of each row.
.macro weights_four
    eor     r4, r4, #0x80808080
    eor     r5, r5, #0x80808080
    two_words r8, r9, r4, 1
    two_words r10, r11, r5, 1
    add     r12, r12, r8
    add     r12, r12, r9
    add     lr, lr, r10
    add     lr, lr, r11
    stmia   r2!, {r8-r11}
.endm

// r0, r1: runs of bytes; r2: out; r3: bytes of each. Clobbers r4, r5, r7-r11. Behind the last byte
// come zeros.
.macro two_runs four
    lsrs    r7, r3, #3
    beq     2f
1:
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    \four
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    \four
    subs    r7, r7, #1
    bne     1b
2:
    tst     r3, #4
    beq     3f
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    \four
3:
    ands    r7, r3, #3
    beq     5f
    // One to three bytes, and zeros.
    ldrb    r4, [r0], #1
    ldrb    r5, [r1], #1
    subs    r7, r7, #1
    beq     4f
    ldrb    r8, [r0], #1
    ldrb    r9, [r1], #1
    orr     r4, r4, r8, lsl #8
    orr     r5, r5, r9, lsl #8
    subs    r7, r7, #1
    beq     4f
    ldrb    r8, [r0], #1
    ldrb    r9, [r1], #1
    orr     r4, r4, r8, lsl #16
    orr     r5, r5, r9, lsl #16
4:
    \four
5:
.endm

    function mcugen_mla_widen
    push    {r4-r11}
    mov     r6, #0x00ff00ff
    ldr     r12, [sp, #32]              // pairs
6:
    two_runs widen_four
    ldr     r4, [sp, #36]               // skip
    subs    r12, r12, #1
    add     r0, r0, r4
    add     r1, r1, r4
    bne     6b
    mov     r0, r2
    pop     {r4-r11}
    bx      lr
    end_function mcugen_mla_widen

    function mcugen_mla_weights
    push    {r3-r11, lr}                // r3: sums
    mov     r6, #0x00ff00ff
    mov     r3, r1
    ldrd    r0, r1, [r0]
    mov     r12, #0
    mov     lr, #0
    two_runs weights_four
    mov     r0, r2
    pop     {r3}
    strd    r12, lr, [r3]
    pop     {r4-r11, pc}
    end_function mcugen_mla_weights

//
// Depthwise 3x3 over a plane of words
//

    function mcugen_mla_plane
    push    {r4-r8, lr}
    ldmia   r0, {r0-r6}                 // in, plane, pixels, in_ch, rows, in_skip, plane_skip
1:
    lsrs    r7, r2, #2
    beq     3f
2:
    .rept 4
    ldrsb   r8, [r0]
    add     r0, r0, r3
    str     r8, [r1], #4
    .endr
    subs    r7, r7, #1
    bne     2b
3:
    ands    r7, r2, #3
    beq     5f
4:
    ldrsb   r8, [r0]
    add     r0, r0, r3
    str     r8, [r1], #4
    subs    r7, r7, #1
    bne     4b
5:
    add     r0, r0, r5
    add     r1, r1, r6
    subs    r4, r4, #1
    bne     1b
    pop     {r4-r8, pc}
    end_function mcugen_mla_plane

// Three taps of three outputs. r0: plane, goes on to the next row (lr: bytes of one); r1: weights,
// post-incremented; r2, r3, r4: sums. Clobbers r5-r12.
.macro three_taps stride
    ldmia   r1!, {r5-r7}
    ldmia   r0, {r8-r12}
    mla     r2, r8, r5, r2
    mla     r2, r9, r6, r2
    mla     r2, r10, r7, r2
    .if \stride == 1
    mla     r3, r9, r5, r3
    mla     r3, r10, r6, r3
    mla     r3, r11, r7, r3
    mla     r4, r10, r5, r4
    mla     r4, r11, r6, r4
    mla     r4, r12, r7, r4
    .else
    ldrd    r8, r9, [r0, #20]
    mla     r3, r10, r5, r3
    mla     r3, r11, r6, r3
    mla     r3, r12, r7, r3
    mla     r4, r12, r5, r4
    mla     r4, r8, r6, r4
    mla     r4, r9, r7, r4
    .endif
    add     r0, r0, lr
.endm

// Where a step finds what no register is left for.
.equ STEP_PLANE, 0
.equ STEP_STREAM, 4
.equ STEP_OUT, 8
.equ STEP_PIXEL, 12
.equ STEP_LEFT, 16      // outputs of the row
.equ STEP_ROW_PLANE, 20
.equ STEP_ROW_OUT, 24
.equ STEP_PLANE_STEP, 28
.equ STEP_OUT_STEP, 32
.equ STEP_COLUMNS, 36
.equ STEP_ROWS, 40
.equ STEP_BYTES, 48

.macro depthwise name, stride, exact
    function \name
    push    {r4-r11, lr}
    sub     sp, sp, #STEP_BYTES
    ldmia   r0, {r2-r10}                // see McugenMlaDepthwise
    mov     lr, r6
    str     r3, [sp, #STEP_STREAM]
    str     r5, [sp, #STEP_PIXEL]
    strd    r2, r4, [sp, #STEP_ROW_PLANE]
    strd    r7, r8, [sp, #STEP_PLANE_STEP]
    strd    r9, r10, [sp, #STEP_COLUMNS]
1:
    ldrd    r0, r4, [sp, #STEP_ROW_PLANE]
    ldrd    r7, r8, [sp, #STEP_PLANE_STEP]
    ldr     r9, [sp, #STEP_COLUMNS]
    add     r7, r7, r0
    add     r8, r8, r4
    strd    r7, r8, [sp, #STEP_ROW_PLANE]
    str     r4, [sp, #STEP_OUT]
    str     r9, [sp, #STEP_LEFT]
    ldr     r1, [sp, #STEP_STREAM]
2:
    ldr     r2, [r1], #4
    add     r3, r0, #12 * \stride
    str     r3, [sp, #STEP_PLANE]
    mov     r3, r2
    mov     r4, r2
    three_taps \stride
    three_taps \stride
    three_taps \stride
    .if \exact
    ldmia   r1, {r5-r8}                 // multiplier, offset, shift, zero point
    mov     r9, lr
    mov     lr, r8
    rescale_exact r2, r5, r6, r7
    rescale_exact r3, r5, r6, r7
    rescale_exact r4, r5, r6, r7
    mov     lr, r9
    .else
    ldmia   r1, {r5-r7}
    rescale r2, r5, r6, r7
    rescale r3, r5, r6, r7
    rescale r4, r5, r6, r7
    .endif
    ldm     sp, {r0, r1, r8, r9, r10}   // plane, stream, out, pixel, left
    strb    r2, [r8]
    cmp     r10, #2
    it      ge
    strbge  r3, [r8, r9]
    add     r8, r8, r9, lsl #1
    it      gt
    strbgt  r4, [r8]
    add     r8, r8, r9
    str     r8, [sp, #STEP_OUT]
    subs    r10, r10, #3
    str     r10, [sp, #STEP_LEFT]
    bgt     2b
    ldr     r10, [sp, #STEP_ROWS]
    subs    r10, r10, #1
    str     r10, [sp, #STEP_ROWS]
    bne     1b
    add     sp, sp, #STEP_BYTES
    pop     {r4-r11, pc}
    end_function \name
.endm

    depthwise mcugen_mla_depthwise_1, 1, 0
    depthwise mcugen_mla_depthwise_2, 2, 0
    depthwise mcugen_mla_depthwise_1_exact, 1, 1
    depthwise mcugen_mla_depthwise_2_exact, 2, 1

//
// A row by four rows, as they lie
//

// One tap. r0: inputs, r1-r4: weights; r5-r8: sums; r9: zero point. Clobbers r10-r12, lr. Loads in
// a row take a cycle each.
.macro one_tap offset
    ldrsb   r10, [r0, #\offset]
    ldrsb   r11, [r1, #\offset]
    ldrsb   r12, [r2, #\offset]
    ldrsb   lr, [r3, #\offset]
    sub     r10, r10, r9
    mla     r5, r10, r11, r5
    ldrsb   r11, [r4, #\offset]
    mla     r6, r10, r12, r6
    mla     r7, r10, lr, r7
    mla     r8, r10, r11, r8
.endm

// On to what follows \taps taps.
.macro next_taps taps
    add     r0, r0, #\taps
    add     r1, r1, #\taps
    add     r2, r2, #\taps
    add     r3, r3, #\taps
    add     r4, r4, #\taps
.endm

    function mcugen_mla_four_rows
    push    {r3-r11, lr}                // r3: taps / 4
    ldrd    r9, r10, [sp, #40]          // zero point, sums
    ldmia   r10, {r5-r8}
    lsrs    r10, r3, #1
    add     r3, r1, r2, lsl #1
    add     r4, r3, r2
    add     r2, r1, r2
    beq     2f
1:
    push    {r10}
    .irp offset, 0, 1, 2, 3, 4, 5, 6, 7
    one_tap \offset
    .endr
    next_taps 8
    pop     {r10}
    subs    r10, r10, #1
    bne     1b
2:
    ldr     r10, [sp]
    tst     r10, #1
    beq     3f
    .irp offset, 0, 1, 2, 3
    one_tap \offset
    .endr
3:
    ldr     r10, [sp, #44]
    stmia   r10, {r5-r8}
    pop     {r3-r11, pc}
    end_function mcugen_mla_four_rows

#endif
