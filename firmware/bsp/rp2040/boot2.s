@ SPDX-License-Identifier: BSD-3-Clause
@
@ The second stage of the RP2040's boot: sets the SSI up so that flash can be read where it is
@ mapped, and starts the image behind it. Assembled by hand into boot2.h (README.md beside this).
@
@ The boot ROM runs it from the end of SRAM, at the ring oscillator's clock, with the flash out of
@ any continuous mode (RP2040 datasheet 2.8.1.2). At most 252 bytes, a CRC-32 follows. Registers:
@ RP2040 datasheet 4.10.13 (SSI), 2.19.6.4 (pads); commands: W25Q16JV datasheet 8.2.
@ What is waited for is the SSI's end of a transfer, which comes by its own clock, and once the
@ flash's, which is bounded.

    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot_stage, "ax"
    .global boot2

    .equ PADS_QSPI, 0x40020000
    .equ PADS_QSPI_CLEAR, 0x40023000    @ alias that clears bits, 2.1.2
    .equ PAD_SCLK, 0x04
    .equ PAD_SD0, 0x08                  @ SD1 to SD3 follow
    .equ PAD_8MA_FAST, 2 << 4 | 1 << 0
    .equ PAD_SCHMITT, 1 << 1

    .equ SSI, 0x18000000
    .equ CTRLR0, 0x00
    .equ CTRLR1, 0x04
    .equ SSIENR, 0x08
    .equ BAUDR, 0x14
    .equ SR, 0x28
    .equ SR_BUSY, 1 << 0
    .equ SR_TFE, 1 << 2
    .equ DR0, 0x60
    .equ RX_SAMPLE_DLY, 0xF0
    .equ SPI_CTRLR0, 0xF4

    .equ CTRLR0_BYTES, 7 << 16          @ standard SPI, frames of 8 bits, both ways
    .equ CTRLR0_READ, 31 << 16 | 3 << 8 @ frames of 32 bits, read after the command
    .equ CTRLR0_QUAD, 2 << 21
    @ 8 bits of command, 32 of address and mode, 4 dummy clocks; the command alone on one wire
    .equ SPI_FIRST_QUAD, 4 << 11 | 2 << 8 | 8 << 2 | 1 << 0
    @ The same without a command, all on four wires; A0h as mode keeps the flash at it.
    .equ SPI_NEXT_QUAD, 0xA0 << 24 | 4 << 11 | 8 << 2 | 2 << 0
    @ 03h, 24 bits of address, on one wire
    .equ SPI_SERIAL, 0x03 << 24 | 2 << 8 | 6 << 2

    .equ READ_STATUS_1, 0x05
    .equ STATUS_1_BUSY, 1 << 0
    .equ WRITE_ENABLE, 0x06
    .equ WRITE_STATUS_2, 0x31
    .equ READ_STATUS_2, 0x35
    .equ STATUS_2_QE, 1 << 1
    .equ QUAD_READ, 0xEB
    .equ STAY, 0xA0
    .equ MAX_POLLS, 0x8000              @ 60 clocks or more each: 160 ms at 12 MHz; it takes 15

    .equ IMAGE, 0x10000100
    .equ VTOR, 0xE000ED08

    .thumb_func
boot2:
    ldr r0, =PADS_QSPI
    movs r1, #PAD_8MA_FAST
    str r1, [r0, #PAD_SCLK]
    ldr r0, =PADS_QSPI_CLEAR
    movs r1, #PAD_SCHMITT
    str r1, [r0, #PAD_SD0]
    str r1, [r0, #PAD_SD0 + 4]
    str r1, [r0, #PAD_SD0 + 8]
    str r1, [r0, #PAD_SD0 + 12]

    ldr r3, =SSI
    movs r7, #0
    movs r6, #1
    str r7, [r3, #SSIENR]
    movs r1, #2
    str r1, [r3, #BAUDR]
    movs r2, #RX_SAMPLE_DLY
    str r6, [r3, r2]
    ldr r1, =CTRLR0_BYTES
    str r1, [r3, #CTRLR0]
    str r6, [r3, #SSIENR]

    bl read_status_2
    bne quad                            @ QE is set
    movs r5, #STATUS_2_QE
    orrs r5, r0                         @ the others stay as they are
    movs r0, #WRITE_ENABLE
    bl send
    movs r0, #WRITE_STATUS_2
    str r0, [r3, #DR0]
    movs r0, r5
    bl send
    ldr r0, [r3, #DR0]
    ldr r5, =MAX_POLLS
busy:
    movs r0, #READ_STATUS_1
    bl ask
    movs r1, #STATUS_1_BUSY
    tst r0, r1
    beq done
    subs r5, #1
    bne busy
done:
    bl read_status_2
    bne quad

    movs r1, #4                         @ 03h is for 50 MHz at most
    str r7, [r3, #SSIENR]
    str r1, [r3, #BAUDR]
    ldr r0, =CTRLR0_READ
    ldr r1, =SPI_SERIAL
    b map

quad:
    str r7, [r3, #SSIENR]
    ldr r0, =CTRLR0_READ + CTRLR0_QUAD
    ldr r1, =SPI_FIRST_QUAD
    bl set_up
    movs r1, #QUAD_READ
    str r1, [r3, #DR0]
    movs r0, #STAY                      @ address 0 and the mode
    bl send
    str r7, [r3, #SSIENR]
    ldr r0, =CTRLR0_READ + CTRLR0_QUAD
    ldr r1, =SPI_NEXT_QUAD
map:
    bl set_up
    ldr r0, =IMAGE
    ldr r1, =VTOR
    str r0, [r1]
    ldmia r0!, {r1, r2}
    msr msp, r1
    bx r2

@ Set CTRLR0 (r0) and SPI_CTRLR0 (r1) and switch the SSI on.
set_up:
    str r0, [r3, #CTRLR0]
    str r7, [r3, #CTRLR1]
    movs r2, #SPI_CTRLR0
    str r1, [r3, r2]
    str r6, [r3, #SSIENR]
    bx lr

@ r0: status register 2; flags: NE if its QE is set.
read_status_2:
    mov r8, lr
    movs r0, #READ_STATUS_2
    bl ask
    movs r1, #STATUS_2_QE
    tst r0, r1
    bx r8

@ Send a command (r0) and a byte for its answer (r0).
ask:
    mov r9, lr
    str r0, [r3, #DR0]
    bl send
    ldr r0, [r3, #DR0]
    bx r9

@ Send the last word (r0) of a transfer, wait for its end, and take what came in with the first.
send:
    str r0, [r3, #DR0]
    movs r2, #SR_TFE | SR_BUSY
sending:
    ldr r1, [r3, #SR]
    ands r1, r2
    cmp r1, #SR_TFE
    bne sending
    ldr r0, [r3, #DR0]
    bx lr
    .ltorg
    .size boot2, . - boot2
