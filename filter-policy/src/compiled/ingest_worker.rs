//! The way of rules for names from the lists to where they are kept.

use std::{
    mem,
    num::NonZero,
    panic,
    sync::mpsc::{self, SyncSender},
    thread::{self, JoinHandle},
};

use filter_core::HashKey;
use filter_lists::TooManyNames;

use super::staged::{Arrival, StagedRules};

/// Takes rules for names. Those of long lists are hashed and kept by a thread of its own, while the
/// next ones are read.
pub(super) struct IngestWorker {
    hash_key: HashKey,
    batch: Batch,
    kept: Kept,
}

/// Where rules are kept.
enum Kept {
    Here(StagedRules),
    Apart(Worker),
}

/// Rules that are handed over together.
#[derive(Default)]
struct Batch {
    /// The names, one behind the other.
    names: Vec<u8>,
    rules: Vec<Waiting>,
}

/// A rule in a batch.
struct Waiting {
    /// Bytes of its name.
    len: u8,
    /// True if it is about names below.
    covers: bool,
    origin: u32,
    line: u32,
}

struct Worker {
    batches: SyncSender<Batch>,
    thread: JoinHandle<Result<StagedRules, TooManyNames>>,
}

impl IngestWorker {
    /// Rules of a batch.
    const AT_ONCE: usize = 1024;

    /// No rules yet; names get their keys with this one.
    pub fn new(hash_key: HashKey) -> Self {
        Self {
            hash_key,
            batch: Batch::default(),
            kept: Kept::Here(StagedRules::default()),
        }
    }

    /// Adds a rule for a canonical name, or for those below as well (`covers`). That there is no
    /// room may show some rules later.
    pub fn push(
        &mut self,
        name: &str,
        covers: bool,
        origin: u32,
        line: u32,
    ) -> Result<(), TooManyNames> {
        let len = u8::try_from(name.len()).map_err(|_| TooManyNames)?;
        self.batch.names.extend_from_slice(name.as_bytes());
        self.batch.rules.push(Waiting {
            len,
            covers,
            origin,
            line,
        });
        if self.batch.rules.len() < Self::AT_ONCE {
            Ok(())
        } else {
            self.hand_over()
        }
    }

    /// All rules, in the order in which they came.
    pub fn finish(mut self) -> Result<StagedRules, TooManyNames> {
        match self.kept {
            Kept::Here(mut staged) => self
                .batch
                .enter(&self.hash_key, &mut staged)
                .map(|()| staged),
            Kept::Apart(Worker { batches, thread }) => {
                // If this fails, the thread has ended, and says why.
                let _ = batches.send(mem::take(&mut self.batch));
                drop(batches);
                thread
                    .join()
                    .unwrap_or_else(|panic| panic::resume_unwind(panic))
            }
        }
    }

    fn hand_over(&mut self) -> Result<(), TooManyNames> {
        let batch = mem::take(&mut self.batch);
        if let Kept::Here(staged) = &mut self.kept {
            if thread::available_parallelism().map_or(1, NonZero::get) == 1 {
                return batch.enter(&self.hash_key, staged);
            }
            self.kept = Kept::Apart(Worker::start(self.hash_key, mem::take(staged)));
        }
        match &self.kept {
            Kept::Here(_) => Ok(()),
            Kept::Apart(worker) => worker.batches.send(batch).map_err(|_| TooManyNames),
        }
    }
}

impl Batch {
    fn enter(self, hash_key: &HashKey, staged: &mut StagedRules) -> Result<(), TooManyNames> {
        let mut names = &*self.names;
        for Waiting {
            len,
            covers,
            origin,
            line,
        } in self.rules
        {
            let name;
            (name, names) = names.split_at_checked(usize::from(len)).unwrap_or_default();
            let arrival = Arrival {
                key: hash_key.key_of_octets(name),
                name,
                origin,
                line,
            };
            if covers {
                staged.push_covering(arrival)?;
            } else {
                staged.push(arrival)?;
            }
        }
        Ok(())
    }
}

impl Worker {
    /// Batches that may wait: then reading waits as well.
    const AHEAD: usize = 8;

    fn start(hash_key: HashKey, mut staged: StagedRules) -> Self {
        let (batches, waiting) = mpsc::sync_channel::<Batch>(Self::AHEAD);
        let thread = thread::spawn(move || {
            waiting
                .into_iter()
                .try_for_each(|batch| batch.enter(&hash_key, &mut staged))?;
            Ok(staged)
        });
        Self { batches, thread }
    }
}
