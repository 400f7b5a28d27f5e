//! Memory that the system may have back.

/// What is much: a page table has few entries for it, and a list has more.
pub const LARGE: i32 = 1 << 18;

/// Has what takes much memory lie by itself, so that the system has it back as soon as it is freed: a policy that is read
/// takes many times what is needed when it is in force.
pub fn keep_large_apart() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call has integers only as its arguments, and may be made at any time. What it says is that it did so.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Hands back what was freed and is kept for later: after a policy was read, nothing of the kind comes for a long time.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call has an integer only as its argument, and may be made at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
