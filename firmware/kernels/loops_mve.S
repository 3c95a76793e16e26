// SPDX-License-Identifier: BSD-3-Clause

// Inner loops for Helium (MVE) that GCC does not keep in registers. Contracts: loops_mve.h.
// All are leaf functions and follow the procedure call standard: r4-r11 and d8-d15 are kept.

#if !defined(__ARM_FEATURE_MVE)
#error "loops_mve.S needs a core with Helium"
#endif

        .syntax unified
        .thumb

        .macro  function name
        .section .text.\name,"ax",%progbits
        .balign 4
        .global \name
        .type   \name,%function
\name:
        push    {r4-r11,lr}
        vpush   {d8-d15}
        .endm

        .macro  return name
        vpop    {d8-d15}
        pop     {r4-r11,pc}
        .size   \name,.-\name
        .endm

// ---- mve_dot ------------------------------------------------------------------------------------

// 16 taps of 2 pixels and 4 channels: 128 MACs, 14 instructions. VMLADAV takes only even registers
// for its sums, so pointers and counters are in the odd ones:
//   r1, r3 pixels; r5 weights; r7 from the end of a kernel row to the next; r9 kernel rows left;
//   r11 output; sums in r0, r2, r4, r6 of the first pixel, r8, r10, r12, lr of the second.
// How many chunks a row has is where the block of chunks is entered. All else is on the stack.
        .macro  quad_chunk
        vldrb.8 q0,[r1],#16
        vldrb.8 q2,[r5],#16
        vmladava.s8 r0,q0,q2
        vldrb.8 q1,[r3],#16
        vmladava.s8 r8,q1,q2
        vldrb.8 q3,[r5],#16
        vmladava.s8 r2,q0,q3
        vmladava.s8 r10,q1,q3
        vldrb.8 q2,[r5],#16
        vmladava.s8 r4,q0,q2
        vmladava.s8 r12,q1,q2
        vldrb.8 q3,[r5],#16
        vmladava.s8 r6,q0,q3
        vmladava.s8 lr,q1,q3
        .endm

        .equ    QUAD_CHUNK_BYTES,56
        .equ    QUAD_CHUNKS,16          // in the block

        // MveDot
        .equ    ARG_INPUT,0
        .equ    ARG_IN_PIXEL,4          // and row
        .equ    ARG_CHUNKS,12           // and lead
        .equ    ARG_KERNEL_ROWS,20      // and the distance of kernel rows
        .equ    ARG_ROWS,28             // and pixels
        .equ    ARG_OUTPUT,36           // and the distance of pixels
        .equ    ARG_ZERO_POINT,44
        .equ    ARG_MIN,48              // and max
        .equ    ARG_ROUNDING,56
        .equ    ARG_CHANNELS,60
        .equ    ARG_WEIGHTS,64          // and depth
        .equ    ARG_RUN,72
        .equ    ARG_BIAS,76
        .equ    ARG_MULTIPLIERS,80      // and shifts
        .equ    ARG_IN_ZERO_POINT,88
        .equ    ARG_PACKED,92

        // Frame. What one LDRD fetches is side by side.
        .equ    PACKED,0
        .equ    KERNEL_ROWS,4
        .equ    ZERO_POINT,8
        .equ    IN_STEP,12              // from the end of a pair to the next
        .equ    OUT_STEP,16
        .equ    OUT_END,20
        .equ    ENTRY,24                // into the block of chunks, after the first chunk
        .equ    ROW_ENTRY,28            // the same for kernel rows after the first
        .equ    END,32                  // where the block goes on
        .equ    FINISH,36               // by the kind of rounding
        .equ    MIN,40                  // and max
        .equ    IN_PIXEL,48
        .equ    PAIRS,52
        .equ    ROW,56                  // input of the output row
        .equ    IN_ROW,60
        .equ    ROWS,64
        .equ    ODD,68                  // whether rows have an odd number of pixels
        .equ    ODD_LEFT,72             // whether that of this row is to be done
        .equ    OUT_PIXEL,76
        .equ    LANES,80                // where a pair's outputs go, 8 halfwords
        .equ    SINGLE,96               // the same where both are one pixel
        .equ    ARGS,112
        .equ    CHANNELS,116            // left
        .equ    WEIGHTS,120             // and depth
        .equ    OUTPUT,128
        .equ    BIAS,132
        .equ    MULTIPLIERS,136         // and shifts
        .equ    KERNEL_GAP,144
        .equ    PREDICATES,148          // of the first chunk
        .equ    FRAME,152

        // Sums in the registers to outputs. q5 bias, q6 multipliers, q7 shifts. 16-bit lane 2c is
        // channel c of the first pixel, 2c + 1 of the second.
        .macro  quad_finish away,clamped
        vmov    q0[2],q0[0],r0,r4
        vmov    q0[3],q0[1],r2,r6
        vmov    q1[2],q1[0],r8,r12
        vmov    q1[3],q1[1],r10,lr
        vadd.i32 q0,q0,q5
        vadd.i32 q1,q1,q5
        vqrdmulh.s32 q0,q0,q6
        vqrdmulh.s32 q1,q1,q6
        .if     \away                   // halves away from zero, where VRSHL rounds them up
        vshr.s32 q2,q0,#31
        vshr.s32 q3,q1,#31
        vadd.i32 q0,q0,q2
        vadd.i32 q1,q1,q3
        .endif
        ldrd    r0,r2,[sp,#ZERO_POINT]  // and IN_STEP
        ldrd    r4,r6,[sp,#OUT_STEP]    // and OUT_END
        vrshl.s32 q0,q0,q7
        vrshl.s32 q1,q1,q7
        add     r1,r1,r2
        vqmovnb.s32 q0,q0
        add     r3,r3,r2
        vqmovnt.s32 q0,q1
        vqadd.s16 q0,q0,r0
        .if     \clamped
        ldrd    r8,r10,[sp,#MIN]
        vdup.16 q1,r8
        vdup.16 q2,r10
        vmax.s16 q0,q0,q1
        vmin.s16 q0,q0,q2
        .else
        vqmovnb.s16 q0,q0
        .endif
        vstrb.16 q0,[r11,q4]
        add     r11,r11,r4
        cmp     r11,r6
        bne     quad_pair
        b       quad_row_end
        .endm

        function mve_dot
        sub     sp,#FRAME
        str     r0,[sp,#ARGS]
        ldrd    r1,r2,[r0,#ARG_CHUNKS]  // and lead
        vctp.8  r2                      // predicates of the first chunk: not what leads
        vpnot
        vmrs    r3,p0
        str     r3,[sp,#PREDICATES]
        ldrd    r3,r4,[r0,#ARG_KERNEL_ROWS] // and their distance
        sub     r4,r4,r1,lsl #4
        subs    r5,r1,#1                // chunks after the first
        adr     r6,quad_block_end
        orr     r6,r6,#1
        mov     r8,#QUAD_CHUNK_BYTES
        cmp     r5,#QUAD_CHUNKS
        bls     1f
        // Only for one kernel row: make it several without a gap, all but the first of a block.
        lsrs    r3,r5,#4
        adds    r3,r3,#1
        movs    r4,#0
        and     r5,r5,#(QUAD_CHUNKS - 1)
        movs    r1,#QUAD_CHUNKS
1:      mls     r5,r5,r8,r6
        mls     r6,r1,r8,r6
        strd    r5,r6,[sp,#ENTRY]
        str     r4,[sp,#KERNEL_GAP]
        ldr     r5,[r0,#ARG_PACKED]
        strd    r5,r3,[sp,#PACKED]
        ldr     r5,[r0,#ARG_ROUNDING]
        adr     r6,quad_plain
        cbz     r5,2f
        adr     r6,quad_away
        cmp     r5,#1
        beq     2f
        adr     r6,quad_clamped
2:      orr     r6,r6,#1
        adr     r5,quad_kernel_row
        orr     r5,r5,#1
        cmp     r3,#1
        it      eq
        moveq   r5,r6
        strd    r5,r6,[sp,#END]
        ldrd    r5,r6,[r0,#ARG_MIN]
        strd    r5,r6,[sp,#MIN]
        // r1 and r3 move by 16 * chunks + (kernel rows - 1) * kernel row in a pair.
        ldrd    r5,r6,[r0,#ARG_IN_PIXEL] // and row
        str     r5,[sp,#IN_PIXEL]
        str     r6,[sp,#IN_ROW]
        ldr     r6,[r0,#ARG_CHUNKS]
        ldrd    r8,r9,[r0,#ARG_KERNEL_ROWS]
        subs    r8,r8,#1
        mul     r8,r8,r9
        add     r8,r8,r6,lsl #4
        rsb     r8,r8,r5,lsl #1
        ldr     r9,[r0,#ARG_ZERO_POINT]
        strd    r9,r8,[sp,#ZERO_POINT]
        ldr     r5,[r0,#ARG_ROWS+4]     // pixels
        and     r6,r5,#1
        str     r6,[sp,#ODD]
        lsrs    r5,r5,#1
        str     r5,[sp,#PAIRS]
        ldrd    r11,r4,[r0,#ARG_OUTPUT] // and the distance of pixels
        str     r11,[sp,#OUTPUT]
        str     r4,[sp,#OUT_PIXEL]
        lsls    r5,r4,#1
        str     r5,[sp,#OUT_STEP]
        movs    r6,#0
        vidup.u16 q0,r6,#1
        vshr.u16 q0,q0,#1               // 0 0 1 1 2 2 3 3
        add     r5,sp,#SINGLE
        vstrw.32 q0,[r5]
        lsls    r4,r4,#16
        vdup.32 q1,r4
        vadd.i16 q0,q0,q1
        add     r5,sp,#LANES
        vstrw.32 q0,[r5]
        ldr     r4,[r0,#ARG_CHANNELS]
        ldrd    r5,r6,[r0,#ARG_WEIGHTS]
        str     r4,[sp,#CHANNELS]
        strd    r5,r6,[sp,#WEIGHTS]
        ldr     r4,[r0,#ARG_BIAS]
        str     r4,[sp,#BIAS]
        ldrd    r5,r6,[r0,#ARG_MULTIPLIERS]
        strd    r5,r6,[sp,#MULTIPLIERS]

quad:
        // The weights of 4 channels side by side, and their sums.
        ldrd    r10,r12,[r0,#ARG_KERNEL_ROWS-4] // lead, kernel rows
        ldr     r11,[r0,#ARG_RUN]
        ldrd    r1,r8,[sp,#WEIGHTS]     // and depth
        ldr     r9,[sp,#PACKED]
        sub     r1,r1,r10
        add     r3,r1,r8
        add     r5,r3,r8
        add     r7,r5,r8
        movs    r0,#0
        movs    r2,#0
        movs    r4,#0
        movs    r6,#0
        ldr     r8,[sp,#PREDICATES]
        vmsr    p0,r8
        add     r8,r10,r11
        cmp     r10,#0
        bne     2f
1:      vctp.8  r8
2:      vpstttt
        vldrbt.8 q0,[r1],#16
        vldrbt.8 q1,[r3],#16
        vldrbt.8 q2,[r5],#16
        vldrbt.8 q3,[r7],#16
        vaddva.s8 r0,q0
        vaddva.s8 r2,q1
        vaddva.s8 r4,q2
        vaddva.s8 r6,q3
        vstrb.8 q0,[r9],#16
        vstrb.8 q1,[r9],#16
        vstrb.8 q2,[r9],#16
        vstrb.8 q3,[r9],#16
        subs    r8,r8,#16
        bgt     1b
        subs    r12,r12,#1
        beq     3f
        add     r1,r1,r8                // r8: minus what the last chunk lacks
        add     r3,r3,r8
        add     r5,r5,r8
        add     r7,r7,r8
        mov     r8,r11
        b       1b
        // What the sums start at, multipliers, shifts.
3:      vmov    q5[2],q5[0],r0,r4
        vmov    q5[3],q5[1],r2,r6
        ldr     r0,[sp,#ARGS]
        ldr     r2,[r0,#ARG_IN_ZERO_POINT]
        rsbs    r2,r2,#0
        vmul.i32 q5,q5,r2
        ldr     r1,[sp,#BIAS]
        cbz     r1,4f
        vldrw.32 q6,[r1]
        vadd.i32 q5,q5,q6
4:      ldrd    r1,r2,[sp,#MULTIPLIERS] // and shifts
        vldrw.32 q6,[r1]
        vldrw.32 q7,[r2]
        ldr     r1,[r0,#ARG_INPUT]
        sub     r1,r1,r10
        str     r1,[sp,#ROW]
        ldr     r2,[r0,#ARG_ROWS]
        str     r2,[sp,#ROWS]
        ldr     r11,[sp,#OUTPUT]
        ldr     r7,[sp,#KERNEL_GAP]
        ldr     r2,[sp,#PREDICATES]
        vmsr    p0,r2

quad_row:
        ldrd    r1,r0,[sp,#ROW]         // and the distance of rows
        adds    r2,r1,r0
        str     r2,[sp,#ROW]
        ldrd    r2,r4,[sp,#IN_PIXEL]    // and pairs
        adds    r3,r1,r2
        ldr     r6,[sp,#ODD]
        str     r6,[sp,#ODD_LEFT]
        ldr     r2,[sp,#OUT_STEP]
        mla     r2,r4,r2,r11
        str     r2,[sp,#OUT_END]
        add     r2,sp,#LANES
        vldrw.32 q4,[r2]
        cbnz    r4,quad_pair
quad_row_end:
        ldr     r2,[sp,#ODD_LEFT]
        cbz     r2,1f
        subs    r2,r2,#1                // both of a pair are the last one
        str     r2,[sp,#ODD_LEFT]
        mov     r3,r1
        add     r2,sp,#SINGLE
        vldrw.32 q4,[r2]
        ldr     r2,[sp,#OUT_STEP]
        add     r2,r2,r11
        str     r2,[sp,#OUT_END]
        b       quad_pair
1:      ldrd    r4,r6,[sp,#ROWS]        // and ODD
        cbz     r6,2f
        ldr     r2,[sp,#OUT_PIXEL]      // it was one output, not two
        sub     r11,r11,r2
2:      subs    r4,r4,#1
        str     r4,[sp,#ROWS]
        bne     quad_row
        // The next 4 channels; the last of them end where all do.
        ldr     r4,[sp,#CHANNELS]
        subs    r4,r4,#4
        beq     5f
        str     r4,[sp,#CHANNELS]
        cmp     r4,#4
        bge     3f
        movs    r6,#4
        str     r6,[sp,#CHANNELS]
        b       4f
3:      movs    r4,#4
4:      ldrd    r5,r6,[sp,#WEIGHTS]
        mla     r5,r6,r4,r5
        str     r5,[sp,#WEIGHTS]
        ldr     r5,[sp,#OUTPUT]
        add     r5,r5,r4
        str     r5,[sp,#OUTPUT]
        ldr     r5,[sp,#BIAS]
        cbz     r5,6f
        add     r5,r5,r4,lsl #2
        str     r5,[sp,#BIAS]
6:      ldrd    r5,r6,[sp,#MULTIPLIERS]
        add     r5,r5,r4,lsl #2
        add     r6,r6,r4,lsl #2
        strd    r5,r6,[sp,#MULTIPLIERS]
        ldr     r0,[sp,#ARGS]
        b       quad
5:      add     sp,#FRAME
        return  mve_dot

        .balign 4
quad_pair:
        ldrd    r5,r9,[sp,#PACKED]      // and kernel rows
        vpstt
        vldrbt.8 q0,[r1],#16
        vldrbt.8 q1,[r3],#16
        vldrb.8 q2,[r5],#16
        vmladav.s8 r0,q0,q2
        vmladav.s8 r8,q1,q2
        vldrb.8 q3,[r5],#16
        vmladav.s8 r2,q0,q3
        vmladav.s8 r10,q1,q3
        vldrb.8 q2,[r5],#16
        vmladav.s8 r4,q0,q2
        vmladav.s8 r12,q1,q2
        vldrb.8 q3,[r5],#16
        vmladav.s8 r6,q0,q3
        vmladav.s8 lr,q1,q3
        ldr     pc,[sp,#ENTRY]

        .balign 4
quad_block:
        .rept   QUAD_CHUNKS
        quad_chunk
        .endr
quad_block_end:
        ldr     pc,[sp,#END]

        .balign 4
quad_kernel_row:
        subs    r9,r9,#1
        beq     1f
        add     r1,r1,r7
        add     r3,r3,r7
        ldr     pc,[sp,#ROW_ENTRY]
1:      ldr     pc,[sp,#FINISH]

        .balign 4
quad_plain:
        quad_finish 0,0
        .balign 4
quad_away:
        quad_finish 1,0
        .balign 4
quad_clamped:
        quad_finish 1,1

// ---- mve_depthwise_3x3 --------------------------------------------------------------------------

// Each channel of the image becomes a plane of bytes with a border. A gather then brings a window
// of 16 pixels into one register, of which several outputs are dot products with the kernel, laid
// at as many places of a register of zeros:
//   stride 1: 4x4 pixels and 2x2 outputs; stride 2: 3x5 pixels and 1x2 outputs.
// A step makes two tiles of 2x2 outputs, one below the other. Then q1 holds the gather's offsets, q2
// those of the outputs, q4-q7 (q4, q5) the kernel; r1 points to the window, r3 to the output, r5
// holds the bias, r7 the multiplier, r9 the shift, r11 the output zero point, r8 the distance of
// windows, r12 that of outputs; sums are in r0, r2, r4, r6.

        // MveDepthwise3x3
        .equ    DW_INPUT,0
        .equ    DW_PIXEL,4              // and row
        .equ    DW_COLUMNS,12           // and rows
        .equ    DW_PLACES,20
        .equ    DW_INSIDE,24
        .equ    DW_PLANE_ROW,28
        .equ    DW_PLANE,32
        .equ    DW_WEIGHTS,36
        .equ    DW_CHANNELS,40
        .equ    DW_BIAS,44
        .equ    DW_MULTIPLIERS,48       // and shifts
        .equ    DW_IN_ZERO_POINT,56
        .equ    DW_ZERO_POINT,60
        .equ    DW_MIN,64               // and max
        .equ    DW_STEP,72              // code address
        .equ    DW_OUTPUT,76
        .equ    DW_TILES,80             // in a column, and columns
        .equ    DW_TILE_ROWS,88         // window and output from one pair of tiles to the next
        .equ    DW_WINDOW,96            // from one window to the next
        .equ    DW_SECOND,100           // stride 2: from the first tile to the second
        .equ    DW_ODD_ROW,104          // window and output of the second pair of tiles, or 0
        .equ    DW_ODD_COLUMN,112       // the same of the second column
        .equ    DW_COLUMN,120           // and from one column to the next
        .equ    DW_TAPS,128             // 8 halfwords: offsets of the first weights, 8 of the rest
        .equ    DW_TAPS_MASKS,160       // two predicates
        .equ    DW_PIXELS,168           // offsets of 8 pixels
        .equ    DW_GATHER,184           // 16 bytes
        .equ    DW_OUTPUTS,200          // 8 halfwords
        .equ    DW_KERNEL,216           // 32 bytes of zeros, where the kernel is laid out

        .macro  tile_sums_1
        vldrb.u8 q0,[r1,q1]
        vmladav.s8 r0,q0,q4
        vmladav.s8 r2,q0,q5
        vmladav.s8 r4,q0,q6
        vmladav.s8 r6,q0,q7
        add     r1,r1,r8
        .endm

        .macro  tile_sums_2 next
        vldrb.u8 q0,[r1,q1]
        vmladav.s8 r0,q0,q4
        vmladav.s8 r2,q0,q5
        add     r1,r1,r8
        vldrb.u8 q0,[r1,q1]
        vmladav.s8 r4,q0,q4
        vmladav.s8 r6,q0,q5
        add     r1,r1,\next
        .endm

        .macro  tile_requantize q,other,away
        vmov    \q[2],\q[0],r0,r4
        vmov    \q[3],\q[1],r2,r6
        vadd.i32 \q,\q,r5
        vqrdmulh.s32 \q,\q,r7
        .if     \away
        vshr.s32 \other,\q,#31
        vadd.i32 \q,\q,\other
        .endif
        vrshl.s32 \q,r9
        .endm

        .macro  tile_pair stride,clamped
        .balign 4
depthwise_\stride\()_\clamped:
        .if     \stride == 1
        tile_sums_1
        .else
        tile_sums_2 r10
        .endif
        tile_requantize q3,q0,\clamped
        .if     \stride == 1
        tile_sums_1
        .else
        tile_sums_2 r8
        .endif
        .if     \clamped                // q3 has to stay, so the sign goes where the sums were
        vmov    q0[2],q0[0],r0,r4
        vmov    q0[3],q0[1],r2,r6
        vadd.i32 q0,q0,r5
        vqrdmulh.s32 q0,q0,r7
        vcmp.s32 lt,q0,zr
        movs    r0,#1
        vpst
        vsubt.i32 q0,q0,r0
        vrshl.s32 q0,r9
        .else
        tile_requantize q0,q0,0
        .endif
        vqmovnb.s32 q3,q3
        vqmovnt.s32 q3,q0
        vqadd.s16 q3,q3,r11
        .if     \clamped
        ldrd    r0,r2,[sp,#SP_MIN]
        vdup.16 q0,r0
        vmax.s16 q3,q3,q0
        vdup.16 q0,r2
        vmin.s16 q3,q3,q0
        .else
        vqmovnb.s16 q3,q3
        .endif
        vstrb.16 q3,[r3,q2]
        add     r3,r3,r12
        le      lr,depthwise_\stride\()_\clamped
        ldr     pc,[sp,#SP_RETURN]
        .endm

        .equ    SP_RETURN,0
        .equ    SP_STEP,4
        .equ    SP_MIN,8                // and max
        .equ    SP_ARGS,16
        .equ    SP_CHANNELS,20
        .equ    SP_COLUMNS,24           // left
        .equ    SP_OUT,28               // of the channel
        .equ    SP_TILES,32             // in a column
        .equ    SP_ODD_ROW,36           // window of the second pair, and output
        .equ    SP_COLUMN,44            // where this column's windows begin, and outputs
        .equ    SP_IN,52                // of the channel
        .equ    SP_WEIGHT,56
        .equ    SP_BIAS,60
        .equ    SP_SCALING,64           // multiplier and shift
        .equ    DW_FRAME,72

        function mve_depthwise_3x3
        sub     sp,#DW_FRAME
        mov     r10,r0
        str     r0,[sp,#SP_ARGS]
        ldr     r1,[r0,#DW_STEP]
        adr     r2,depthwise_1_0
        cmp     r1,#1
        it      eq
        adreq   r2,depthwise_1_1
        cmp     r1,#2
        it      eq
        adreq   r2,depthwise_2_0
        cmp     r1,#3
        bne     1f
        adr     r2,depthwise_2_1
1:      orr     r2,r2,#1
        str     r2,[sp,#SP_STEP]
        ldrd    r1,r2,[r0,#DW_MIN]
        strd    r1,r2,[sp,#SP_MIN]
        ldr     r1,[r0,#DW_CHANNELS]
        str     r1,[sp,#SP_CHANNELS]
        ldr     r1,[r0,#DW_OUTPUT]
        str     r1,[sp,#SP_OUT]
        ldr     r1,[r0,#DW_INPUT]
        ldr     r2,[r0,#DW_WEIGHTS]
        strd    r1,r2,[sp,#SP_IN]
        ldr     r1,[r0,#DW_BIAS]
        str     r1,[sp,#SP_BIAS]
        ldrd    r1,r2,[r0,#DW_MULTIPLIERS]
        strd    r1,r2,[sp,#SP_SCALING]
        ldr     r1,[r0,#DW_TILES]
        str     r1,[sp,#SP_TILES]
        ldrd    r1,r2,[r0,#DW_ODD_ROW]
        strd    r1,r2,[sp,#SP_ODD_ROW]

depthwise_channel:
        // The kernel, and its sum.
        ldrd    r0,r2,[sp,#SP_IN]       // and weights
        adds    r1,r0,#1
        adds    r3,r2,#1
        strd    r1,r3,[sp,#SP_IN]
        add     r1,r10,#DW_TAPS
        vldrh.u16 q0,[r1]
        vldrh.u16 q1,[r1,#16]
        ldrd    r4,r5,[r10,#DW_TAPS_MASKS]
        add     r6,r10,#DW_KERNEL
        vmsr    p0,r4
        vpst
        vldrbt.s16 q2,[r2,q0]
        vaddv.s16 r4,q2
        vstrb.16 q2,[r6,#8]
        vmsr    p0,r5
        vpst
        vldrbt.s16 q3,[r2,q1]
        vaddva.s16 r4,q3
        vstrb.16 q3,[r6,#16]
        // Bias, multiplier, shift.
        ldr     r5,[r10,#DW_IN_ZERO_POINT]
        mul     r5,r5,r4
        ldr     r3,[sp,#SP_BIAS]
        movs    r2,#0
        cbz     r3,1f
        ldr     r2,[r3],#4
        str     r3,[sp,#SP_BIAS]
1:      subs    r5,r2,r5
        ldrd    r1,r3,[sp,#SP_SCALING]
        ldr     r7,[r1],#4
        ldr     r9,[r3],#4
        strd    r1,r3,[sp,#SP_SCALING]
        // The plane.
        add     r1,r10,#DW_PIXELS
        vldrh.u16 q0,[r1]
        ldrd    r1,r4,[r10,#DW_PIXEL]   // and row
        ldrd    r2,r3,[r10,#DW_COLUMNS] // and rows
        ldrd    r8,r11,[r10,#DW_PLACES] // and where the image begins in the plane
        lsls    r1,r1,#3
        cmp     r8,#0
        bne     3f
        ldr     r12,[r10,#DW_PLANE_ROW]
        mov     r8,r3
2:      mov     r6,r0
        mov     r3,r11
        wlstp.16 lr,r2,22f
21:     vldrb.u16 q1,[r6,q0]
        vstrb.16 q1,[r3],#8
        add     r6,r6,r1
        letp    lr,21b
22:     add     r0,r0,r4
        add     r11,r11,r12
        subs    r8,r8,#1
        bne     2b
        b       5f
3:      wlstp.16 lr,r2,5f
4:      vldrh.u16 q2,[r8],#16
        vldrb.u16 q1,[r0,q0]
        vstrb.16 q1,[r11,q2]
        add     r0,r0,r1
        letp    lr,4b
5:
        // Outputs, column by column of tiles.
        add     r6,r10,#DW_KERNEL
        ldr     r1,[r10,#DW_STEP]
        vldrb.8 q4,[r6,#8]
        cmp     r1,#2
        bhs     6f
        vldrb.8 q5,[r6,#7]
        vldrb.8 q6,[r6,#4]
        vldrb.8 q7,[r6,#3]
        b       7f
6:      vldrb.8 q5,[r6,#6]
7:      add     r6,r10,#DW_GATHER
        vldrb.8 q1,[r6]
        vldrb.8 q2,[r6,#16]
        ldr     r11,[r10,#DW_ZERO_POINT]
        ldr     r1,[r10,#DW_TILES+4]
        str     r1,[sp,#SP_COLUMNS]
        ldr     r1,[r10,#DW_PLANE]
        ldr     r3,[sp,#SP_OUT]
        adds    r2,r3,#1
        str     r2,[sp,#SP_OUT]
        strd    r1,r3,[sp,#SP_COLUMN]
        ldr     r12,[r10,#DW_TILE_ROWS+4]
        ldrd    r8,r10,[r10,#DW_WINDOW]

depthwise_column:
        ldr     r4,[sp,#SP_ODD_ROW]
        cbz     r4,1f
        adr     r0,2f
        orr     r0,r0,#1
        str     r0,[sp,#SP_RETURN]
        mov     lr,#1
        ldr     pc,[sp,#SP_STEP]
        .balign 4
2:      ldrd    r1,r3,[sp,#SP_COLUMN]
        ldrd    r4,r6,[sp,#SP_ODD_ROW]
        adds    r1,r1,r4
        adds    r3,r3,r6
1:      ldr     lr,[sp,#SP_TILES]
        cmp     lr,#0
        beq     3f
        adr     r0,3f
        orr     r0,r0,#1
        str     r0,[sp,#SP_RETURN]
        ldr     pc,[sp,#SP_STEP]
        .balign 4
3:      ldr     r2,[sp,#SP_COLUMNS]
        subs    r2,r2,#1
        beq     depthwise_channel_end
        str     r2,[sp,#SP_COLUMNS]
        ldr     r0,[sp,#SP_ARGS]
        ldrd    r1,r3,[sp,#SP_COLUMN]
        ldrd    r4,r6,[r0,#DW_COLUMN]
        // The second column starts one output on where the last would be half outside.
        ldr     r0,[r0,#DW_ODD_COLUMN]
        cmp     r0,r2
        bne     4f
        lsrs    r4,r4,#1
        lsrs    r6,r6,#1
4:      adds    r1,r1,r4
        adds    r3,r3,r6
        strd    r1,r3,[sp,#SP_COLUMN]
        b       depthwise_column

depthwise_channel_end:
        ldr     r10,[sp,#SP_ARGS]
        ldr     r2,[sp,#SP_CHANNELS]
        subs    r2,r2,#1
        str     r2,[sp,#SP_CHANNELS]
        bne     depthwise_channel
        add     sp,#DW_FRAME
        return  mve_depthwise_3x3

        tile_pair 1,0
        tile_pair 1,1
        tile_pair 2,0
        tile_pair 2,1
