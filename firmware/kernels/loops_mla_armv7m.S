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

// Four taps of a pixel (r10, r11) and two channels (r6, r7 and r8, r9). lr: ROOM + HALF. What the
// sums add up from: \from0, \from1. Clobbers r12.
.macro four_taps_of_pixel acc0, acc1, from0, from1
    mla     r12, r10, r6, lr
    add     \acc0, \from0, r12, asr #16
    mla     r12, r11, r7, lr
    add     \acc0, \acc0, r12, asr #16
    mla     r12, r10, r8, lr
    add     \acc1, \from1, r12, asr #16
    mla     r12, r11, r9, lr
    add     \acc1, \acc1, r12, asr #16
.endm

// Four taps of two pixels and two channels: 16 MAC, 19 instructions, 35 cycles.
// r0: pixels, r1: weights, both post-incremented. r4, r5: pixel 0 of channels 0 and 1, starting
// from \from0, \from1; r2, r3: of pixel 1.
.macro four_taps from0=r4, from1=r5
    ldmia   r1!, {r6-r9}
    ldmia   r0!, {r10, r11}
    four_taps_of_pixel r4, r5, \from0, \from1
    ldmia   r0!, {r10, r11}
    four_taps_of_pixel r2, r3, r2, r3
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
    four_taps r2, r3
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
    bfi     r4, r5, #8, #8
    bfi     r2, r3, #8, #8
    ldm     sp, {r1, r6, r7, r8}        // stream, out, pixel, end
    strh    r4, [r6]
    strh    r2, [r6, r7]
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
    push    {r4-r11, lr}
    ldmia   r0, {r0-r6}                 // in, plane, pixels, in_ch, rows, in_skip, plane_skip
    add     r12, r3, r3, lsl #1
1:
    lsrs    r7, r2, #2
    beq     3f
2:
    ldrsb   r8, [r0]
    ldrsb   r9, [r0, r3]
    ldrsb   r10, [r0, r3, lsl #1]
    ldrsb   r11, [r0, r12]
    add     r0, r0, r3, lsl #2
    stmia   r1!, {r8-r11}
    subs    r7, r7, #1
    bne     2b
3:
    lsls    r7, r2, #31                 // C: two more, N: one
    bcc     4f
    ldrsb   r8, [r0]
    ldrsb   r9, [r0, r3]
    add     r0, r0, r3, lsl #1
    stmia   r1!, {r8, r9}
4:
    bpl     5f
    ldrsb   r8, [r0]
    add     r0, r0, r3
    str     r8, [r1], #4
5:
    add     r0, r0, r5
    add     r1, r1, r6
    subs    r4, r4, #1
    bne     1b
    pop     {r4-r11, pc}
    end_function mcugen_mla_plane

// Three taps of three outputs. r0: plane; lr: bytes of a row of it; r1: weights,
// post-incremented; r2, r3, r4: sums, of which the last two add up from \from3 and \from4.
// Clobbers r5-r12.
.macro three_taps stride, from3=r3, from4=r4
    ldmia   r1!, {r5-r7}
    ldmia   r0, {r8-r12}
    .if \stride == 1
    mla     r3, r9, r5, \from3
    mla     r4, r10, r5, \from4
    mla     r2, r8, r5, r2
    mla     r3, r10, r6, r3
    mla     r4, r11, r6, r4
    mla     r2, r9, r6, r2
    mla     r3, r11, r7, r3
    mla     r4, r12, r7, r4
    mla     r2, r10, r7, r2
    .else
    mla     r3, r10, r5, \from3
    mla     r4, r12, r5, \from4
    mla     r2, r8, r5, r2
    mla     r2, r9, r6, r2
    ldrd    r8, r9, [r0, #20]
    mla     r2, r10, r7, r2
    mla     r3, r11, r6, r3
    mla     r3, r12, r7, r3
    mla     r4, r8, r6, r4
    mla     r4, r9, r7, r4
    .endif
.endm

// Where a step finds what no register is left for.
.equ STEP_STREAM, 0
.equ STEP_OUT, 4
.equ STEP_PIXEL, 8
.equ STEP_LEFT, 12      // outputs of the row
.equ STEP_ROW_PLANE, 16
.equ STEP_ROW_OUT, 20
.equ STEP_PLANE_STEP, 24
.equ STEP_OUT_STEP, 28
.equ STEP_COLUMNS, 32
.equ STEP_ROWS, 36
.equ STEP_BYTES, 40

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
    mov     r1, r3
1:
    ldrd    r0, r4, [sp, #STEP_ROW_PLANE]
    ldrd    r7, r8, [sp, #STEP_PLANE_STEP]
    ldr     r9, [sp, #STEP_COLUMNS]
    add     r7, r7, r0
    add     r8, r8, r4
    strd    r7, r8, [sp, #STEP_ROW_PLANE]
    str     r4, [sp, #STEP_OUT]
    str     r9, [sp, #STEP_LEFT]
2:
    ldr     r2, [r1], #4
    three_taps \stride, r2, r2
    add     r0, r0, lr
    three_taps \stride
    add     r0, r0, lr
    three_taps \stride
    sub     r0, r0, lr, lsl #1
    add     r0, r0, #12 * \stride
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
    ldm     sp, {r1, r8, r9, r10}       // stream, out, pixel, left
    strb    r2, [r8]
    subs    r10, r10, #3
    blt     3f
    strb    r3, [r8, r9]
    add     r8, r8, r9, lsl #1
    strb    r4, [r8]
    add     r8, r8, r9
    str     r8, [sp, #STEP_OUT]
    str     r10, [sp, #STEP_LEFT]
    bne     2b
3:
    // One or two outputs, or no more.
    adds    r10, r10, #1
    it      eq
    strbeq  r3, [r8, r9]
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
// 3x3 convolutions of stride 1 by Winograd's F(2x2, 3x3), exactly, in integers
//
// As loops_dsp.S has it, but one product at a time: no two fit into one of 32 bits. Four outputs of a
// tile come of 16 products per channel instead of 36. With
//     B' = 1 0 -1 0 | 0 1 1 0 | 0 -1 1 0 | 0 1 0 -1,  G = 1 0 0 | 1 1 1 | 1 -1 1 | 0 0 1,
// U = G g G' and V = B' d B, the products m of U and V summed over channels give four times the
// outputs as A' D m D A, A' = 1 1 1 0 | 0 1 -1 -1, D = diagonal of 2 1 1 2. Of D, what belongs to
// rows is in U, and what belongs to columns is added shifted. Positions are ordered by column, and
// within a column as rows 1, 0, 2, 3: then prefix sums P0 to P3 over a column give
//     A' m: P2, and P0 + P1 - P3,
// and what the sums start from in column 1 is in all outputs alike, as a bias has to be.

// A column of G g G' from three columns of g; r1: out, goes on by lr; r2: bytes from a position to
// the next. Clobbers r3, lr.
.macro winograd_weights_column x0, x1, x2, on
    add     r3, \x0, \x2
    add     lr, r3, \x1
    str     lr, [r1]                    // row 1
    sub     r3, r3, \x1
    str     r3, [r1, r2, lsl #1]        // row 2
    lsl     r3, \x0, #1
    str     r3, [r1, r2]                // row 0
    add     lr, r1, r2
    lsl     r3, \x2, #1
    str     r3, [lr, r2, lsl #1]        // row 3
    ldr     lr, [sp, #WEIGHTS_COLUMN]
    \on     r1, r1, lr, lsl #1
.endm

.equ WEIGHTS_IN_CH, 0
.equ WEIGHTS_COLUMN, 4
.equ WEIGHTS_END, 8
.equ WEIGHTS_BYTES, 16

    // r0: weights of a channel, of tap 0; r1: out; r2: in_ch.
    function mcugen_mla_winograd_weights
    push    {r4-r11, lr}
    sub     sp, sp, #WEIGHTS_BYTES
    add     r3, r0, r2
    str     r3, [sp, #WEIGHTS_END]
    str     r2, [sp, #WEIGHTS_IN_CH]
    mov     r3, #16
    add     r3, r3, r2, lsl #5
    str     r3, [sp, #WEIGHTS_COLUMN]
    lsl     r2, r2, #3
1:
    ldr     r3, [sp, #WEIGHTS_IN_CH]
    add     lr, r3, r3, lsl #1
    ldrsb   r4, [r0]
    ldrsb   r5, [r0, r3]
    ldrsb   r6, [r0, r3, lsl #1]
    add     r0, r0, lr
    ldrsb   r7, [r0]
    ldrsb   r8, [r0, r3]
    ldrsb   r9, [r0, r3, lsl #1]
    add     r0, r0, lr
    ldrsb   r10, [r0]
    ldrsb   r11, [r0, r3]
    ldrsb   r12, [r0, r3, lsl #1]
    sub     r0, r0, lr, lsl #1
    winograd_weights_column r4, r7, r10, add
    add     r1, r1, lr
    winograd_weights_column r6, r9, r12, sub
    add     r4, r4, r6
    add     r7, r7, r9
    add     r10, r10, r12
    add     r6, r4, r5
    add     r9, r7, r8
    add     r12, r10, r11
    winograd_weights_column r6, r9, r12, add
    sub     r1, r1, lr
    sub     r4, r4, r5
    sub     r7, r7, r8
    sub     r10, r10, r11
    winograd_weights_column r4, r7, r10, sub
    add     r0, r0, #1
    ldr     r3, [sp, #WEIGHTS_END]
    add     r1, r1, #4                  // k + 1
    tst     r1, #4
    it      eq
    addeq   r1, r1, #8                  // of the next two
    cmp     r0, r3
    bne     1b
    add     sp, sp, #WEIGHTS_BYTES
    pop     {r4-r11, pc}
    end_function mcugen_mla_winograd_weights

// Four columns of two tiles of one row of B' d B. r0, r1: the two rows of d it comes of, r3: bytes
// from a pixel to the next, r4: tiles, r5: bytes from a column of positions to the next. On the
// stack: where a row ends. Clobbers r2, r4, r6-r12, lr.
.macro winograd_row how
    ldrsb   r6, [r0]
    ldrsb   r8, [r1]
    ldrsb   r7, [r0, r3]
    ldrsb   r9, [r1, r3]
    lsl     r2, r3, #1
    \how    r6, r6, r8
    \how    r7, r7, r9
1:
    .irp column, r8, r9, r10, r11
    ldrsb   \column, [r0, r2]
    ldrsb   r12, [r1, r2]
    add     r2, r2, r3
    \how    \column, \column, r12
    .endr
    sub     r6, r6, r8
    sub     r12, r8, r10
    strh    r6, [r4]
    strh    r12, [r4, #2]
    add     r4, r4, r5
    add     r12, r7, r8
    add     lr, r9, r10
    strh    r12, [r4]
    strh    lr, [r4, #2]
    add     r4, r4, r5
    sub     r12, r8, r7
    sub     lr, r10, r9
    strh    r12, [r4]
    strh    lr, [r4, #2]
    add     r4, r4, r5
    sub     r12, r7, r9
    sub     lr, r9, r11
    strh    r12, [r4]
    strh    lr, [r4, #2]
    add     r4, r4, r5
    mov     r6, r10
    mov     r7, r11
    ldr     r12, [sp, #INPUT_ROW_BYTES]
    cmp     r2, r12
    bne     1b
.endm

.equ INPUT_PIXELS, 0
.equ INPUT_ROW_BYTES, 4
.equ INPUT_TILES, 8
.equ INPUT_BYTES, 16

    // r0: pixels, r1: in_ch, r2: row_bytes, r3: tiles.
    function mcugen_mla_winograd_input
    push    {r4-r11, lr}
    sub     sp, sp, #INPUT_BYTES
    strd    r0, r2, [sp, #INPUT_PIXELS]
    str     r3, [sp, #INPUT_TILES]
    mov     r4, r3
    mov     r3, r1
    lsl     r5, r3, #4                  // bytes of a column of four positions
    add     r1, r0, r2, lsl #1
    add     r0, r0, r2
    winograd_row add                    // row 1: 1 + 2
    ldrd    r0, r2, [sp, #INPUT_PIXELS]
    ldr     r4, [sp, #INPUT_TILES]
    add     r4, r4, r3, lsl #2
    add     r1, r0, r2, lsl #1
    winograd_row sub                    // row 0: 0 - 2
    ldrd    r1, r2, [sp, #INPUT_PIXELS]
    ldr     r4, [sp, #INPUT_TILES]
    add     r4, r4, r3, lsl #3
    add     r0, r1, r2, lsl #1
    add     r1, r1, r2
    winograd_row sub                    // row 2: 2 - 1
    ldrd    r0, r2, [sp, #INPUT_PIXELS]
    ldr     r4, [sp, #INPUT_TILES]
    add     r4, r4, r3, lsl #3
    add     r4, r4, r3, lsl #2
    add     r0, r0, r2
    add     r1, r0, r2, lsl #1
    winograd_row sub                    // row 3: 1 - 3
    add     sp, sp, #INPUT_BYTES
    pop     {r4-r11, pc}
    end_function mcugen_mla_winograd_input

// Products of two tiles and two channels, position by position. The sums of each position are
// pushed; where to go on then stands 256 bytes above the stack pointer, in every fourth word of a
// table of 256 bytes, so that neither a register nor an instruction counts positions. The table's
// other words hold what no register is left for.
.equ PRODUCTS_TABLE, 256
.equ PRODUCTS_SCALING_0, 4      // multiplier, offset, shift
.equ PRODUCTS_SCALING_1, 20
.equ PRODUCTS_OUT, 36           // out, pixel_step
.equ PRODUCTS_STREAM, 44
.equ PRODUCTS_TILES, 52         // where the next pair of tiles is, and the end of all
.equ PRODUCTS_ROW, 60
.equ PRODUCTS_PAIRS, 68         // pairs of tiles left in the row, and in a row

// Two taps of two tiles and two channels: 8 MAC, 13 instructions, 26 cycles. r0: tiles, r1:
// weights, both post-incremented; r2, r3: tile 0 of channels 0 and 1; r4, r5: of tile 1.
.macro two_products
    ldmia   r1!, {r6-r9}                // c0 k0, c0 k1, c1 k0, c1 k1
    ldrsh   r10, [r0], #8               // p0 k0
    ldrsh   r11, [r0, #-6]              // p1 k0
    ldrsh   r12, [r0, #-4]              // p0 k1
    ldrsh   lr, [r0, #-2]               // p1 k1
    mla     r2, r10, r6, r2
    mla     r3, r10, r8, r3
    mla     r4, r11, r6, r4
    mla     r5, r11, r8, r5
    mla     r2, r12, r7, r2
    mla     r3, r12, r9, r3
    mla     r4, lr, r7, r4
    mla     r5, lr, r9, r5
.endm

.equ TWO_PRODUCTS_BYTES, 52
.equ MOST_TWO_PRODUCTS, 32

// A' of a column, whose prefix sums P3 (also in r2-r5), P2, P1, P0 lie at sp: P0 + P1 - P3 takes
// the place of P3.
.macro end_of_column
    add     r6, sp, #32
    ldm     r6, {r6-r12, lr}
    add     r6, r6, r10
    add     r7, r7, r11
    add     r8, r8, r12
    add     r9, r9, lr
    sub     r2, r6, r2
    sub     r3, r7, r3
    sub     r4, r8, r4
    sub     r5, r9, r5
    stm     sp, {r2-r5}
.endm

// The result of \acc in its place. r10, r11, r12: multiplier, offset with the zero point, shift.
// Clobbers lr. The sums are scaled by 4, so that 2 is what negative ones lose.
.macro rescale_product acc
    smull   lr, \acc, \acc, r10
    sub     \acc, \acc, \acc, lsr #31
    sub     \acc, \acc, \acc, lsr #31
    add     \acc, \acc, r11
    asr     \acc, \acc, r12
    ssat    \acc, #8, \acc
.endm

// A row of the outputs of two tiles. r0: out, r1: pixel_step; r0 is one more afterwards. \at: 16
// for the upper row, 0 for the lower one.
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
    add     r2, r2, r10, lsl #1
    add     r3, r3, r11, lsl #1
    add     r4, r4, r12, lsl #1
    add     r5, r5, lr, lsl #1
    ldrd    r10, r11, [sp, #\at]        // column 3
    ldrd    r12, lr, [sp, #\at + 8]
    sub     r6, r6, r10, lsl #1
    sub     r7, r7, r11, lsl #1
    sub     r8, r8, r12, lsl #1
    sub     r9, r9, lr, lsl #1
    ldrd    r10, r11, [sp, #PRODUCTS_TABLE + PRODUCTS_SCALING_0]
    ldr     r12, [sp, #PRODUCTS_TABLE + PRODUCTS_SCALING_0 + 8]
    rescale_product r2
    strb    r2, [r0]
    rescale_product r6
    strb    r6, [r0, r1]
    rescale_product r4
    strb    r4, [r0, r1, lsl #1]
    add     r0, r0, r1
    rescale_product r8
    strb    r8, [r0, r1, lsl #1]
    ldrd    r10, r11, [sp, #PRODUCTS_TABLE + PRODUCTS_SCALING_1]
    ldr     r12, [sp, #PRODUCTS_TABLE + PRODUCTS_SCALING_1 + 8]
    adds    r0, #1
    rescale_product r7
    strb    r7, [r0]
    rescale_product r5
    strb    r5, [r0, r1]
    rescale_product r9
    strb    r9, [r0, r1, lsl #1]
    subs    r0, r0, r1
    rescale_product r3
    strb    r3, [r0]
.endm

    function mcugen_mla_winograd_products
    push    {r4-r11, lr}
    sub     sp, sp, #2 * PRODUCTS_TABLE // also what is pushed later, by one instruction many times:
    add     sp, sp, #PRODUCTS_TABLE     // so that who reads this sees how much stack it takes
    mov     r12, r0
    ldmia   r12!, {r0-r7}               // see McugenMlaWinogradProducts
    // r0 tiles, r1 tiles_end, r2 weights, r3 out, r4 pixel_step, r5 row_bytes, r6 pairs, r7 twos
    strd    r0, r1, [sp, #PRODUCTS_TILES]
    str     r2, [sp, #PRODUCTS_STREAM]
    strd    r3, r4, [sp, #PRODUCTS_OUT]
    str     r5, [sp, #PRODUCTS_ROW]
    strd    r6, r6, [sp, #PRODUCTS_PAIRS]
    ldmia   r12, {r1-r6}
    strd    r1, r2, [sp, #PRODUCTS_SCALING_0]
    str     r3, [sp, #PRODUCTS_SCALING_0 + 8]
    strd    r4, r5, [sp, #PRODUCTS_SCALING_1]
    str     r6, [sp, #PRODUCTS_SCALING_1 + 8]
    mov     r9, #TWO_PRODUCTS_BYTES
    adr     r8, 3f
    mls     r7, r7, r9, r8              // where to enter the unrolled loop
    orr     r7, r7, #1
    adr     r8, 4f
    orr     r8, r8, #1
    adr     r9, 5f
    orr     r9, r9, #1
    str     r9, [sp]
    .irp slot, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15
    str     r7, [sp, #16 * \slot]
    .endr
    .irp slot, 4, 8, 12
    str     r8, [sp, #16 * \slot]
    .endr
1:
    ldr     r1, [sp, #PRODUCTS_STREAM]
    ldmia   r1!, {r2-r5}
    ldr     pc, [sp, #240]
    .balign 4
    .rept MOST_TWO_PRODUCTS
    two_products
    .endr
3:
    push    {r2-r5}
    ldr     pc, [sp, #PRODUCTS_TABLE]
    .balign 4
4:
    end_of_column
    ldmia   r1!, {r2-r5}
    ldr     pc, [sp, #240]
    .balign 4
5:
    end_of_column
    str     r0, [sp, #PRODUCTS_TABLE + PRODUCTS_TILES]
    ldrd    r0, r1, [sp, #PRODUCTS_TABLE + PRODUCTS_OUT]
    output_row 16
    ldr     r2, [sp, #PRODUCTS_TABLE + PRODUCTS_ROW]
    add     r0, r0, r2
    subs    r0, #1
    output_row 0
    add     sp, sp, #PRODUCTS_TABLE
    ldrd    r0, r1, [sp, #PRODUCTS_OUT]
    ldrd    r2, r3, [sp, #PRODUCTS_PAIRS]
    add     r0, r0, r1, lsl #2
    subs    r2, r2, #1
    bne     6f
    ldr     r4, [sp, #PRODUCTS_ROW]
    add     r0, r0, r4
    mov     r2, r3
6:
    str     r0, [sp, #PRODUCTS_OUT]
    str     r2, [sp, #PRODUCTS_PAIRS]
    ldrd    r0, r2, [sp, #PRODUCTS_TILES]
    cmp     r0, r2
    bne     1b
    add     sp, sp, #PRODUCTS_TABLE
    pop     {r4-r11, pc}
    end_function mcugen_mla_winograd_products

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

//
// A row by four rows, laid out for it
//

// What weights are stored with, in both halves.
.equ WEIGHT_ZERO, 0x00800080

// Two weights of each half of a word \word of a row, the one of input k + 2 below the one of k:
// products of pairs, as four_taps_of_pixel makes them, whose middle is the sum of two. r6, r7:
// inputs; r8, r9: HALF less what WEIGHT_ZERO adds; r12: 0x00ff00ff. Clobbers \word, lr.
.macro packed_word word, sum
    and     lr, \word, r12
    mla     lr, lr, r6, r8
    and     \word, r12, \word, lsr #8
    mla     \word, \word, r7, r9
    add     \sum, \sum, lr, asr #16
    add     \sum, \sum, \word, asr #16
.endm

// Four inputs, four rows: 16 MAC, 31 instructions. r0: inputs; r1: weights; r2-r5: sums.
.macro four_inputs
    ldrd    r6, r7, [r0], #8
    mov     r11, #WEIGHT_ZERO
    mov     r10, #HALF
    mls     r8, r6, r11, r10
    mls     r9, r7, r11, r10
    ldrd    r10, r11, [r1], #8
    packed_word r10, r2
    packed_word r11, r3
    ldrd    r10, r11, [r1], #8
    packed_word r10, r4
    packed_word r11, r5
.endm

.equ FOUR_INPUTS_BYTES, 124
.equ UNROLLED_INPUTS, 4

    // r0: inputs; r1: group; r2: inputs / 4; r3: sums.
    function mcugen_mla_packed_rows
    push    {r3-r11, lr}
    add     r6, r0, r2, lsl #3          // end of the inputs
    push    {r5, r6}
    ands    r2, r2, #UNROLLED_INPUTS - 1
    it      eq
    moveq   r2, #UNROLLED_INPUTS
    adr     r7, 3f
    orr     r7, r7, #1
    mov     r8, #FOUR_INPUTS_BYTES
    mls     r7, r2, r8, r7
    ldmia   r1!, {r2-r5}
    mov     r12, #0x00ff00ff
    mov     pc, r7
    .balign 4
2:
    .rept UNROLLED_INPUTS
    four_inputs
    .endr
    .balign 4
3:
    ldr     lr, [sp, #4]
    cmp     r0, lr
    bne     2b
    ldr     lr, [sp, #8]
    stmia   lr, {r2-r5}
    mov     r0, r1
    add     sp, sp, #12
    pop     {r4-r11, pc}
    end_function mcugen_mla_packed_rows

#endif
