//! Memory that the system may have back.

/// Hands back what was freed and is kept for later: after a policy was read, nothing of the kind comes for a long time.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call has an integer only as its argument, and may be made at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
