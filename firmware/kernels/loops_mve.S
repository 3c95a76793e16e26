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

        // Too far away for ADR. As a place to branch to.
        .macro  address register,label
        movw    \register,#:lower16:(\label + 1)
        movt    \register,#:upper16:(\label + 1)
        .endm

        .macro  return name
        vpop    {d8-d15}
        pop     {r4-r11,pc}
        .size   \name,.-\name
        .endm

// ---- Moving bytes -------------------------------------------------------------------------------

        .macro  small_function name
        .section .text.\name,"ax",%progbits
        .balign 4
        .global \name
        .type   \name,%function
\name:
        push    {r4,lr}
        .endm

        .macro  small_return name
        pop     {r4,pc}
        .size   \name,.-\name
        .endm

        small_function mve_fill
        vdup.8  q0,r2
        wlstp.8 lr,r1,2f
1:      vstrb.8 q0,[r0],#16
        letp    lr,1b
2:      small_return mve_fill

        small_function mve_copy
        wlstp.8 lr,r2,2f
1:      vldrb.8 q0,[r1],#16
        vstrb.8 q0,[r0],#16
        letp    lr,1b
2:      small_return mve_copy

        small_function mve_scatter
        vldrb.8 q1,[r3]                 // offsets
        ldrd    r4,r12,[sp,#8]          // steps of output and input
        subs    r3,r2,#16
        blt     2f
        udiv    r3,r3,r12
        adds    r3,r3,#1                // steps of 16 bytes each
        mls     r2,r3,r12,r2
        dls     lr,r3
1:      vldrb.8 q0,[r1]
        vstrb.8 q0,[r0,q1]
        add     r1,r1,r12
        add     r0,r0,r4
        le      lr,1b
2:      cmp     r2,#0
        ble     4f
3:      vctp.8  r2
        vpstt
        vldrbt.8 q0,[r1]
        vstrbt.8 q0,[r0,q1]
        add     r1,r1,r12
        add     r0,r0,r4
        subs    r2,r2,r12
        bgt     3b
4:      small_return mve_scatter

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
        .equ    ARG_OUT_ROW,96

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
        .equ    LANES,80                // where a pair's outputs go, 8 halfwords
        .equ    SINGLE,96               // the same where both are one pixel
        .equ    ARGS,112
        .equ    CHANNELS,116            // left
        .equ    WEIGHTS,120             // and depth
        .equ    OUTPUT,128
        .equ    BIAS,132
        .equ    MULTIPLIERS,136         // and shifts
        .equ    ROW_CONSTANT,144         // r7: from one kernel row to the next; for a single one the zero point
        .equ    PREDICATES,148          // of the first chunk
        .equ    OUT_ROW,152             // output of the row, and of the next
        .equ    START,160               // of a pair
        .equ    FRAME,168

        // The first chunk, which starts the sums and may lack taps at its start.
        .macro  quad_first_chunk lead
        .if     \lead
        vpstt
        vldrbt.8 q0,[r1],#16
        vldrbt.8 q1,[r3],#16
        .else
        vldrb.8 q0,[r1],#16
        vldrb.8 q1,[r3],#16
        .endif
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
        .endm

        .macro  quad_scale
        vmov    q0[2],q0[0],r0,r4
        vmov    q0[3],q0[1],r2,r6
        vmov    q1[2],q1[0],r8,r12
        vmov    q1[3],q1[1],r10,lr
        vadd.i32 q0,q0,q5
        vadd.i32 q1,q1,q5
        vqrdmulh.s32 q0,q0,q6
        vqrdmulh.s32 q1,q1,q6
        .endm

        // Sums in the registers to outputs. q5 bias, q6 multipliers, q7 shifts. 16-bit lane 2c is
        // channel c of the first pixel, 2c + 1 of the second.
        .macro  quad_finish away,clamped,pair
        quad_scale
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
        bne     \pair
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
        cmp     r3,#1
        it      eq
        ldreq   r4,[r0,#ARG_ZERO_POINT]
        str     r4,[sp,#ROW_CONSTANT]
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
        adr     r5,quad_pair
        orr     r5,r5,#1
        ldr     r6,[r0,#ARG_CHUNKS]
        ldr     r8,[r0,#ARG_ROUNDING]
        cmp     r6,#8
        bhi     21f
        cmp     r3,#1
        bne     21f
        cmp     r8,#0
        bne     21f
        adr     r8,quad_direct_forms
        lsls    r6,r6,#1
        cmp     r2,#0
        it      ne
        addne   r6,r6,#1
        ldr     r6,[r8,r6,lsl #2]
        cbz     r6,21f
        add     r5,r8,r6
21:     str     r5,[sp,#START]
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
        ldrd    r1,r2,[r0,#ARG_KERNEL_ROWS-8] // chunks, lead
        ldrd    r3,r5,[r0,#ARG_KERNEL_ROWS]
        ldr     r6,[sp,#ODD]
        ldr     r8,[sp,#IN_PIXEL]
        ldr     r9,[r0,#ARG_RUN]
        orrs    r6,r6,r2
        eor     r1,r1,#3
        eor     r3,r3,#3
        eor     r8,r8,#16
        eor     r9,r9,#48
        orr     r6,r6,r1
        orr     r6,r6,r3
        orr     r6,r6,r8
        orrs    r6,r6,r9
        bne     4f
        sub     r6,r5,#64
        str     r6,[sp,#ROW_CONSTANT]
        lsls    r5,r5,#1
        adds    r5,r5,#32
        rsbs    r5,r5,#0
        str     r5,[sp,#IN_STEP]
        address r5,quad_3x3x16
        orr     r5,r5,#1
        str     r5,[sp,#START]
        ldr     r6,[r0,#ARG_ROUNDING]
        address r5,quad_3x3x16_plain
        cbz     r6,3f
        address r5,quad_3x3x16_away
        cmp     r6,#1
        beq     3f
        address r5,quad_3x3x16_clamped
3:      orr     r5,r5,#1
        str     r5,[sp,#FINISH]
4:      ldr     r4,[r0,#ARG_BIAS]
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
        ldr     r2,[r0,#ARG_OUT_ROW]
        strd    r11,r2,[sp,#OUT_ROW]
        ldr     r7,[sp,#ROW_CONSTANT]
        ldr     r2,[sp,#PREDICATES]
        vmsr    p0,r2

quad_row:
        ldrd    r1,r0,[sp,#ROW]         // and the distance of rows
        adds    r2,r1,r0
        str     r2,[sp,#ROW]
        ldrd    r11,r0,[sp,#OUT_ROW]
        add     r0,r0,r11
        str     r0,[sp,#OUT_ROW]
        ldrd    r2,r4,[sp,#IN_PIXEL]    // and pairs
        adds    r3,r1,r2
        ldr     r6,[sp,#ODD]
        str     r6,[sp,#ODD_LEFT]
        ldr     r2,[sp,#OUT_STEP]
        mla     r2,r4,r2,r11
        str     r2,[sp,#OUT_END]
        add     r2,sp,#LANES
        vldrw.32 q4,[r2]
        cbz     r4,quad_row_end
        mov     r9,r4
        ldr     pc,[sp,#START]
        .balign 4
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
1:      ldr     r4,[sp,#ROWS]
        subs    r4,r4,#1
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
        quad_first_chunk 1
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
        quad_finish 0,0,quad_pair
        .balign 4
quad_away:
        quad_finish 1,0,quad_pair
        .balign 4
quad_clamped:
        quad_finish 1,1,quad_pair

// The most frequent cases, for kPlain, without a jump: one kernel row of so many chunks. r9 counts
// pairs, r7 is the zero point.
        .macro  quad_direct chunks,lead
        .balign 4
quad_direct_\chunks\()_\lead:
        ldr     r5,[sp,#PACKED]
        quad_first_chunk \lead
        .rept   \chunks - 1
        quad_chunk
        .endr
        quad_scale
        ldrd    r0,r2,[sp,#IN_STEP]     // and OUT_STEP
        vrshl.s32 q0,q0,q7
        vrshl.s32 q1,q1,q7
        add     r1,r1,r0
        vqmovnb.s32 q0,q0
        add     r3,r3,r0
        vqmovnt.s32 q0,q1
        vqadd.s16 q0,q0,r7
        vqmovnb.s16 q0,q0
        vstrb.16 q0,[r11,q4]
        add     r11,r11,r2
        subs    r9,r9,#1
        bne     quad_direct_\chunks\()_\lead
        b       quad_row_end
        .endm

        quad_direct 1,0
        quad_direct 1,1
        quad_direct 2,0
        quad_direct 2,1
        quad_direct 3,1
        quad_direct 4,0
        quad_direct 8,0

        .macro  quad_form chunks,lead
        .word   quad_direct_\chunks\()_\lead - quad_direct_forms + 1
        .endm

        .balign 4
quad_direct_forms:                      // by chunks, without and with a lead; 0 where there is none
        .word   0,0
        quad_form 1,0
        quad_form 1,1
        quad_form 2,0
        quad_form 2,1
        .word   0
        quad_form 3,1
        quad_form 4,0
        .word   0,0,0,0,0,0,0
        quad_form 8,0
        .word   0

// 3x3 windows of 16 channels at stride 1: two neighbours share two of their three columns, so a row
// of taps takes four loads of pixels instead of six, from one pointer.
        .macro  quad_column vmladav,first,second
        vldrb.8 q2,[r5],#16
        \vmladav\().s8 r0,\first,q2
        vldrb.8 \second,[r1],#16
        \vmladav\().s8 r8,\second,q2
        vldrb.8 q3,[r5],#16
        \vmladav\().s8 r2,\first,q3
        \vmladav\().s8 r10,\second,q3
        vldrb.8 q2,[r5],#16
        \vmladav\().s8 r4,\first,q2
        \vmladav\().s8 r12,\second,q2
        vldrb.8 q3,[r5],#16
        \vmladav\().s8 r6,\first,q3
        \vmladav\().s8 lr,\second,q3
        .endm

        .macro  quad_columns vmladav
        vldrb.8 q0,[r1],#16
        quad_column \vmladav,q0,q1
        quad_column vmladava,q1,q0
        quad_column vmladava,q0,q1
        .endm

        .balign 4
quad_3x3x16:
        ldr     r5,[sp,#PACKED]
        quad_columns vmladav
        add     r1,r1,r7
        quad_columns vmladava
        add     r1,r1,r7
        quad_columns vmladava
        ldr     pc,[sp,#FINISH]

        .balign 4
quad_3x3x16_plain:
        quad_finish 0,0,quad_3x3x16
        .balign 4
quad_3x3x16_away:
        quad_finish 1,0,quad_3x3x16
        .balign 4
quad_3x3x16_clamped:
        quad_finish 1,1,quad_3x3x16

// ---- mve_depthwise_3x3 --------------------------------------------------------------------------

// Each channel of the image becomes a plane of bytes with a border. A gather then brings a window
// of 16 pixels into one register, of which several outputs are dot products with the kernel, laid
// at as many places of a register of zeros:
//   stride 1: 4x4 pixels and 2x2 outputs; stride 2: 3x5 pixels and 1x2 outputs.
// While tiles of 2x2 outputs are made, q1 holds the gather's offsets, q2 those of the outputs,
// q4-q7 (q4, q5) the kernel; r12 points to the list of tiles; r5 holds the bias, r7 the multiplier, r9
// the shift, r11 the output zero point, r8 the distance of windows; sums are in r0, r2, r4, r6.

        // MveDepthwise3x3
        .equ    DW_KERNEL,0             // 32 bytes of zeros, where the kernel is laid out
        .equ    DW_TAPS,32              // 8 halfwords: offsets of the first weights, 8 of the rest
        .equ    DW_TAPS_USED,64         // two predicates
        .equ    DW_PIXELS,72            // offsets of 8 pixels as halfwords, or 16 as bytes
        .equ    DW_GATHER,88            // 16 bytes
        .equ    DW_OUTPUTS,104          // 8 halfwords
        .equ    DW_INPUT,120            // and weights
        .equ    DW_8_PIXELS,128         // and row
        .equ    DW_COLUMNS,136          // and rows
        .equ    DW_PLACES,144           // and where the image begins in the plane
        .equ    DW_PLANE_ROW,152
        .equ    DW_CHANNELS,156
        .equ    DW_BIAS,160             // and multipliers
        .equ    DW_SHIFTS,168
        .equ    DW_IN_ZERO_POINT,172
        .equ    DW_ZERO_POINT,176       // and distance of windows
        .equ    DW_MIN,184              // and max
        .equ    DW_STEP,192
        .equ    DW_TILES,196            // list, and how many pairs
        .equ    DW_SINGLES,204
        .equ    DW_BY_16,208

        .equ    SP_CLAMP,0              // min and max
        .equ    SP_IN,8                 // of the channel, and weights
        .equ    SP_CHANNEL,16           // times 4, and how many are left
        .equ    SP_LOOP,28              // code of pairs
        .equ    SP_SINGLES,32           // number, and code
        .equ    SP_ARGS,40
        .equ    DW_FRAME,48

        .macro  tile_sums stride
        vldrb.u8 q0,[r1,q1]
        vmladav.s8 r0,q0,q4
        vmladav.s8 r2,q0,q5
        .if     \stride == 1
        vmladav.s8 r4,q0,q6
        vmladav.s8 r6,q0,q7
        .else
        add     r1,r1,r8
        vldrb.u8 q0,[r1,q1]
        vmladav.s8 r4,q0,q4
        vmladav.s8 r6,q0,q5
        .endif
        .endm

        .macro  tile_scale q
        vmov    \q[2],\q[0],r0,r4
        vmov    \q[3],\q[1],r2,r6
        vadd.i32 \q,\q,r5
        vqrdmulh.s32 \q,\q,r7
        .endm

        .macro  tile_clamp clamped
        vqadd.s16 q3,q3,r11
        .if     \clamped
        ldrd    r0,r2,[sp,#SP_CLAMP]
        vdup.16 q0,r0
        vmax.s16 q3,q3,q0
        vdup.16 q0,r2
        vmin.s16 q3,q3,q0
        .else
        vqmovnb.s16 q3,q3
        .endif
        .endm

        // `clamped` is for all but kPlain: halves away from zero, too.
        .macro  tile_loops stride,clamped
        .balign 4
depthwise_pairs_\stride\()_\clamped:
        ldrd    r1,r3,[r12],#8
        tile_sums \stride
        add     r1,r1,r8
        tile_scale q3
        .if     \clamped
        vshr.s32 q0,q3,#31
        vadd.i32 q3,q3,q0
        .endif
        vrshl.s32 q3,r9
        tile_sums \stride
        tile_scale q0
        .if     \clamped               // no register is left for the sign
        vcmp.s32 lt,q0,zr
        movs    r0,#1
        vpst
        vsubt.i32 q0,q0,r0
        .endif
        vrshl.s32 q0,r9
        vqmovnb.s32 q3,q3
        vqmovnt.s32 q3,q0
        tile_clamp \clamped
        vstrb.16 q3,[r3,q2]
        le      lr,depthwise_pairs_\stride\()_\clamped
        b       depthwise_singles

        .balign 4
depthwise_singles_\stride\()_\clamped:
        ldrd    r1,r3,[r12],#8
        tile_sums \stride
        tile_scale q3
        .if     \clamped
        vshr.s32 q0,q3,#31
        vadd.i32 q3,q3,q0
        .endif
        vrshl.s32 q3,r9
        vqmovnb.s32 q3,q3
        tile_clamp \clamped
        vpst
        vstrbt.16 q3,[r3,q2]
        le      lr,depthwise_singles_\stride\()_\clamped
        b       depthwise_next
        .endm

        .macro  tile_loops_if step,stride,clamped
        cmp     r1,#\step
        bne     1f
        adr     r2,depthwise_pairs_\stride\()_\clamped
        adr     r3,depthwise_singles_\stride\()_\clamped
1:
        .endm

        function mve_depthwise_3x3
        sub     sp,#DW_FRAME
        mov     r6,r0
        str     r0,[sp,#SP_ARGS]
        ldr     r1,[r0,#DW_STEP]
        tile_loops_if 0,1,0
        tile_loops_if 1,1,1
        tile_loops_if 2,2,0
        tile_loops_if 3,2,1
        orr     r2,r2,#1
        orr     r3,r3,#1
        str     r2,[sp,#SP_LOOP]
        ldr     r1,[r0,#DW_SINGLES]
        strd    r1,r3,[sp,#SP_SINGLES]
        ldrd    r1,r2,[r0,#DW_MIN]
        strd    r1,r2,[sp,#SP_CLAMP]
        ldrd    r1,r2,[r0,#DW_INPUT]
        strd    r1,r2,[sp,#SP_IN]
        movs    r1,#0
        ldr     r2,[r0,#DW_CHANNELS]
        strd    r1,r2,[sp,#SP_CHANNEL]

depthwise_channel:
        ldrd    r0,r10,[sp,#SP_IN]      // and weights
        adds    r1,r0,#1
        add     r3,r10,#1
        strd    r1,r3,[sp,#SP_IN]
        // The plane.
        vldrw.32 q0,[r6,#DW_PIXELS]
        ldrd    r1,r4,[r6,#DW_8_PIXELS] // and row
        ldrd    r2,r3,[r6,#DW_COLUMNS]  // and rows
        ldrd    r8,r11,[r6,#DW_PLACES]  // and where the image begins in the plane
        cmp     r8,#0
        bne     3f
        ldr     r12,[r6,#DW_PLANE_ROW]
        mov     r8,r3
        ldr     r3,[r6,#DW_BY_16]
        cbz     r3,1f
        lsls    r1,r1,#1
12:     mov     r5,r0
        mov     r3,r11
        wlstp.8 lr,r2,14f
13:     vldrb.u8 q1,[r5,q0]
        vstrb.8 q1,[r3],#16
        add     r5,r5,r1
        letp    lr,13b
14:     add     r0,r0,r4
        add     r11,r11,r12
        subs    r8,r8,#1
        bne     12b
        b       4f
1:      mov     r5,r0
        mov     r3,r11
        wlstp.16 lr,r2,2f
11:     vldrb.u16 q1,[r5,q0]
        vstrb.16 q1,[r3],#8
        add     r5,r5,r1
        letp    lr,11b
2:      add     r0,r0,r4
        add     r11,r11,r12
        subs    r8,r8,#1
        bne     1b
        b       4f
3:      wlstp.16 lr,r2,4f
31:     vldrh.u16 q2,[r8],#16
        vldrb.u16 q1,[r0,q0]
        vstrb.16 q1,[r11,q2]
        add     r0,r0,r1
        letp    lr,31b
        // The kernel, and its sum.
4:      vldrw.32 q0,[r6,#DW_TAPS]
        vldrw.32 q1,[r6,#DW_TAPS+16]
        ldrd    r4,r5,[r6,#DW_TAPS_USED]
        vmsr    p0,r4
        vpst
        vldrbt.s16 q2,[r10,q0]
        vaddv.s16 r4,q2
        vstrb.16 q2,[r6,#8]
        vmsr    p0,r5
        vpst
        vldrbt.s16 q3,[r10,q1]
        vaddva.s16 r4,q3
        vstrb.16 q3,[r6,#16]
        ldr     r0,[r6,#DW_STEP]
        cmp     r0,#2
        vldrb.8 q4,[r6,#8]
        bhs     5f
        vldrb.8 q5,[r6,#7]
        vldrb.8 q6,[r6,#4]
        vldrb.8 q7,[r6,#3]
        b       6f
5:      vldrb.8 q5,[r6,#6]
6:      vldrw.32 q1,[r6,#DW_GATHER]
        vldrw.32 q2,[r6,#DW_OUTPUTS]
        ldr     r3,[sp,#SP_CHANNEL]
        lsrs    r0,r3,#2
        vadd.i16 q2,q2,r0
        // Bias, multiplier, shift.
        ldrd    r0,r1,[r6,#DW_BIAS]     // and multipliers
        ldr     r5,[r6,#DW_IN_ZERO_POINT]
        mul     r5,r5,r4
        movs    r4,#0
        cbz     r0,7f
        ldr     r4,[r0,r3]
7:      subs    r5,r4,r5
        ldr     r7,[r1,r3]
        ldr     r0,[r6,#DW_SHIFTS]
        ldr     r9,[r0,r3]
        ldrd    r11,r8,[r6,#DW_ZERO_POINT] // and distance of windows
        ldrd    r12,lr,[r6,#DW_TILES]   // and how many pairs
        wls     lr,lr,depthwise_singles
        ldr     pc,[sp,#SP_LOOP]
        .balign 4
depthwise_singles:
        ldr     lr,[sp,#SP_SINGLES]
        wls     lr,lr,depthwise_next
        movw    r0,#0x3333              // the lanes of the first tile
        vmsr    p0,r0
        ldr     pc,[sp,#SP_SINGLES+4]
        .balign 4
depthwise_next:
        ldrd    r0,r2,[sp,#SP_CHANNEL]  // and how many are left
        ldr     r6,[sp,#SP_ARGS]
        adds    r0,r0,#4
        subs    r2,r2,#1
        strd    r0,r2,[sp,#SP_CHANNEL]
        bne     depthwise_channel
        add     sp,#DW_FRAME
        return  mve_depthwise_3x3

        tile_loops 1,0
        tile_loops 1,1
        tile_loops 2,0
        tile_loops 2,1

// ---- mve_linear ---------------------------------------------------------------------------------

// Four rows of weights: 64 MACs, 9 instructions. r1 points to the input, r3, r5, r7, r9 to the
// weights; sums are in r0, r2, r4, r6. As in mve_dot, the first chunk is the odd one, and how many
// others there are is where the block is entered. r8 is the depth, r12 what the first chunk lacks,
// r11 counts rounds through the block, r10 is the input, lr counts rows.
        .macro  linear_chunk
        vldrb.8 q0,[r1],#16
        vldrb.8 q1,[r3],#16
        vmladava.s8 r0,q0,q1
        vldrb.8 q2,[r5],#16
        vmladava.s8 r2,q0,q2
        vldrb.8 q1,[r7],#16
        vmladava.s8 r4,q0,q1
        vldrb.8 q2,[r9],#16
        vmladava.s8 r6,q0,q2
        .endm

        .equ    LINEAR_CHUNK_BYTES,36
        .equ    LINEAR_CHUNKS,16        // in the block

        // MveLinear
        .equ    LIN_INPUT,0             // and weights
        .equ    LIN_DEPTH,8             // and quads
        .equ    LIN_BIAS,16             // and output
        .equ    LIN_MULTIPLIERS,24      // and shifts
        .equ    LIN_MULTIPLIER,32       // and shift
        .equ    LIN_ZERO_POINT,40
        .equ    LIN_MIN,44              // and max
        .equ    LIN_ROUNDING,52

        .equ    LS_BIAS,0               // and output
        .equ    LS_MULTIPLIERS,8        // and shifts
        .equ    LS_ENTRY,16
        .equ    LS_ROUNDS,20
        .equ    LS_ZERO_POINT,24
        .equ    LS_AWAY,28
        .equ    LS_FRAME,32

        function mve_linear
        sub     sp,#LS_FRAME
        ldrd    r8,lr,[r0,#LIN_DEPTH]
        subs    r1,r8,#1
        lsrs    r1,r1,#4                // chunks after the first
        add     r2,r1,#1
        rsb     r12,r8,r2,lsl #4        // what the first lacks
        vctp.8  r12
        vpnot
        lsrs    r2,r1,#4                // rounds
        and     r1,r1,#15
        adr     r3,linear_block_end
        orr     r3,r3,#1
        movs    r4,#LINEAR_CHUNK_BYTES
        mls     r3,r1,r4,r3
        strd    r3,r2,[sp,#LS_ENTRY]
        ldrd    r1,r2,[r0,#LIN_BIAS]
        strd    r1,r2,[sp,#LS_BIAS]
        ldrd    r1,r2,[r0,#LIN_MULTIPLIERS]
        strd    r1,r2,[sp,#LS_MULTIPLIERS]
        ldrd    r1,r2,[r0,#LIN_MULTIPLIER]
        vdup.32 q6,r1
        vdup.32 q7,r2
        ldr     r1,[r0,#LIN_ZERO_POINT]
        ldr     r2,[r0,#LIN_ROUNDING]
        strd    r1,r2,[sp,#LS_ZERO_POINT]
        ldrd    r1,r2,[r0,#LIN_MIN]
        vdup.16 q4,r1
        vdup.16 q5,r2
        ldrd    r10,r9,[r0,#LIN_INPUT]
        sub     r10,r10,r12

linear_quad:
        sub     r3,r9,r12
        add     r5,r3,r8
        add     r7,r5,r8
        add     r9,r7,r8
        mov     r1,r10
        vpstttt
        vldrbt.8 q0,[r1],#16
        vldrbt.8 q1,[r3],#16
        vldrbt.8 q2,[r5],#16
        vldrbt.8 q3,[r7],#16
        vmladav.s8 r0,q0,q1
        vmladav.s8 r2,q0,q2
        vmladav.s8 r4,q0,q3
        vpst
        vldrbt.8 q1,[r9],#16
        vmladav.s8 r6,q0,q1
        ldr     r11,[sp,#LS_ROUNDS]
        ldr     pc,[sp,#LS_ENTRY]

        .balign 4
linear_block:
        .rept   LINEAR_CHUNKS
        linear_chunk
        .endr
linear_block_end:
        subs    r11,r11,#1
        bpl     linear_block
        vmov    q0[2],q0[0],r0,r4
        vmov    q0[3],q0[1],r2,r6
        ldrd    r4,r6,[sp,#LS_MULTIPLIERS] // and shifts
        cbz     r4,1f
        vldrw.32 q6,[r4],#16
        vldrw.32 q7,[r6],#16
        strd    r4,r6,[sp,#LS_MULTIPLIERS]
1:      ldrd    r4,r6,[sp,#LS_BIAS]     // and output
        vldrw.32 q1,[r4],#16
        vadd.i32 q0,q0,q1
        vqrdmulh.s32 q0,q0,q6
        ldrd    r0,r2,[sp,#LS_ZERO_POINT] // and rounding
        cbz     r2,2f
        vshr.s32 q1,q0,#31
        vadd.i32 q0,q0,q1
2:      vrshl.s32 q0,q0,q7
        vqmovnb.s32 q0,q0
        vqadd.s16 q0,q0,r0
        vmax.s16 q0,q0,q4
        vmin.s16 q0,q0,q5
        vstrb.32 q0,[r6],#4
        strd    r4,r6,[sp,#LS_BIAS]
        le      lr,linear_quad
        add     sp,#LS_FRAME
        return  mve_linear

// ---- mve_add ------------------------------------------------------------------------------------

        // MveAdd
        .equ    ADD_SCALED,0            // and other
        .equ    ADD_OUTPUT,8            // and count
        .equ    ADD_SCALED_START,16     // and other
        .equ    ADD_MULTIPLIER,24       // and shift
        .equ    ADD_OUT_MULTIPLIER,32   // and shift
        .equ    ADD_ZERO_POINT,40
        .equ    ADD_MIN,44              // and max

        // Eight elements: even lanes are in q2, odd ones in q3.
        .macro  add_eight rest,away
        .if     \rest
        vpstt
        vldrbt.s16 q0,[r1],#8
        vldrbt.s16 q1,[r2],#8
        .else
        vldrb.s16 q0,[r1],#8
        vldrb.s16 q1,[r2],#8
        .endif
        vmlas.s16 q0,q5,r4              // (a - zero point) * 8
        vshl.i16 q1,q1,#4
        vadd.i16 q1,q1,r5               // (b - zero point) * 16
        vshllb.s16 q2,q1,#16
        vshllt.s16 q3,q1,#16
        vqrdmulh.s32 q2,q2,r6
        vqrdmulh.s32 q3,q3,r6
        .if     \away                   // halves away from zero
        vshr.s32 q1,q2,#31
        vshr.s32 q4,q3,#31
        vadd.i32 q2,q2,q1
        vadd.i32 q3,q3,q4
        .endif
        vrshl.s32 q2,r7
        vrshl.s32 q3,r7
        vshllb.s16 q1,q0,#16            // (a - zero point) * 2^20 / 2
        vshllt.s16 q4,q0,#16
        vadd.i32 q2,q2,q1
        vadd.i32 q3,q3,q4
        vqrdmulh.s32 q2,q2,r8
        vqrdmulh.s32 q3,q3,r8
        vrshl.s32 q2,r9
        vrshl.s32 q3,r9
        vqmovnb.s32 q0,q2
        vqmovnt.s32 q0,q3
        vqadd.s16 q0,q0,r10
        vmax.s16 q0,q0,q6
        vmin.s16 q0,q0,q7
        .if     \rest
        vpst
        vstrbt.16 q0,[r3],#8
        .else
        vstrb.16 q0,[r3],#8
        .endif
        .endm

        function mve_add
        ldrd    r1,r2,[r0,#ADD_SCALED]
        ldrd    r3,r12,[r0,#ADD_OUTPUT]
        ldrd    r4,r5,[r0,#ADD_SCALED_START]
        ldrd    r6,r7,[r0,#ADD_MULTIPLIER]
        ldrd    r8,r9,[r0,#ADD_OUT_MULTIPLIER]
        ldr     r10,[r0,#ADD_ZERO_POINT]
        ldrd    r0,r11,[r0,#ADD_MIN]
        vdup.16 q6,r0
        vdup.16 q7,r11
        vmov.i16 q5,#8
        lsrs    r0,r12,#3
        ands    r12,r12,#7
        vctp.16 r12
        cmp     r7,#0
        beq     4f
        wls     lr,r0,2f
1:      add_eight 0,1
        le      lr,1b
2:      cmp     r12,#0
        beq     6f
        add_eight 1,1
        b       6f
4:      wls     lr,r0,5f
41:     add_eight 0,0
        le      lr,41b
5:      cmp     r12,#0
        beq     6f
        add_eight 1,0
6:      return  mve_add
