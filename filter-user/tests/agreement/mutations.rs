//! Frames as nobody sends them.

use std::env;

use fastrand::Rng;

/// The variable that has a run repeated.
const SEED: &str = "NAMEGATE_SEED";
/// The variable that says how many frames are made: emulated machines are slow.
const COUNT: &str = "NAMEGATE_MUTATED";
/// Octets at the edges of what fields may hold: label lengths, pointers, types of records and
/// handshakes.
const BYTES: [u8; 16] = [
    0, 1, 2, 3, 4, 5, 16, 22, 31, 32, 33, 63, 64, 0xc0, 0xfe, 0xff,
];
/// Frames do not grow beyond this.
const FRAME_BYTES: usize = 16_384;
/// Headers of Ethernet and IP, where a change leads somewhere else altogether.
const HEADERS: usize = 60;

/// The seed of this run: told by the variable, or random.
pub fn seed() -> u64 {
    let told = env::var(SEED)
        .ok()
        .map(|seed| seed.parse().expect("NAMEGATE_SEED is a number"));
    let seed = told.unwrap_or_else(|| fastrand::u64(..));
    println!("repeat with {SEED}={seed}");
    seed
}

/// How many frames are to be made: as the variable says, or this many.
pub fn count(usual: usize) -> usize {
    let told = env::var(COUNT)
        .ok()
        .map(|count| count.parse().expect("NAMEGATE_MUTATED is a number"));
    told.unwrap_or(usual)
}

/// So many frames, each made of one or two of these by a few changes.
pub fn mutated<'f>(
    frames: &'f [&'f [u8]],
    seed: u64,
    count: usize,
) -> impl Iterator<Item = Vec<u8>> + 'f {
    let mut random = Rng::with_seed(seed);
    (0..count).map(move |_| {
        let mut frame = one_of(frames, &mut random).to_vec();
        for _ in 0..random.usize(1..=4) {
            change(&mut frame, one_of(frames, &mut random), &mut random);
        }
        frame.truncate(FRAME_BYTES);
        frame
    })
}

fn one_of<'f>(frames: &[&'f [u8]], random: &mut Rng) -> &'f [u8] {
    frames[random.usize(..frames.len())]
}

fn change(frame: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    let at = place(frame.len(), random);
    match random.u8(..10) {
        0 | 1 => {
            let byte = frame.get(at).copied().unwrap_or_default();
            set(frame, at, &[byte ^ (1 << random.u8(..8))]);
        }
        2 | 3 => set(frame, at, &[BYTES[random.usize(..BYTES.len())]]),
        4 | 5 => {
            let left = frame.len() - at.min(frame.len());
            let length = [
                0,
                1,
                left,
                left.wrapping_sub(2),
                left + 1,
                0xffff,
                random.usize(..400),
            ][random.usize(..7)];
            set(frame, at, &(length as u16).to_be_bytes());
        }
        6 => frame.truncate(random.usize(14.min(frame.len())..=frame.len())),
        7 => frame.extend((0..random.usize(..600)).map(|_| BYTES[random.usize(..BYTES.len())])),
        8 => {
            let from = random.usize(..=other.len());
            frame.truncate(at);
            frame.extend(&other[from..]);
        }
        _ => {
            let bytes = random.usize(..=16);
            frame.splice(at..at, std::iter::repeat_with(|| random.u8(..)).take(bytes));
        }
    }
}

/// Somewhere in the frame, seldom in its headers.
fn place(len: usize, random: &mut Rng) -> usize {
    let from = if random.u8(..4) > 0 {
        HEADERS.min(len)
    } else {
        0
    };
    random.usize(from..=len)
}

fn set(frame: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, byte) in frame.iter_mut().skip(at).zip(bytes) {
        *to = *byte;
    }
}
