//! Memory that the system may have back.

/// What is much: a page table has few entries for it, and a list has more.
pub const LARGE: i32 = 1 << 18;

/// Has the allocator keep little. What takes much memory lies by itself, so that the system has it
/// back as soon as it is freed: a policy that is read takes many times what is needed when it is in
/// force. The rest lies together, whichever thread it is of.
pub fn tune_malloc() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the calls have integers only as their arguments, and may be made at any time. What
    // they say is that they did so.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Hands back what was freed and is kept for later: after a policy was read, nothing of the kind
/// comes for a long time.
pub fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call has an integer only as its argument, and may be made at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
