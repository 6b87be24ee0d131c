//! The registers that a stack is read by. Their numbers are the kernel's (`asm/perf_regs.h`) and never change.

use framehop::UnwindRegsNative;

/// The registers of a sample, in the order of their numbers.
pub(super) type Registers = [u64; COUNT];

#[cfg(target_arch = "x86_64")]
mod numbers {
    /// BP, SP and IP.
    pub(super) const NUMBERS: [u64; 3] = [6, 7, 8];
}

#[cfg(target_arch = "aarch64")]
mod numbers {
    /// X29 (the frame), LR, SP and PC.
    pub(super) const NUMBERS: [u64; 4] = [29, 30, 31, 32];
}

/// How many there are.
pub(super) const COUNT: usize = numbers::NUMBERS.len();

/// Which the kernel is to note.
pub(super) fn mask() -> u64 {
    numbers::NUMBERS
        .iter()
        .fold(0, |mask, number| mask | 1 << number)
}

/// Where a thread is.
pub(super) struct Position {
    /// The next instruction.
    pub(super) instruction: u64,
    /// The lowest address of its stack that is in use.
    pub(super) stack: u64,
    pub(super) registers: UnwindRegsNative,
}

#[cfg(target_arch = "x86_64")]
pub(super) fn position(registers: &Registers) -> Position {
    let [frame, stack, instruction] = *registers;
    Position {
        instruction,
        stack,
        registers: UnwindRegsNative::new(instruction, stack, frame),
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) fn position(registers: &Registers) -> Position {
    use framehop::aarch64::PtrAuthMask;
    let [frame, link, stack, instruction] = *registers;
    // Return addresses may bear a signature above those bits that addresses have.
    let address = PtrAuthMask::from_max_known_address((1 << 48) - 1);
    Position {
        instruction,
        stack,
        registers: UnwindRegsNative::new_with_ptr_auth_mask(address, link, stack, frame),
    }
}
