// SPDX-License-Identifier: BSD-3-Clause

// Inner loops for Helium (MVE) that GCC does not keep in registers. Contracts: loops_mve.h.
// All are leaf functions and follow the procedure call standard: r4-r11 and d8-d15 are kept.

#if !defined(__ARM_FEATURE_MVE)
#error "loops_mve.S needs a core with Helium"
#endif

        .syntax unified
        .thumb

        .cfi_sections .debug_frame      // tells the stack's depth to those who add it up

        .macro  function name,frame=0
        .section .text.\name,"ax",%progbits
        .balign 4
        .global \name
        .type   \name,%function
\name:
        .cfi_startproc
        push    {r4-r11,lr}
        .cfi_def_cfa_offset 36
        .cfi_offset lr,-4
        vpush   {d8-d15}
        .cfi_adjust_cfa_offset 64
        .if     \frame
        sub     sp,#\frame
        .cfi_adjust_cfa_offset \frame
        .endif
        .endm

        .macro  return frame=0
        .cfi_remember_state
        .if     \frame
        add     sp,#\frame
        .cfi_adjust_cfa_offset -\frame
        .endif
        vpop    {d8-d15}
        .cfi_adjust_cfa_offset -64
        pop     {r4-r11,pc}
        .cfi_restore_state
        .endm

        .macro  end name
        .cfi_endproc
        .size   \name,.-\name
        .endm

        // Too far away for ADR. As a place to branch to.
        .macro  address register,label
        movw    \register,#:lower16:(\label + 1)
        movt    \register,#:upper16:(\label + 1)
        .endm

// ---- Moving bytes -------------------------------------------------------------------------------

        .macro  small_function name
        .section .text.\name,"ax",%progbits
        .balign 4
        .global \name
        .type   \name,%function
\name:
        .cfi_startproc
        push    {r4,lr}
        .cfi_def_cfa_offset 8
        .cfi_offset lr,-4
        .endm

        .macro  small_return name
        pop     {r4,pc}
        .cfi_endproc
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

// For four channels at a time: their weights are packed and the sums of a block of pixels made, two
// pixels at a time, then the outputs of the block.
//
// 16 taps of 2 pixels and 4 channels: 128 MACs, 14 instructions, or 10 with the first chunk of the
// weights, which stays in q4-q7. VMLADAV takes only even registers for its sums, so pointers and
// counters are in the odd ones:
//   r1, r3 pixels; r5 weights; r7 from the end of a kernel row to the next; r9 kernel rows left;
//   r11 where the sums go; sums in r0, r2, r4, r6 of the first pixel, r8, r10, r12, lr of the second.
// How many chunks a row has is where the block of chunks is entered. All else is on the stack.
        .macro  quad_weights accumulate,w0,w1,w2,w3
        vmladav\accumulate\().s8 r0,q0,\w0
        vmladav\accumulate\().s8 r8,q1,\w0
        vmladav\accumulate\().s8 r2,q0,\w1
        vmladav\accumulate\().s8 r10,q1,\w1
        vmladav\accumulate\().s8 r4,q0,\w2
        vmladav\accumulate\().s8 r12,q1,\w2
        vmladav\accumulate\().s8 r6,q0,\w3
        vmladav\accumulate\().s8 lr,q1,\w3
        .endm

        // `behind` is the second pixel's distance behind r1 where that points to both.
        .macro  quad_chunk behind
        vldrb.8 q0,[r1],#16
        vldrb.8 q2,[r5],#16
        vmladava.s8 r0,q0,q2
        .ifb    \behind
        vldrb.8 q1,[r3],#16
        .else
        vldrb.8 q1,[r1,#\behind]
        .endif
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
        .equ    ARG_SUMS,100            // and how many pixels have room
        .equ    ARG_APART,108
        .equ    ARG_NEIGHBOURS,112

        .equ    MOST_NARROW,84          // distance of pixels: that of four of them, a byte

        // Frame. What one LDRD fetches is side by side.
        .equ    START,0                 // what sums start at, of two pixels
        .equ    PACKED,32               // behind the first chunk
        .equ    KERNEL_ROWS,36
        .equ    ZERO_POINT,40
        .equ    OUT_STEP,44             // of two pixels
        .equ    IN_STEP,48              // from the end of a pair to the next
        .equ    RUN_END,52              // where r11 stops
        .equ    ENTRY,56                // into the block of chunks, after the first chunk
        .equ    ROW_ENTRY,60            // the same for kernel rows after the first
        .equ    END,64                  // where the block goes on
        .equ    FINISH,68               // by the kind of rounding
        .equ    MIN,72                  // and max
        .equ    SUMS_END,80
        .equ    IN_PIXEL,84
        .equ    ROW,88                  // input of the row
        .equ    IN_ROW,92
        .equ    SUMS,96
        .equ    OUT,100                 // of the first of the sums
        .equ    OUT_NEXT,104            // output of the row, and of the next
        .equ    LANES,112               // where outputs go: 16 bytes for four pixels or 8 halfwords for two
        .equ    ARGS,128
        .equ    CHANNELS,132            // left
        .equ    WEIGHTS,136             // and depth
        .equ    OUTPUT,144
        .equ    BIAS,148
        .equ    MULTIPLIERS,152         // and shifts
        .equ    ROW_CONSTANT,160        // r7
        .equ    PREDICATES,164          // of the first chunk
        .equ    LOOP,168                // of pairs
        .equ    ROWS,172
        .equ    LEFT,176                // pixels of the row
        .equ    PIXELS,180
        .equ    RETURN,184
        .equ    APART,188
        .equ    FRAME,192

        .macro  quad_store
        stm     r11!,{r0,r2,r4,r6,r8,r10,r12,lr}
        .endm

        // A pair's first chunk, from what sums start at.
        .macro  quad_first
        ldm     sp,{r0,r2,r4,r6,r8,r10,r12,lr}
        quad_weights a,q4,q5,q6,q7
        .endm

        // Sums of one or two pixels to outputs. q6 multipliers, q7 shifts, r6 is 1. 16-bit lane 2c is
        // channel c of the first pixel, 2c + 1 of the second; q4 says where they go.
        .macro  quad_outputs pixels,away,clamped
        vldrw.32 q0,[r0],#16
        .if     \pixels == 2
        vldrw.32 q1,[r0],#16
        .endif
        vqrdmulh.s32 q0,q0,q6
        .if     \pixels == 2
        vqrdmulh.s32 q1,q1,q6
        .endif
        .if     \away                   // halves away from zero, where VRSHL rounds them up:
        vqdmlah.s32 q0,q0,r6            // x += 2x >> 32
        .if     \pixels == 2
        vqdmlah.s32 q1,q1,r6
        .endif
        .endif
        vrshl.s32 q0,q0,q7
        .if     \pixels == 2
        vrshl.s32 q1,q1,q7
        .endif
        vqmovnb.s32 q0,q0
        .if     \pixels == 2
        vqmovnt.s32 q0,q1
        .endif
        vqadd.s16 q0,q0,r4
        .if     \clamped
        vmax.s16 q0,q0,q2
        vmin.s16 q0,q0,q3
        .else
        vqmovnb.s16 q0,q0
        .endif
        .if     \pixels == 2
        vstrb.16 q0,[r8,q4]
        .else
        movw    r12,#0x3333
        vmsr    p0,r12
        vpst
        vstrbt.16 q0,[r8,q4]
        .endif
        .endm

        // Of four pixels: 8-bit lane 4c is channel c of the first, 4c + 2 of the second, then 4c + 1
        // and 4c + 3.
        .macro  quad_outputs_4 away
        vldrw.32 q0,[r0],#16
        vldrw.32 q1,[r0],#16
        vldrw.32 q2,[r0],#16
        vldrw.32 q3,[r0],#16
        vqrdmulh.s32 q0,q0,q6
        vqrdmulh.s32 q1,q1,q6
        vqrdmulh.s32 q2,q2,q6
        vqrdmulh.s32 q3,q3,q6
        .if     \away
        vqdmlah.s32 q0,q0,r6
        vqdmlah.s32 q1,q1,r6
        vqdmlah.s32 q2,q2,r6
        vqdmlah.s32 q3,q3,r6
        .endif
        vrshl.s32 q0,q0,q7
        vrshl.s32 q1,q1,q7
        vrshl.s32 q2,q2,q7
        vrshl.s32 q3,q3,q7
        .if     \away
        vqmovnb.s32 q0,q0
        vqmovnb.s32 q2,q2
        vqmovnt.s32 q0,q1
        vqmovnt.s32 q2,q3
        vqadd.s16 q0,q0,r4
        vqadd.s16 q2,q2,r4
        vqmovnb.s16 q0,q0
        vqmovnt.s16 q0,q2
        .else                           // 0 to 255, less 128
        vqmovunb.s32 q0,q0
        vqmovunb.s32 q2,q2
        vqmovunt.s32 q0,q1
        vqmovunt.s32 q2,q3
        vqmovnb.u16 q0,q0
        vqmovnt.u16 q0,q2
        veor    q0,q0,q5
        .endif
        vstrb.8 q0,[r8,q4]
        .endm

        // r0 sums, r11 pixels, r8 output, r10 distance of two, r4 zero point. With `narrow` four
        // pixels' outputs are at most 255 bytes apart.
        .macro  quad_finish away,clamped,narrow
        .if     \clamped
        ldrd    r3,r12,[sp,#MIN]
        vdup.16 q2,r3
        vdup.16 q3,r12
        .endif
        .if     \narrow
        vmov.i8 q5,#128
        lsr     lr,r11,#2
        wls     lr,lr,2f
1:      quad_outputs_4 \away
        add     r8,r8,r10,lsl #1
        le      lr,1b
2:      vmovlb.u8 q4,q4
        tst     r11,#2
        beq     3f
        quad_outputs 2,\away,\clamped
        add     r8,r8,r10
        .else
        lsr     lr,r11,#1
        wls     lr,lr,3f
1:      quad_outputs 2,\away,\clamped
        add     r8,r8,r10
        le      lr,1b
        .endif
3:      tst     r11,#1
        beq     .Lquad_finished
        quad_outputs 1,\away,\clamped
        add     r8,r8,r10,lsr #1
        b       .Lquad_finished
        .endm

        // A chunk of 4 channels; adds their weights up.
        .macro  pack_quad then
        vldrb\then\().8 q0,[r1],#16
        vldrb\then\().8 q1,[r3],#16
        vldrb\then\().8 q2,[r5],#16
        vldrb\then\().8 q3,[r7],#16
        vaddva.s8 r0,q0
        vaddva.s8 r2,q1
        vaddva.s8 r4,q2
        vaddva.s8 r6,q3
        vstrb.8 q0,[r9],#16
        vstrb.8 q1,[r9],#16
        vstrb.8 q2,[r9],#16
        vstrb.8 q3,[r9],#16
        .endm

        function mve_dot,FRAME
        str     r0,[sp,#ARGS]
        ldrd    r1,r2,[r0,#ARG_CHUNKS]  // and lead
        vctp.8  r2                      // predicates of the first chunk: not what leads
        vpnot
        vmrs    r3,p0
        str     r3,[sp,#PREDICATES]
        ldrd    r3,r4,[r0,#ARG_KERNEL_ROWS] // and their distance
        sub     r4,r4,r1,lsl #4
        subs    r5,r1,#1                // chunks after the first
        adr     r6,.Lquad_block_end
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
        str     r4,[sp,#ROW_CONSTANT]
        ldr     r5,[r0,#ARG_PACKED]
        adds    r5,r5,#64
        strd    r5,r3,[sp,#PACKED]
        ldrd    r5,r8,[r0,#ARG_OUTPUT]  // and the distance of pixels
        ldr     r6,[r0,#ARG_ROUNDING]
        cmp     r8,#MOST_NARROW
        it      hi
        addhi   r6,r6,#3
        address r5,.Lquad_finish_forms-1
        ldr     r6,[r5,r6,lsl #2]
        add     r6,r6,r5
        adr     r5,.Lquad_sums
        cmp     r3,#1
        beq     3f
        adr     r5,.Lquad_kernel_row
3:      orr     r5,r5,#1
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
        str     r8,[sp,#IN_STEP]
        adr     r5,.Lquad_pair
        orr     r5,r5,#1
        cmp     r6,#8
        bhi     5f
        cmp     r3,#1
        bne     5f
        // One of the direct forms: of a single kernel row, with r7 the step.
        add     r9,r6,r6,lsl #1         // three of each number of chunks
        cbz     r2,3f
        adds    r9,r9,#1
        b       4f
3:      ldr     r10,[sp,#IN_PIXEL]
        cmp     r10,r6,lsl #4
        it      eq
        addeq   r9,r9,#2
4:      address r10,.Lquad_direct_forms-1
        ldr     r9,[r10,r9,lsl #2]
        cmp     r9,#0
        beq     5f
        add     r5,r10,r9
        str     r8,[sp,#ROW_CONSTANT]
5:      str     r5,[sp,#LOOP]
        ldr     r5,[r0,#ARG_ROWS+4]     // pixels
        str     r5,[sp,#PIXELS]
        ldrd    r11,r4,[r0,#ARG_OUTPUT] // and the distance of pixels
        str     r11,[sp,#OUTPUT]
        ldr     r6,[r0,#ARG_ZERO_POINT]
        lsls    r5,r4,#1
        strd    r6,r5,[sp,#ZERO_POINT]
        movs    r6,#0
        ldr     r5,[r0,#ARG_ROUNDING]
        cmp     r5,#2
        beq     7f
        cmp     r4,#MOST_NARROW
        bhi     7f
        vidup.u8 q0,r6,#1
        vshr.u8 q0,q0,#2                // 0 0 0 0 1 1 1 1 and so on
        add     r6,r4,r4,lsl #1
        lsls    r5,r4,#9
        orr     r5,r5,r4,lsl #16
        orr     r5,r5,r6,lsl #24        // pixels 0 2 1 3
        vdup.32 q1,r5
        vadd.i8 q0,q0,q1
        b       8f
7:      vidup.u16 q0,r6,#1
        vshr.u16 q0,q0,#1               // 0 0 1 1 2 2 3 3
        lsls    r4,r4,#16
        vdup.32 q1,r4
        vadd.i16 q0,q0,q1
8:
        vstrw.32 q0,[sp,#LANES]
        ldr     r4,[r0,#ARG_CHANNELS]
        ldrd    r5,r6,[r0,#ARG_WEIGHTS]
        str     r4,[sp,#CHANNELS]
        strd    r5,r6,[sp,#WEIGHTS]
        ldrd    r5,r6,[r0,#ARG_SUMS]
        adds    r5,r5,#16               // the first of two pixels may be a repeated one
        str     r5,[sp,#SUMS]
        add     r6,r5,r6,lsl #4
        str     r6,[sp,#SUMS_END]
        ldr     r5,[r0,#ARG_APART]
        str     r5,[sp,#APART]
        ldr     r1,[r0,#ARG_NEIGHBOURS]
        cbz     r1,.Lquad_chosen
        address r8,.Lquad_chosen
        address r9,.Lquad_run_end
        ldr     pc,[r0,#ARG_NEIGHBOURS]
        .balign 4
.Lquad_chosen:
        ldr     r4,[r0,#ARG_BIAS]
        str     r4,[sp,#BIAS]
        ldrd    r5,r6,[r0,#ARG_MULTIPLIERS]
        strd    r5,r6,[sp,#MULTIPLIERS]

.Lquad:
        // The weights of 4 channels side by side, and their sums.
        ldrd    r10,r12,[r0,#ARG_KERNEL_ROWS-4] // lead, kernel rows
        ldr     r11,[r0,#ARG_RUN]
        ldrd    r1,r8,[sp,#WEIGHTS]     // and depth
        ldr     r9,[sp,#PACKED]
        subs    r9,r9,#64
        sub     r1,r1,r10
        add     r3,r1,r8
        add     r5,r3,r8
        add     r7,r5,r8
        movs    r0,#0
        movs    r2,#0
        movs    r4,#0
        movs    r6,#0
        cmp     r10,#0
        beq     1f
        ldr     r8,[sp,#PREDICATES]
        vmsr    p0,r8
        vpstttt
        pack_quad t
        add     r11,r11,r10
        subs    r11,r11,#16
1:      lsrs    r8,r11,#4
        wls     lr,r8,3f
2:      pack_quad
        le      lr,2b
3:      ands    r8,r11,#15
        beq     4f
        vctp.8  r8
        vpstttt
        pack_quad t
        sub     r8,r8,#16               // minus what the last chunk lacks
        add     r1,r1,r8
        add     r3,r3,r8
        add     r5,r5,r8
        add     r7,r7,r8
4:      subs    r12,r12,#1
        bne     1b
        // What the sums start at.
        vmov    q5[2],q5[0],r0,r4
        vmov    q5[3],q5[1],r2,r6
        ldr     r0,[sp,#ARGS]
        ldr     r2,[r0,#ARG_IN_ZERO_POINT]
        rsbs    r2,r2,#0
        vmul.i32 q5,q5,r2
        ldr     r1,[sp,#BIAS]
        cbz     r1,5f
        vldrw.32 q6,[r1]
        vadd.i32 q5,q5,q6
5:      vstrw.32 q5,[sp,#START]
        vstrw.32 q5,[sp,#START+16]
        ldr     r1,[r0,#ARG_INPUT]
        sub     r1,r1,r10
        str     r1,[sp,#ROW]
        ldr     r2,[r0,#ARG_ROWS]
        str     r2,[sp,#ROWS]
        ldr     r4,[sp,#OUTPUT]
        str     r4,[sp,#OUT]
        ldr     r6,[r0,#ARG_OUT_ROW]
        add     r4,r4,r6
        strd    r4,r6,[sp,#OUT_NEXT]
        ldr     r2,[sp,#PIXELS]
        str     r2,[sp,#LEFT]
        address r4,.Lquad_run
        str     r4,[sp,#RETURN]
        b       .Lquad_weights

.Lquad_next_row:
        ldr     r0,[sp,#ROWS]
        ldrd    r1,r4,[sp,#ROW]         // and the distance of rows
        subs    r0,r0,#1
        beq     .Lquad_done
        str     r0,[sp,#ROWS]
        adds    r1,r1,r4
        str     r1,[sp,#ROW]
        ldr     r2,[sp,#PIXELS]
        ldr     r4,[sp,#APART]
        cbnz    r4,.Lquad_apart
        // Sums of as many pairs of the r2 pixels left as there is room for.
.Lquad_run:
        ldrd    r4,r6,[sp,#SUMS_END]    // and the distance of pixels
        subs    r4,r4,r11
        lsrs    r0,r2,#1
        beq     .Lquad_odd
        lsrs    r4,r4,#5
        beq     .Lquad_full
        cmp     r0,r4
        it      hi
        movhi   r0,r4
        sub     r2,r2,r0,lsl #1
        str     r2,[sp,#LEFT]
        add     r3,r1,r6
        add     r9,r11,r0,lsl #5
        str     r9,[sp,#RUN_END]
        ldr     pc,[sp,#LOOP]
.Lquad_odd:                             // once more with the pixel before it
        cmp     r4,#0
        beq     .Lquad_full
        str     r0,[sp,#LEFT]
        mov     r3,r1
        subs    r1,r1,r6
        add     r9,r11,#16
        str     r9,[sp,#RUN_END]
        sub     r11,r11,#16
        ldr     pc,[sp,#LOOP]
        .balign 4
.Lquad_run_end:
        ldr     r2,[sp,#LEFT]
        cmp     r2,#0
        bne     .Lquad_run
        b       .Lquad_next_row
.Lquad_full:
        str     r2,[sp,#LEFT]
        address r0,.Lquad_run
        b       .Lquad_finish
.Lquad_apart:                           // rows of the output do not follow one another
        str     r2,[sp,#LEFT]
        address r0,.Lquad_row_apart
        b       .Lquad_finish
.Lquad_row_apart:
        ldrd    r4,r6,[sp,#OUT_NEXT]
        str     r4,[sp,#OUT]
        add     r4,r4,r6
        str     r4,[sp,#OUT_NEXT]
        b       .Lquad_run
.Lquad_done:
        address r0,.Lquad_next

        // Outputs of all pixels whose sums are there; then to r0. Keeps r1.
.Lquad_finish:
        str     r0,[sp,#RETURN]
        ldrd    r0,r8,[sp,#SUMS]        // and their output
        sub     r11,r11,r0
        lsr     r11,r11,#4
        ldrd    r4,r6,[sp,#MULTIPLIERS] // and shifts
        vldrw.32 q6,[r4]
        vldrw.32 q7,[r6]
        vldrw.32 q4,[sp,#LANES]
        ldrd    r4,r10,[sp,#ZERO_POINT] // and the distance of two pixels
        movs    r6,#1
        ldr     pc,[sp,#FINISH]
        .balign 4
.Lquad_plain:
        quad_finish 0,0,1
        .balign 4
.Lquad_plain_wide:
        quad_finish 0,0,0
        .balign 4
.Lquad_away:
        quad_finish 1,0,1
        .balign 4
.Lquad_away_wide:
        quad_finish 1,0,0
        .balign 4
.Lquad_clamped:
        quad_finish 1,1,0

        .balign 4
.Lquad_finish_forms:                    // by the rounding, narrow and wide
        .irp    form,plain,away,clamped,plain_wide,away_wide,clamped
        .word   .Lquad_\form - .Lquad_finish_forms + 1
        .endr

.Lquad_finished:
        str     r8,[sp,#OUT]
        ldr     r2,[sp,#LEFT]
.Lquad_weights:                         // what stays in registers
        ldr     r5,[sp,#PACKED]
        ldr     r7,[sp,#ROW_CONSTANT]
        vldrb.8 q4,[r5,#-64]
        vldrb.8 q5,[r5,#-48]
        vldrb.8 q6,[r5,#-32]
        vldrb.8 q7,[r5,#-16]
        ldr     r0,[sp,#PREDICATES]
        vmsr    p0,r0
        ldr     r11,[sp,#SUMS]
        ldr     pc,[sp,#RETURN]

.Lquad_next:
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
        b       .Lquad
5:      return  FRAME

        .balign 4
.Lquad_pair:
        ldrd    r5,r9,[sp,#PACKED]      // and kernel rows
        vpstt
        vldrbt.8 q0,[r1],#16
        vldrbt.8 q1,[r3],#16
        quad_first
        ldr     pc,[sp,#ENTRY]

        .balign 4
.Lquad_block:
        .rept   QUAD_CHUNKS
        quad_chunk
        .endr
.Lquad_block_end:
        ldr     pc,[sp,#END]

        .balign 4
.Lquad_kernel_row:
        subs    r9,r9,#1
        beq     .Lquad_sums
        add     r1,r1,r7
        add     r3,r3,r7
        ldr     pc,[sp,#ROW_ENTRY]
        .balign 4
.Lquad_sums:
        quad_store
        ldrd    r0,r2,[sp,#IN_STEP]     // and RUN_END
        add     r1,r1,r0
        add     r3,r3,r0
        cmp     r11,r2
        bne     .Lquad_pair
        b       .Lquad_run_end

// The most frequent cases without a jump: one kernel row of so many chunks, and r7 the step. The
// second pixel follows the first where `form` is 2; the first chunk lacks taps where it is 1.
        .macro  quad_direct chunks,form
        .balign 4
.Lquad_direct_\chunks\()_\form:
        .if     \chunks > 1
        ldr     r5,[sp,#PACKED]
        .endif
        .if     \form == 1
        vpstt
        vldrbt.8 q0,[r1],#16
        vldrbt.8 q1,[r3],#16
        .else
        vldrb.8 q0,[r1],#16
        .if     \form == 0
        vldrb.8 q1,[r3],#16
        .elseif \chunks == 1
        vldrb.8 q1,[r1],#16
        .else
        vldrb.8 q1,[r1,#(16 * \chunks - 16)]
        .endif
        .endif
        quad_first
        .rept   \chunks - 1
        .if     \form == 2
        quad_chunk (16*\chunks-16)
        .else
        quad_chunk
        .endif
        .endr
        quad_store
        .if     \form != 2
        add     r1,r1,r7
        add     r3,r3,r7
        .elseif \chunks > 1
        add     r1,r1,#(16 * \chunks)
        .endif
        cmp     r11,r9
        bne     .Lquad_direct_\chunks\()_\form
        b       .Lquad_run_end
        .endm

        quad_direct 1,0
        quad_direct 1,1
        quad_direct 1,2
        quad_direct 2,0
        quad_direct 2,1
        quad_direct 2,2
        quad_direct 3,1
        quad_direct 4,2
        quad_direct 8,2

        .macro  quad_form chunks,form
        .word   .Lquad_direct_\chunks\()_\form - .Lquad_direct_forms + 1
        .endm

        .balign 4
.Lquad_direct_forms:                    // by chunks: forms 0, 1 and 2; 0 where there is none
        .word   0,0,0
        quad_form 1,0
        quad_form 1,1
        quad_form 1,2
        quad_form 2,0
        quad_form 2,1
        quad_form 2,2
        .word   0
        quad_form 3,1
        .word   0
        .word   0,0
        quad_form 4,2
        .word   0,0,0,0,0,0,0,0,0
        .word   0,0
        quad_form 8,2
        end     mve_dot

// 3x3 windows of 16, 32 or 64 channels, `chunks` of 16: neighbours share columns, two of their three
// at stride 1 and one at stride 2, so of 16 channels a row of taps takes 4 or 5 loads of pixels
// instead of 6, from one pointer, r1. The columns of a chunk follow one another, and so the weights
// are read with jumps. r3 is the step from one pair to the next, r7 that of kernel rows; r5 points
// to the weights read last.
        .macro  quad_taps weights,first,first_at,second,second_at
        .ifnb   \first_at
        vldrb.8 \first,[r1,#\first_at]
        .endif
        vldrw.u32 q2,[r5,#\weights]!
        vmladava.s8 r0,\first,q2
        .ifnb   \second_at
        vldrb.8 \second,[r1,#\second_at]
        .endif
        vmladava.s8 r8,\second,q2
        vldrw.u32 q3,[r5,#16]!
        vmladava.s8 r2,\first,q3
        vmladava.s8 r10,\second,q3
        vldrw.u32 q2,[r5,#16]!
        vmladava.s8 r4,\first,q2
        vmladava.s8 r12,\second,q2
        vldrw.u32 q3,[r5,#16]!
        vmladava.s8 r6,\first,q3
        vmladava.s8 lr,\second,q3
        .endm

        // A row of taps, of the first one all but the first chunk, which is done. `weights` is how
        // far the first of them are behind those before.
        .macro  quad_row_of_3 chunks,stride,weights,rest=0
        .set    QUAD_COLUMN,16 * \chunks
        .set    QUAD_AT,-QUAD_BIAS
        .set    QUAD_NEXT,\weights
        .set    QUAD_DONE,\rest
        .rept   \chunks
        .if     QUAD_DONE == 0
        quad_taps QUAD_NEXT,q0,QUAD_AT,q1,(QUAD_AT+\stride*QUAD_COLUMN)
        .set    QUAD_NEXT,QUAD_COLUMN * 4 * \stride - 48
        .endif
        .set    QUAD_DONE,0
        .if     \stride == 1
        quad_taps QUAD_NEXT,q1,,q0,(QUAD_AT+2*QUAD_COLUMN)
        quad_taps (QUAD_COLUMN*4-48),q0,,q1,(QUAD_AT+3*QUAD_COLUMN)
        .set    QUAD_NEXT,16 - QUAD_COLUMN * 8
        .else                           // the first column, the third, the second
        quad_taps QUAD_NEXT,q1,,q0,(QUAD_AT+4*QUAD_COLUMN)
        quad_taps (-QUAD_COLUMN*4-48),q0,(QUAD_AT+QUAD_COLUMN),q1,(QUAD_AT+3*QUAD_COLUMN)
        .set    QUAD_NEXT,16 - QUAD_COLUMN * 4
        .endif
        .set    QUAD_AT,QUAD_AT + 16
        .endr
        .endm

        // Offsets of pixels reach from -127 to 127: r1 points so far into the row.
        .macro  quad_bias chunks,stride
        .set    QUAD_BIAS,0
        .if     \chunks * \stride == 4
        .set    QUAD_BIAS,120
        .endif
        .endm

        .macro  quad_3x3 chunks,stride
        .balign 4
.Lquad_3x3_\chunks\()_\stride:
        quad_bias \chunks,\stride
        ldr     r3,[sp,#IN_STEP]
        .if     \chunks == 1           // from the last weights back to the first
        ldr     r5,[sp,#PACKED]
        add     r5,r5,#(560 - 64 * \stride)
        .endif
1:
        .if     \chunks > 1
        ldr     r5,[sp,#PACKED]
        .endif
        .if     QUAD_BIAS
        vldrb.8 q0,[r1],#QUAD_BIAS
        .else
        vldrb.8 q0,[r1]
        .endif
        vldrb.8 q1,[r1,#(16 * \chunks * \stride - QUAD_BIAS)]
        quad_first
        .if     \chunks == 1
        quad_row_of_3 1,\stride,(128*\stride-624),1
        .else
        quad_row_of_3 \chunks,\stride,(64*\chunks*\stride-64),1
        .endif
        .rept   2
        add     r1,r1,r7
        quad_row_of_3 \chunks,\stride,(64*\chunks*(\stride-1)+16)
        .endr
        quad_store
        add     r1,r1,r3
        cmp     r11,r9
        bne     1b
        ldr     pc,[sp,#END]
        .endm

        // For r1 as chunks of a kernel row and 16 times the distance of pixels, r5 that of kernel rows.
        .macro  quad_3x3_if chunks,stride
        quad_bias \chunks,\stride
        movw    r2,#(256 * \chunks * \stride + 3 * \chunks)
        cmp     r1,r2
        bne     1f
        mvn     r2,r5,lsl #1
        add     r2,r2,#(32 * \chunks * \stride - QUAD_BIAS + 1)
        str     r2,[sp,#IN_STEP]
        address r6,.Lquad_3x3_\chunks\()_\stride
        b       2f
1:
        .endm

        // A part of mve_dot, in its frame: goes on at r8, and after its loops at r9.
        .section .text.mve_neighbours,"ax",%progbits
        .balign 4
        .global mve_neighbours
        .type   mve_neighbours,%function
mve_neighbours:
        .cfi_startproc
        .cfi_def_cfa_offset 100 + FRAME
        .cfi_offset lr,-4
        ldr     r1,[r0,#ARG_CHUNKS]
        ldrd    r3,r5,[r0,#ARG_KERNEL_ROWS] // and their distance
        ldr     r2,[r0,#ARG_RUN]
        cmp     r2,r1,lsl #4
        it      eq
        cmpeq   r3,#3
        bne     3f
        ldr     r2,[r0,#ARG_IN_PIXEL]
        add     r1,r1,r2,lsl #4
        quad_3x3_if 1,1
        quad_3x3_if 1,2
        quad_3x3_if 2,1
        quad_3x3_if 2,2
        quad_3x3_if 4,1
        b       3f
2:      str     r5,[sp,#ROW_CONSTANT]
        str     r6,[sp,#LOOP]
        str     r9,[sp,#END]
3:      mov     pc,r8

        quad_3x3 1,1
        quad_3x3 1,2
        quad_3x3 2,1
        quad_3x3 2,2
        quad_3x3 4,1
        end     mve_neighbours

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
.Ldepthwise_pairs_\stride\()_\clamped:
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
        le      lr,.Ldepthwise_pairs_\stride\()_\clamped
        b       .Ldepthwise_singles

        .balign 4
.Ldepthwise_singles_\stride\()_\clamped:
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
        le      lr,.Ldepthwise_singles_\stride\()_\clamped
        b       .Ldepthwise_next
        .endm

        .macro  tile_loops_if step,stride,clamped
        cmp     r1,#\step
        bne     1f
        adr     r2,.Ldepthwise_pairs_\stride\()_\clamped
        adr     r3,.Ldepthwise_singles_\stride\()_\clamped
1:
        .endm

        function mve_depthwise_3x3,DW_FRAME
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

.Ldepthwise_channel:
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
        wls     lr,lr,.Ldepthwise_singles
        ldr     pc,[sp,#SP_LOOP]
        .balign 4
.Ldepthwise_singles:
        ldr     lr,[sp,#SP_SINGLES]
        wls     lr,lr,.Ldepthwise_next
        movw    r0,#0x3333              // the lanes of the first tile
        vmsr    p0,r0
        ldr     pc,[sp,#SP_SINGLES+4]
        .balign 4
.Ldepthwise_next:
        ldrd    r0,r2,[sp,#SP_CHANNEL]  // and how many are left
        ldr     r6,[sp,#SP_ARGS]
        adds    r0,r0,#4
        subs    r2,r2,#1
        strd    r0,r2,[sp,#SP_CHANNEL]
        bne     .Ldepthwise_channel
        return  DW_FRAME

        tile_loops 1,0
        tile_loops 1,1
        tile_loops 2,0
        tile_loops 2,1
        end     mve_depthwise_3x3

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

        function mve_linear,LS_FRAME
        ldrd    r8,lr,[r0,#LIN_DEPTH]
        subs    r1,r8,#1
        lsrs    r1,r1,#4                // chunks after the first
        add     r2,r1,#1
        rsb     r12,r8,r2,lsl #4        // what the first lacks
        vctp.8  r12
        vpnot
        lsrs    r2,r1,#4                // rounds
        and     r1,r1,#15
        adr     r3,.Llinear_block_end
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

.Llinear_quad:
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
.Llinear_block:
        .rept   LINEAR_CHUNKS
        linear_chunk
        .endr
.Llinear_block_end:
        subs    r11,r11,#1
        bpl     .Llinear_block
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
        le      lr,.Llinear_quad
        return  LS_FRAME
        end     mve_linear

// ---- mve_packed_linear --------------------------------------------------------------------------

// Eight rows of weights side by side: 128 MACs, 17 instructions. r1 points to the input, r3 to the
// group; sums of rows 0, 2, 4, 6 are in r0, r2, r4, r6, of rows 1, 3, 5, 7 in r8, r10, r12, lr. The
// first chunk of the input is the odd one and stays in q6; how many others there are is where the
// block is entered. r5 counts rounds through the block, r7 is the output, r9 the rows left; q4 and
// q5 are the limits, q7 the zero point.
        .macro  eight_rows input
        vldrb.8 q1,[r3],#16
        vmladava.s8 r0,\input,q1
        vldrb.8 q2,[r3],#16
        vmladava.s8 r8,\input,q2
        vldrb.8 q1,[r3],#16
        vmladava.s8 r2,\input,q1
        vldrb.8 q2,[r3],#16
        vmladava.s8 r10,\input,q2
        vldrb.8 q1,[r3],#16
        vmladava.s8 r4,\input,q1
        vldrb.8 q2,[r3],#16
        vmladava.s8 r12,\input,q2
        vldrb.8 q1,[r3],#16
        vmladava.s8 r6,\input,q1
        vldrb.8 q2,[r3],#16
        vmladava.s8 lr,\input,q2
        .endm

        .equ    PACKED_CHUNK_BYTES,68
        .equ    PACKED_CHUNKS,8         // in the block

        // MvePackedLinear
        .equ    PL_INPUT,0              // and groups
        .equ    PL_OUTPUT,8             // and in_ch
        .equ    PL_OUT_CH,16
        .equ    PL_ZERO_POINT,20        // and rounding
        .equ    PL_MIN,28               // and max

        .equ    PS_INPUT,0              // behind the first chunk, and rounds
        .equ    PS_ENTRY,8
        .equ    PS_FINISH,12
        .equ    PS_FRAME,16

        function mve_packed_linear,PS_FRAME
        ldrd    r11,r3,[r0,#PL_INPUT]
        ldrd    r7,r2,[r0,#PL_OUTPUT]
        ldr     r9,[r0,#PL_OUT_CH]
        ldrd    r4,r6,[r0,#PL_MIN]
        vdup.16 q4,r4
        vdup.16 q5,r6
        ldrd    r4,r6,[r0,#PL_ZERO_POINT]
        vdup.16 q7,r4
        adr     r4,.Lpacked_plain
        cbz     r6,1f
        adr     r4,.Lpacked_exact
1:      orr     r4,r4,#1
        str     r4,[sp,#PS_FINISH]
        subs    r4,r2,#1
        lsrs    r4,r4,#4                // chunks after the first
        sub     r2,r2,r4,lsl #4         // inputs in the first
        vctp.8  r2
        vpst
        vldrbt.8 q6,[r11]
        add     r2,r2,r11
        lsrs    r5,r4,#3                // rounds
        strd    r2,r5,[sp,#PS_INPUT]
        and     r4,r4,#PACKED_CHUNKS-1
        adr     r5,.Lpacked_block_end
        orr     r5,r5,#1
        movs    r6,#PACKED_CHUNK_BYTES
        mls     r5,r4,r6,r5
        str     r5,[sp,#PS_ENTRY]

.Lpacked_group:
        ldm     r3!,{r0,r2,r4,r6,r8,r10,r12,lr}
        ldrd    r1,r5,[sp,#PS_INPUT]    // and rounds
        eight_rows q6
        ldr     pc,[sp,#PS_ENTRY]

        .balign 4
.Lpacked_block:
        .rept   PACKED_CHUNKS
        vldrb.8 q0,[r1],#16
        eight_rows q0
        .endr
.Lpacked_block_end:
        subs    r5,r5,#1
        bpl     .Lpacked_block
        vmov    q0[2],q0[0],r0,r4
        vmov    q0[3],q0[1],r2,r6
        vmov    q1[2],q1[0],r8,r12
        vmov    q1[3],q1[1],r10,lr
        vldrw.32 q2,[r3],#64            // multipliers
        vldrw.32 q3,[r3,#-48]
        vqrdmulh.s32 q0,q0,q2
        vqrdmulh.s32 q1,q1,q3
        vldrw.32 q2,[r3,#-32]           // shifts
        vldrw.32 q3,[r3,#-16]
        ldr     pc,[sp,#PS_FINISH]

        .balign 4
.Lpacked_plain:
        vrshl.s32 q0,q0,q2
        vrshl.s32 q1,q1,q3
        vqmovnb.s32 q0,q0
        vqmovnt.s32 q0,q1
        vqadd.s16 q0,q0,q7
        vqmovnb.s16 q0,q0
.Lpacked_store:
        subs    r9,r9,#8
        blt     2f
        vstrb.16 q0,[r7],#8
        bgt     .Lpacked_group
        b       3f
2:      add     r9,r9,#8
        vctp.16 r9
        vpst
        vstrbt.16 q0,[r7]
3:      return  PS_FRAME

        .balign 4
.Lpacked_exact:                         // halves away from zero, any limits
        movs    r0,#1
        vqdmlah.s32 q0,q0,r0
        vqdmlah.s32 q1,q1,r0
        vrshl.s32 q0,q0,q2
        vrshl.s32 q1,q1,q3
        vqmovnb.s32 q0,q0
        vqmovnt.s32 q0,q1
        vqadd.s16 q0,q0,q7
        vmax.s16 q0,q0,q4
        vmin.s16 q0,q0,q5
        b       .Lpacked_store
        end     mve_packed_linear

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
6:      return
        end     mve_add

// ---- mve_scaled_add -----------------------------------------------------------------------------

        // MveScaledAdd
        .equ    SCALED_A,0              // and b
        .equ    SCALED_OUTPUT,8         // and count
        .equ    SCALED_MULTIPLIERS,16
        .equ    SCALED_OFFSET,24        // and shift
        .equ    SCALED_MIN,32           // and max

        function mve_scaled_add
        ldrd    r1,r2,[r0,#SCALED_A]
        ldrd    r3,r12,[r0,#SCALED_OUTPUT]
        ldrd    r4,r5,[r0,#SCALED_MULTIPLIERS]
        ldrd    r6,r7,[r0,#SCALED_OFFSET]
        ldrd    r8,r9,[r0,#SCALED_MIN]
        vdup.32 q2,r4
        vdup.32 q3,r8
        vdup.32 q4,r9
        rsbs    r7,r7,#0
        wlstp.32 lr,r12,2f
1:      vldrb.s32 q0,[r1],#4
        vldrb.s32 q1,[r2],#4
        vmlas.s32 q0,q2,r6              // a * multiplier + offset
        vmla.s32 q0,q1,r5
        vshl.s32 q0,r7
        vmax.s32 q0,q0,q3
        vmin.s32 q0,q0,q4
        vstrb.32 q0,[r3],#4
        letp    lr,1b
2:      return
        end     mve_scaled_add
