// SPDX-License-Identifier: BSD-3-Clause
// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), exactly, in integers, for cores with the
// DSP extension. Contracts and C++ declarations: loops_winograd4_dsp.h. All functions: as
// loops_dsp.S.
//
// Sixteen outputs of a tile come of 36 products per channel instead of 144. With
//     B' =  4  0 -5  0  1  0      G =  6  0  0      A' = 1 1  1 1  1 0
//           0 -4 -4  1  1  0          -4 -4 -4           0 1 -1 2 -2 0
//           0  4 -4 -1  1  0          -4  4 -4           0 1  1 4  4 0
//           0 -2 -1  2  1  0           1  2  4           0 1 -1 8 -8 4
//           0  2 -1 -2  1  0           1 -2  4
//           0  4  0 -5  0  1           0  0  6
// U = G g G' and V = B' d B, the products m of U and V summed over channels give 576 times the
// outputs as A' m A. Sums wrap at 32 bits; so the product with 2^j / 576, whose factor 1 / 9 is
// taken modulo 2^32, gives the outputs times 2^j exactly.
//
// Inputs are taken as q + 128, 0 to 255. Two channels are in a word, as low + 2^16 * high, which
// plain additions keep: what is borrowed from the upper half while the lower one is negative is
// given back in the end by 0x3300, more than any element of V is below zero. In a tile that is as
// if this were added to the pixels in columns and rows 4 and 5; constants of the four outputs that
// see them take it away again.
//
// Positions are ordered by column, and within a column as rows 3, 4, 0, 1, 2, 5: sums run on from 3
// to 4 and 0 and from 1 to 2, which is what A' adds up.

    .syntax unified
    .thumb

#include <kernels/function.inc>

.equ COLUMN, 48                 // bytes of a transformed column of four channels
.equ NO_BORROW, 0x3300

// B' of six values: d0 r6, d1 r10, d2 r7, d3 r4, d4 r5, d5 r9 -> rows 3, 4, 0, 1, 2, 5 in r4 to r9.
// Clobbers r10, r11.
.macro winograd4_transform
    sub     r6, r6, r7
    sub     r8, r5, r7, lsl #2
    sub     r5, r5, r7
    add     r6, r5, r6, lsl #2
    sub     r11, r4, r10, lsl #2
    sub     r10, r4, r10
    sub     r9, r9, r4
    sub     r9, r9, r10, lsl #2
    add     r7, r8, r11
    sub     r8, r8, r11
    add     r4, r5, r10, lsl #1
    sub     r5, r5, r10, lsl #1
.endm

// Two channels of a column of pixels.
.macro winograd4_column rotation
    .irp row, r4, r5, r6, r7, r9, r10
    sxtab16 \row, r3, \row, ror #\rotation
    .endr
    winograd4_transform
    stmia   r2!, {r4-r9}
.endm

// A row of a tile, two channels; r0: columns, r2: position 0, r3: position 3, r1: bytes of a
// position, r12: of a column of positions.
.macro winograd4_row
    ldr     r10, [r0, #COLUMN]
    ldr     r7, [r0, #2 * COLUMN]
    ldr     r4, [r0, #3 * COLUMN]
    ldr     r5, [r0, #4 * COLUMN]
    ldr     r9, [r0, #5 * COLUMN]
    ldr     r6, [r0], #4
    add     r5, r5, #NO_BORROW
    add     r9, r9, #NO_BORROW
    winograd4_transform
    str     r6, [r2]
    str     r7, [r2, r12]
    str     r8, [r2, r12, lsl #1]
    str     r4, [r3]
    str     r5, [r3, r12]
    str     r9, [r3, r12, lsl #1]
    add     r2, r2, r1
    add     r3, r3, r1
.endm

.equ INPUT_COLUMNS, 24          // columns, pairs, tiles; before them the six rows
.equ INPUT_PAIRS, 28
.equ INPUT_TILES, 32
.equ INPUT_BYTES, 36

    function mcugen_dsp_winograd4_input
    push    {r4-r11, lr}
    sub     sp, sp, #INPUT_BYTES + 24   // also what is pushed later
    add     sp, sp, #24
    mov     lr, r0
    ldmia   lr!, {r4-r9}                // see McugenDspWinograd4Input
    ldmia   lr, {r0-r3, r10, r11}
    // r4-r9 rows, r0 row_bytes, r1 in_ch, r2 inside, r3 columns, r10 pairs, r11 tiles
    .irp row, r4, r5, r6, r7, r8, r9
    add     \row, \row, r0
    .endr
    stm     sp, {r4-r9}
    strd    r3, r10, [sp, #INPUT_COLUMNS]
    str     r11, [sp, #INPUT_TILES]
    mov     r3, #0x00800080
    rsbs    r0, r0, #0
1:
    ldm     sp, {r4-r7, r9, r10}
    .irp row, r4, r5, r6, r7, r9, r10
    ldr     \row, [\row, r0]
    .endr
    push    {r4-r7, r9, r10}
    winograd4_column 0                  // channels 0 and 2
    pop     {r4-r7, r9, r10}
    winograd4_column 8                  // channels 1 and 3
    adds    r0, r0, r1
    bne     1b

    ldr     r0, [sp, #INPUT_COLUMNS]
    ldr     r2, [sp, #INPUT_TILES]
    lsls    r1, r1, #2
    add     r12, r1, r1, lsl #1
    lsl     r12, r12, #1
    add     r3, r2, r12, lsl #1
    add     r3, r3, r12
2:
    movs    lr, #10                     // of bits 0, 1, 0, 1: after the second, the next tile
3:
    .rept 6
    winograd4_row
    .endr
    sub     r2, r2, r12
    adds    r2, #4
    sub     r3, r3, r12
    adds    r3, #4
    lsrs    lr, lr, #1
    it      cs
    addcs   r0, r0, #4 * COLUMN - 48
    bne     3b
    ldr     lr, [sp, #INPUT_PAIRS]
    add     r2, r2, r12, lsl #2         // six columns of positions, less four words
    add     r2, r2, r12, lsl #1
    subs    r2, #16
    add     r3, r3, r12, lsl #2
    add     r3, r3, r12, lsl #1
    subs    r3, #16
    subs    lr, lr, #1
    str     lr, [sp, #INPUT_PAIRS]
    bne     2b
    add     sp, sp, #INPUT_BYTES
    pop     {r4-r11, pc}
    end_function mcugen_dsp_winograd4_input

// Four input channels of two tiles and two output channels. r0: tiles, r1: weights, both
// post-incremented; r2, r3: sums of channel 0 of both tiles, r4, r5: of channel 1.
.macro winograd4_products
    ldmia   r1!, {r6-r9}                // c0 k02, c0 k13, c1 k02, c1 k13
    ldmia   r0!, {r10, r11, r12, lr}    // t0 k02, t0 k13, t1 k02, t1 k13
    smlad   r2, r10, r6, r2
    smlad   r3, r12, r6, r3
    smlad   r4, r10, r8, r4
    smlad   r5, r12, r8, r5
    smlad   r2, r11, r7, r2
    smlad   r3, lr, r7, r3
    smlad   r4, r11, r9, r4
    smlad   r5, lr, r9, r5
.endm

.equ PRODUCTS_BYTES, 40         // of the macro
.equ UNROLLED, 16

// A' of a column, of the sums of one channel; they lie at sp: rows 5, 1 + 2, 1, 3 + 4 + 0, 3 + 4,
// 3. r2, r3: row 5; r0: where the result goes, a row every 16 bytes.
.macro winograd4_column_outputs at
    ldrd    r4, r5, [sp, #\at + 16]
    ldrd    r6, r7, [sp, #\at + 32]
    ldrd    r8, r9, [sp, #\at + 48]
    ldrd    r10, r11, [sp, #\at + 64]
    ldrd    r12, lr, [sp, #\at + 80]
    rsb     r12, r10, r12, lsl #1       // 3 - 4
    rsb     lr, r11, lr, lsl #1
    rsb     r6, r4, r6, lsl #1          // 1 - 2
    rsb     r7, r5, r7, lsl #1
    add     r8, r8, r4
    add     r9, r9, r5
    strd    r8, r9, [r0, #\at]
    add     r4, r4, r10, lsl #2
    add     r5, r5, r11, lsl #2
    strd    r4, r5, [r0, #\at + 32]
    add     r2, r2, r12, lsl #1
    add     r3, r3, lr, lsl #1
    add     r2, r6, r2, lsl #2
    add     r3, r7, r3, lsl #2
    strd    r2, r3, [r0, #\at + 48]
    add     r6, r6, r12, lsl #1
    add     r7, r7, lr, lsl #1
    strd    r6, r7, [r0, #\at + 16]
.endm

// A' of a row, in place: values 0, 1, 2, 3, 4, 5 -> outputs 0, 2, 1, -, -, 3.
.macro winograd4_row_outputs z0, z1, z2, z3, z4, z5
    add     \z1, \z1, \z2
    sub     \z2, \z1, \z2, lsl #1       // 1 - 2
    add     \z3, \z3, \z4
    sub     \z4, \z3, \z4, lsl #1       // 3 - 4
    add     \z0, \z0, \z3
    add     \z0, \z0, \z1
    add     \z1, \z1, \z3, lsl #2
    add     \z5, \z5, \z4, lsl #1
    add     \z5, \z2, \z5, lsl #2
    add     \z2, \z2, \z4, lsl #1
.endm

// Where to go on after a position is on the stack, 96 bytes above the stack pointer, which each
// position's sums move down by 16; see winograd_products.inc. The words between hold the rest.
.equ TABLE, 96
.equ TABLE_ENTER, 84            // and 36 and 4: into the unrolled loop, behind its first step
.equ TABLE_TILES, 8             // tiles and their end
.equ TABLE_WEIGHTS, 20
.equ TABLE_OUT, 24              // of a pair of tiles, and bytes to the next pair
.equ TABLE_BLOCK, 40
.equ TABLE_COLUMN, 44           // where the outputs of the next column go
.equ TABLE_COLUMNS_END, 52
.equ TABLE_ROWS_END, 56

// The block has eleven columns of four rows of two words for each of the two channels: six columns
// of outputs, one value for each of two tiles; then what an output's row is rescaled with, the same
// in all rows but for the second of them.
.equ BLOCK_COLUMN, 64
.equ BLOCK_FACTOR, 384          // factor and start
.equ BLOCK_STARTS, 448          // starts of the outputs in columns 2 and 3
.equ BLOCK_SCALING, 512         // multiplier and offset
.equ BLOCK_CORRECTION, 576      // of what is negative
.equ BLOCK_STEP, 640            // to the next pixel; from there to the next row or channel

    function mcugen_dsp_winograd4_products
    push    {r4-r11, lr}
    sub     sp, sp, #2 * TABLE          // also what is pushed later, by one instruction many times
    add     sp, sp, #TABLE
    mov     r12, r0
    ldmia   r12, {r0-r7}                // see McugenDspWinograd4Products
    // r0 tiles, r1 tiles_end, r2 weights, r3 out, r4 pixel_step, r5 row_bytes, r6 in_ch, r7 block
    strd    r0, r1, [sp, #TABLE_TILES]
    str     r2, [sp, #TABLE_WEIGHTS]
    lsls    r0, r4, #3
    strd    r3, r0, [sp, #TABLE_OUT]
    add     lr, r7, #BLOCK_FACTOR
    adds    r0, r7, #BLOCK_COLUMN
    str     r7, [sp, #TABLE_BLOCK]
    strd    lr, r0, [sp, #TABLE_COLUMNS_END]
    movs    r0, #144
    mla     r12, r6, r0, r2             // behind the weights
    ldmia   r12!, {r8-r11}              // factor and start of each channel
    .rept 4
    stmia   lr!, {r8-r11}
    .endr
    mov     r8, r9
    mov     r10, r11
    .rept 2
    stmia   lr!, {r8-r11}
    .endr
    .rept 2                             // starts in rows 2 and 3
    ldmia   r12!, {r8-r11}
    stmia   lr!, {r8-r11}
    .endr
    .rept 2                             // multiplier and offset, then the correction
    ldmia   r12!, {r8-r11}
    .rept 4
    stmia   lr!, {r8-r11}
    .endr
    .endr
    mov     r8, r4
    add     r2, r4, r4, lsl #2
    rsb     r9, r2, #1
    mov     r10, r4
    sub     r11, r5, r2
    sub     r11, r11, #1
    .rept 4
    stmia   lr!, {r8-r11}
    .endr
    add     r0, r6, r6, lsl #2
    adr     r8, 3f
    sub     r8, r8, r0, lsl #1          // a step every four channels
    orr     r8, r8, #1
    add     r9, r8, #PRODUCTS_BYTES
    adr     r10, 2f
    orr     r10, r10, #1
    adr     r11, 4f
    orr     r11, r11, #1
    strd    r8, r9, [sp, #80]
    str     r8, [sp, #64]
    str     r10, [sp, #48]
    strd    r8, r9, [sp, #32]
    str     r10, [sp, #16]
    strd    r11, r9, [sp]
1:
    ldr     r0, [sp, #TABLE_TILES]
    ldr     r1, [sp, #TABLE_WEIGHTS]
    ldr     r2, [sp, #TABLE_BLOCK]
    str     r2, [sp, #TABLE_COLUMN]
    .balign 4
2:                                      // the first step, from zero
    ldmia   r1!, {r6-r9}
    ldmia   r0!, {r10, r11, r12, lr}
    smuad   r2, r10, r6
    smuad   r3, r12, r6
    smuad   r4, r10, r8
    smuad   r5, r12, r8
    smlad   r2, r11, r7, r2
    smlad   r3, lr, r7, r3
    smlad   r4, r11, r9, r4
    smlad   r5, lr, r9, r5
    ldr     pc, [sp, #TABLE_ENTER]
    .balign 4
    .rept UNROLLED
    winograd4_products
    .endr
3:
    push    {r2-r5}
    ldr     pc, [sp, #TABLE]
    .balign 4
4:
    str     r0, [sp, #TABLE + TABLE_TILES]
    ldr     r0, [sp, #TABLE + TABLE_COLUMN]
    winograd4_column_outputs 0
    ldrd    r2, r3, [sp, #8]
    winograd4_column_outputs 8
    add     sp, sp, #TABLE
    adds    r0, #BLOCK_COLUMN
    ldr     r2, [sp, #TABLE_COLUMNS_END]
    str     r0, [sp, #TABLE_COLUMN]
    cmp     r0, r2
    ldr     r0, [sp, #TABLE_TILES]
    bne     2b

    ldr     r0, [sp, #TABLE_OUT]
    ldr     r1, [sp, #TABLE_BLOCK]
5:                                      // a row of outputs of a channel
    ldrd    r2, r3, [r1]
    ldrd    r8, r9, [r1, #BLOCK_COLUMN]
    ldrd    r10, r11, [r1, #2 * BLOCK_COLUMN]
    ldrd    r4, r5, [r1, #3 * BLOCK_COLUMN]
    ldrd    r6, r7, [r1, #4 * BLOCK_COLUMN]
    ldrd    r12, lr, [r1, #5 * BLOCK_COLUMN]
    winograd4_row_outputs r2, r8, r10, r4, r6, r12
    winograd4_row_outputs r3, r9, r11, r5, r7, lr
    ldrd    r4, r5, [r1, #BLOCK_FACTOR]
    ldrd    r6, r7, [r1, #BLOCK_STARTS]
    mla     r2, r2, r4, r5
    mla     r3, r3, r4, r5
    mla     r10, r10, r4, r5
    mla     r11, r11, r4, r5
    mla     r8, r8, r4, r6
    mla     r9, r9, r4, r6
    mla     r12, r12, r4, r7
    mla     lr, lr, r4, r7
    ldrd    r4, r5, [r1, #BLOCK_SCALING]
    ldr     r6, [r1, #BLOCK_CORRECTION]
    cmp     r6, #0
    beq     6f
    .irp output, r2, r3, r8, r9, r10, r11, r12, lr
    and     r7, r6, \output, asr #31
    smmla   \output, \output, r4, r5
    sub     \output, \output, r7
    ssat    \output, #8, \output, asr #16
    .endr
    b       7f
6:
    .irp output, r2, r3, r8, r9, r10, r11, r12, lr
    smmla   \output, \output, r4, r5
    ssat    \output, #8, \output, asr #16
    .endr
7:
    ldrd    r4, r5, [r1, #BLOCK_STEP]
    strb    r2, [r0]
    strb    r3, [r0, r4, lsl #2]
    add     r0, r0, r4
    strb    r10, [r0]
    strb    r8, [r0, r4]
    strb    r12, [r0, r4, lsl #1]
    add     r0, r0, r4, lsl #2
    strb    r11, [r0]
    strb    r9, [r0, r4]
    strb    lr, [r0, r4, lsl #1]
    add     r0, r0, r5
    adds    r1, #8
    ldr     r5, [sp, #TABLE_ROWS_END]
    cmp     r1, r5
    bne     5b

    ldrd    r0, r1, [sp, #TABLE_OUT]
    add     r0, r0, r1
    str     r0, [sp, #TABLE_OUT]
    ldrd    r0, r1, [sp, #TABLE_TILES]
    cmp     r0, r1
    bne     1b
    add     sp, sp, #TABLE
    pop     {r4-r11, pc}
    end_function mcugen_dsp_winograd4_products
