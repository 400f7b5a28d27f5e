//! Which lines of the kernel's log say that the kernel is damaged.

/// What a line of damage begins with, behind its time stamp.
const AT_THE_START: [&str; 9] = [
    // Elsewhere in a line it is advice, such as "Spectre V2 : WARNING: Unprivileged eBPF is
    // enabled".
    "WARNING:",
    // SLUB writes "BUG kmalloc-512 (Not tainted): Poison overwritten", others "BUG: ".
    "BUG ",
    // These three happen to user space as well: "traps: curl[7] general protection fault ip:...".
    "general protection",
    "invalid opcode:",
    "divide error:",
    "stack segment:",
    "Call Trace:",
    // arm64.
    "Call trace:",
    "Kernel panic",
];

/// What is damage anywhere in a line, where no letter, digit or `_` stands before it.
const ANYWHERE: [&str; 17] = [
    "BUG:",
    "kernel BUG at",
    "Oops",
    "page_pool",
    "Bad page",
    "Bad rss-counter",
    "KASAN:",
    "UBSAN:",
    "KFENCE:",
    "Redzone",
    "Poison overwritten",
    "list_add corruption",
    "list_del corruption",
    "refcount_t:",
    "unable to handle",
    "Unable to handle",
    "verifier bug",
];

/// True if this line of the kernel's log says that the kernel was damaged or found itself to be.
/// The line may have the marks that `dmesg` and the console put in front (`<4>`, `[   12.345678]`,
/// `[   T66]`).
///
/// It does not look at who wrote the line: user space may write to the log as well
/// ([`Record::is_by_kernel`]).
///
/// [`Record::is_by_kernel`]: super::Record::is_by_kernel
pub fn is_damage(line: &str) -> bool {
    let text = without_marks(line);
    AT_THE_START.iter().any(|sign| text.starts_with(sign))
        || ANYWHERE.iter().any(|sign| has_word(text, sign))
}

fn without_marks(line: &str) -> &str {
    let mut text = line.trim_start();
    loop {
        let rest = match text.as_bytes().first() {
            Some(b'<') => behind(text, '>', |level| {
                level.bytes().all(|byte| byte.is_ascii_digit())
            }),
            Some(b'[') => behind(text, ']', is_time_or_caller),
            _ => None,
        };
        match rest {
            Some(rest) => text = rest.trim_start(),
            None => return text,
        }
    }
}

/// What follows a mark with an acceptable content.
fn behind(text: &str, closing: char, is_mark: fn(&str) -> bool) -> Option<&str> {
    let (mark, rest) = text[1..].split_once(closing)?;
    is_mark(mark.trim()).then_some(rest)
}

/// `12.345678`, or `T66` and `C1` for a thread and a CPU (`CONFIG_PRINTK_CALLER`).
fn is_time_or_caller(mark: &str) -> bool {
    mark.trim_start_matches(['T', 'C'])
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn has_word(text: &str, sign: &str) -> bool {
    let is_part_of_word = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(sign)
        .any(|(at, _)| !text[..at].ends_with(is_part_of_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_damaged_kernels_wrote_is_damage() {
        for line in [
            "WARNING: CPU: 1 PID: 216 at net/core/page_pool.c:1193 page_pool_release+0x1f0/0x200",
            "WARNING: possible circular locking dependency detected",
            "[   41.032755] WARNING: CPU: 0 PID: 0 at kernel/bpf/verifier.c:21303 bpf_check+0x2e5/0x3c0",
            "[   41.032755][   T66] BUG: Bad page state in process client  pfn:03a1c",
            "[    7.114519][    C1] BUG: unable to handle page fault for address: ffffed1024cf1fe8",
            "<1>[    7.114519] BUG: kernel NULL pointer dereference, address: 0000000000000008",
            "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [ksoftirqd/1:22]",
            "kernel BUG at mm/slub.c:448!",
            "BUG kmalloc-512 (Not tainted): Poison overwritten",
            "BUG skbuff_small_head (Tainted: G    B             ): Left Redzone overwritten",
            "Redzone  ffff888003a1cdf0: cc cc cc cc cc cc cc cc 00 00 00 00 cc cc cc cc  ................",
            "page dumped because: page_pool leak",
            "page_pool_release_retry() stalled pool shutdown: id 9, 1 inflight 60 sec",
            "general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] PREEMPT SMP PTI",
            "Oops: general protection fault, probably for non-canonical address 0x2d63d2f6d6c7a7a: 0000 [#1] SMP",
            "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP",
            "Unable to handle kernel paging request at virtual address ffff7fc000800000",
            "BUG: KASAN: use-after-free in __xdp_return+0x4c1/0x6f0",
            "UBSAN: array-index-out-of-bounds in net/core/skbuff.c:931:24",
            "refcount_t: underflow; use-after-free.",
            "list_del corruption. prev->next should be ffff888003a1cdf0, but was dead000000000100.",
            "verifier bug: REG INVARIANTS VIOLATION (false_reg1): range bounds violation u64=[0x1, 0x0]",
            "Call Trace:",
            "[    4.281120] Call trace:",
            "Kernel panic - not syncing: Fatal exception in interrupt",
        ] {
            assert!(is_damage(line), "{line}");
        }
    }

    #[test]
    fn what_healthy_kernels_write_is_none() {
        for line in [
            "",
            "IPv6: ADDRCONF(NETDEV_CHANGE): lan: link becomes ready",
            "Kernel command line: console=ttyS0 panic=-1 oops=panic slub_debug=FZPU no_timer_check",
            "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB \
             attacks!",
            "traps: curl[812] general protection fault ip:7f3b2c sp:7ffd10 error:0 in libc.so.6[7f3b00+155000]",
            "curl[812]: segfault at 8 ip 00007f3b2c sp 00007ffd10 error 4 in libc.so.6[7f3b00+155000]",
            "DEBUG: nothing is wrong",
            "[Firmware Bug]: TSC doesn't count with P0 frequency!",
            "ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0], AE_NOT_FOUND (20240827/psargs-332)",
            "kasan: KernelAddressSanitizer initialized (generic)",
            "mem auto-init: stack:off, heap alloc:on, heap free:off",
            "warning: `namegate' uses wireless extensions which will stop working for Wi-Fi 7 hardware",
            "veth1: renamed from tmp_page_pools",
            "bpf: WAITING: none",
        ] {
            assert!(!is_damage(line), "{line}");
        }
    }

    #[test]
    fn marks_in_front_are_told_from_text_in_brackets() {
        assert_eq!(without_marks("<4>[    1.5][   T66] text"), "text");
        assert_eq!(without_marks("[drm] text"), "[drm] text");
        assert_eq!(without_marks("[unclosed"), "[unclosed");
        assert_eq!(without_marks("<é> text"), "<é> text");
    }
}
