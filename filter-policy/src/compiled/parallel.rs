//! Work that is divided among the processor's cores.

use std::{
    num::NonZero,
    panic,
    sync::{Mutex, PoisonError},
    thread,
};

/// What the work makes of each job, in the order of the jobs. They are begun in this order as well,
/// and each belongs to the work that does it: what it has in memory may be given back on the way.
pub(super) fn each<J: Send, R: Send>(jobs: Vec<J>, work: impl Fn(J) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(jobs.len());
    if threads <= 1 {
        return jobs.into_iter().map(work).collect();
    }
    let jobs = Mutex::new((0..).zip(jobs));
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || {
        let done = std::iter::from_fn(next).map(|(place, job)| (place, work(job)));
        done.collect::<Vec<(usize, R)>>()
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let done = workers.into_iter().map(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| panic::resume_unwind(panic))
        });
        done.flatten().collect()
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_the_jobs_comes_in_their_order() {
        for count in [0, 1, 2, 100] {
            let done = each((0..count).collect(), |job: u32| job * 3);
            assert_eq!(done, (0..count).map(|job| job * 3).collect::<Vec<_>>());
        }
    }
}
