//! Which programs are loaded: those that an attached mode and the policy in force need, and no others.

use std::{panic::resume_unwind, path::PathBuf, thread};

use aya::{
    Ebpf,
    maps::ProgramArray,
    programs::{ProgramError, ProgramFd, Xdp},
};
use filter_core::{Program, ProgramSet};

use super::{KernelError, map_mut, program, requirements};

/// The programs that are loaded.
#[derive(Debug)]
pub(super) struct Programs {
    /// Where the verifier's log goes if the kernel refuses a program.
    logs: Option<PathBuf>,
    sets: Vec<ProgramSet>,
    /// True if blocked packets may be answered, which takes a program of each set.
    answers: bool,
}

impl Programs {
    /// None yet.
    pub fn new(logs: Option<PathBuf>) -> Self {
        Self { logs, sets: Vec::new(), answers: false }
    }

    /// Loads the same programs of another object.
    pub fn load_again(&self, object: &mut Ebpf) -> Result<Self, KernelError> {
        Self::new(self.logs.clone()).load_missing(object, &self.sets, self.answers)?;
        Ok(Self { logs: self.logs.clone(), sets: self.sets.clone(), answers: self.answers })
    }

    /// Loads a set, unless it is loaded.
    pub fn load(&mut self, object: &mut Ebpf, set: ProgramSet) -> Result<(), KernelError> {
        if !self.sets.contains(&set) {
            self.load_missing(object, &[set], self.answers)?;
            self.sets.push(set);
        }
        Ok(())
    }

    /// Loads the programs that answer, unless they are loaded.
    pub fn load_answers(&mut self, object: &mut Ebpf) -> Result<(), KernelError> {
        if !self.answers {
            self.load_missing(object, &self.sets, true)?;
            self.answers = true;
        }
        Ok(())
    }

    /// The names of those that are loaded.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.sets.iter().flat_map(|set| names(*set, self.answers))
    }

    /// Has the kernel verify what is not loaded of these sets, all at once, since this takes most of a start; then each
    /// program finds those that it continues with.
    fn load_missing(&self, object: &mut Ebpf, sets: &[ProgramSet], answers: bool) -> Result<(), KernelError> {
        let loaded: Vec<_> = self.names().collect();
        let missing: Vec<_> = sets.iter().flat_map(|set| names(*set, answers)).collect();
        let is_missing = |name: &str| missing.contains(&name) && !loaded.contains(&name);
        let verified: Result<(), (String, ProgramError)> = thread::scope(|scope| {
            let programs = object.programs_mut().filter(|(name, _)| is_missing(name));
            let loads: Vec<_> = programs
                .map(|(name, program)| scope.spawn(move || verify(program).map_err(|error| (name.to_owned(), error))))
                .collect();
            loads.into_iter().try_for_each(|load| load.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        verified.map_err(|(name, error)| requirements::explain_program(&name, error, self.logs.as_deref()))?;
        sets.iter().try_for_each(|set| connect(object, *set, answers))
    }
}

fn verify(program: &mut aya::programs::Program) -> Result<(), ProgramError> {
    let program: &mut Xdp = program.try_into()?;
    program.load()
}

/// Fills the map of the programs that the entry of the set continues with.
fn connect(object: &mut Ebpf, set: ProgramSet, answers: bool) -> Result<(), KernelError> {
    let needed = set.programs.iter().filter(|(place, _)| answers || *place != Program::Answer);
    let loaded: Vec<_> =
        needed.map(|(place, name)| Ok((*place, descriptor(object, name)?))).collect::<Result<_, KernelError>>()?;
    let mut map = ProgramArray::try_from(map_mut(object, set.map)?)?;
    loaded.iter().try_for_each(|(place, fd)| Ok(map.set(*place as u32, fd, 0)?))
}

/// A descriptor of a program that is loaded.
pub(super) fn descriptor(object: &mut Ebpf, name: &'static str) -> Result<ProgramFd, KernelError> {
    let fd = program(object, name)?.fd()?;
    fd.try_clone().map_err(|error| KernelError::Read { path: "program descriptor".to_owned(), error })
}

fn names(set: ProgramSet, answers: bool) -> impl Iterator<Item = &'static str> {
    let needed = set.programs.iter().filter(move |(place, _)| answers || *place != Program::Answer);
    needed.map(|(_, name)| *name).chain([set.entry])
}
