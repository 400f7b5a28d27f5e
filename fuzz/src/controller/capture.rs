//! What holds of any file as a capture.

use filter_user::replay::Capture;

use super::with_file;

/// Bytes that a frame takes in a capture at least: the header of a record of pcap.
const RECORD: usize = 16;

/// Reads all frames of the file.
///
/// # Panics
/// If there are more frames or bytes than the file can have.
pub fn check(bytes: &[u8]) {
    // What is packed has as many as anybody likes.
    if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5\x2f\xfd") {
        return;
    }
    with_file(bytes, |path| {
        let mut progress = |_| {};
        let Ok(mut capture) = Capture::open(path, &mut progress) else {
            return;
        };
        let (mut frames, mut octets) = (0_usize, 0);
        while let Ok(Some(frame)) = capture.next_frame() {
            frames += 1;
            assert!(frame.number >= frames as u64, "frames are numbered on");
            octets += frame.bytes.len();
        }
        assert!(
            frames * RECORD <= bytes.len(),
            "{frames} frames in {} bytes",
            bytes.len()
        );
        // A header of Ethernet may be put before what has none.
        assert!(
            octets <= bytes.len() + frames * RECORD,
            "{octets} octets in {} bytes",
            bytes.len()
        );
    });
}
