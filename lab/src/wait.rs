//! Waiting for something that another process does.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const INTERVAL: Duration = Duration::from_millis(20);

/// Asks `ready` again and again until it is true; an error where `limit` passes first. `what`
/// completes "waited for".
pub fn wait_until(
    what: &str,
    limit: Duration,
    mut ready: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + limit;
    while !ready()? {
        if Instant::now() >= deadline {
            bail!("waited {} s for {what}, in vain", limit.as_secs_f32());
        }
        thread::sleep(INTERVAL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_when_the_condition_holds() {
        let mut asked = 0;
        let outcome = wait_until("three questions", Duration::from_secs(10), || {
            asked += 1;
            Ok(asked == 3)
        });
        assert!(outcome.is_ok());
        assert_eq!(asked, 3);
    }

    #[test]
    fn waiting_in_vain_says_for_what() {
        let outcome = wait_until("rain", Duration::ZERO, || Ok(false));
        assert_eq!(
            outcome.map_err(|error| error.to_string()),
            Err("waited 0 s for rain, in vain".to_owned())
        );
    }
}
