//! How much is measured.

/// How often, and over how much.
pub struct Plan {
    /// Numbers of rules, the largest last.
    pub rules: &'static [usize],
    /// Numbers of patterns, the largest last, each beside [`Plan::RULES_BESIDE_PATTERNS`].
    pub patterns: &'static [usize],
    /// Batches of each row; its value is their median.
    pub batches: usize,
    /// Runs of one packet in a batch, where the kernel repeats it.
    pub warm_runs: u32,
    /// Different packets in a batch. Twice as many as flows are held at least: a DNS stream of the
    /// batch before has then lost its place, and its query is a new one.
    pub packets: usize,
    /// Frames that go over a veth in a round.
    pub live_frames: u32,
    /// Times that the list is loaded, and rounds of asking.
    pub loads: usize,
    /// Hellos in two segments that a flood has.
    pub hellos: u32,
    /// Hellos of each other client beside a flood.
    pub hellos_of_others: u32,
}

impl Plan {
    /// None, as many as a household's lists have, and as many as several lists of patterns have
    /// together.
    const PATTERNS: &[usize] = &[0, 100, 600];

    /// Rules of one short list: how it is with more is compared with these.
    pub const FEW_RULES: usize = 1_000;

    /// Passes over the packets in a batch, where they are fed.
    pub const PASSES: usize = 5;

    /// Names that are blocked beside the patterns: both are looked at for a query.
    pub const RULES_BESIDE_PATTERNS: usize = 100_000;

    /// What the documents show.
    pub fn full() -> Self {
        Self {
            rules: &[0, Self::FEW_RULES, 100_000, 1_000_000],
            patterns: Self::PATTERNS,
            batches: 21,
            warm_runs: 200_000,
            packets: 10_000,
            live_frames: 2_000_000,
            loads: 5,
            hellos: 3_000_000,
            hellos_of_others: 50,
        }
    }

    /// For a first look.
    pub fn quick() -> Self {
        let rules = &[0, Self::FEW_RULES, 100_000];
        Self {
            rules,
            patterns: Self::PATTERNS,
            batches: 7,
            warm_runs: 50_000,
            packets: 2_000,
            live_frames: 200_000,
            loads: 1,
            hellos: 200_000,
            hellos_of_others: 10,
        }
    }

    /// Rules of the largest filter.
    pub fn most_rules(&self) -> usize {
        self.rules.last().copied().unwrap_or_default()
    }

    /// Patterns of the largest policy with patterns.
    pub fn most_patterns(&self) -> usize {
        self.patterns.last().copied().unwrap_or_default()
    }
}
