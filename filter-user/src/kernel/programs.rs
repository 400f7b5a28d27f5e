//! Which programs are loaded: those that an attached mode and the policy in force need, and no
//! others.

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
    in_use: InUse,
}

/// What takes a program of each set, which is loaded where it is in use only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InUse {
    /// Blocked packets may be answered.
    pub answers: bool,
    /// QUIC is inspected.
    pub quic: bool,
}

impl InUse {
    /// All there are.
    pub const ALL: Self = Self {
        answers: true,
        quic: true,
    };

    fn or(self, other: Self) -> Self {
        Self {
            answers: self.answers || other.answers,
            quic: self.quic || other.quic,
        }
    }

    fn need(self, program: Program) -> bool {
        match program {
            Program::Answer => self.answers,
            Program::Quic => self.quic,
            Program::Layers | Program::Messages | Program::Segment => true,
        }
    }
}

impl Programs {
    /// None yet.
    pub fn new(logs: Option<PathBuf>) -> Self {
        Self {
            logs,
            sets: Vec::new(),
            in_use: InUse::default(),
        }
    }

    /// Loads the same programs of another object.
    pub fn load_again(&self, object: &mut Ebpf) -> Result<Self, KernelError> {
        Self::new(self.logs.clone()).load_missing(object, &self.sets, self.in_use)?;
        Ok(Self {
            logs: self.logs.clone(),
            sets: self.sets.clone(),
            in_use: self.in_use,
        })
    }

    /// Loads a set, unless it is loaded.
    pub fn load(&mut self, object: &mut Ebpf, set: ProgramSet) -> Result<(), KernelError> {
        if !self.sets.contains(&set) {
            self.load_missing(object, &[set], self.in_use)?;
            self.sets.push(set);
        }
        Ok(())
    }

    /// Loads the programs that these features need, unless they are loaded.
    pub fn load_for(&mut self, object: &mut Ebpf, in_use: InUse) -> Result<(), KernelError> {
        let in_use = self.in_use.or(in_use);
        if in_use != self.in_use {
            self.load_missing(object, &self.sets, in_use)?;
            self.in_use = in_use;
        }
        Ok(())
    }

    /// The names of those that are loaded and may be attached.
    pub fn entries(&self) -> impl Iterator<Item = &'static str> {
        self.sets.iter().map(|set| set.entry)
    }

    /// The names of those that are loaded.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.sets.iter().flat_map(|set| names(*set, self.in_use))
    }

    /// Has the kernel verify what is not loaded of these sets, all at once, since this takes most
    /// of a start; then each program finds those that it continues with.
    fn load_missing(
        &self,
        object: &mut Ebpf,
        sets: &[ProgramSet],
        in_use: InUse,
    ) -> Result<(), KernelError> {
        let loaded: Vec<_> = self.names().collect();
        let missing: Vec<_> = sets.iter().flat_map(|set| names(*set, in_use)).collect();
        let is_missing = |name: &str| missing.contains(&name) && !loaded.contains(&name);
        let verified: Result<(), (String, ProgramError)> = thread::scope(|scope| {
            let programs = object.programs_mut().filter(|(name, _)| is_missing(name));
            let loads: Vec<_> = programs
                .map(|(name, program)| {
                    scope.spawn(move || verify(program).map_err(|error| (name.to_owned(), error)))
                })
                .collect();
            loads
                .into_iter()
                .try_for_each(|load| load.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        verified.map_err(|(name, error)| {
            requirements::explain_program(&name, error, self.logs.as_deref())
        })?;
        sets.iter()
            .try_for_each(|set| connect(object, *set, in_use))
    }
}

fn verify(program: &mut aya::programs::Program) -> Result<(), ProgramError> {
    let program: &mut Xdp = program.try_into()?;
    program.load()
}

/// Fills the map of the programs that the entry of the set continues with.
fn connect(object: &mut Ebpf, set: ProgramSet, in_use: InUse) -> Result<(), KernelError> {
    let needed = set.programs.iter().filter(|(place, _)| in_use.need(*place));
    let loaded: Vec<_> = needed
        .map(|(place, name)| Ok((*place, descriptor(object, name)?)))
        .collect::<Result<_, KernelError>>()?;
    let mut map = ProgramArray::try_from(map_mut(object, set.map)?)?;
    loaded
        .iter()
        .try_for_each(|(place, fd)| Ok(map.set(*place as u32, fd, 0)?))
}

/// A descriptor of a program that is loaded.
pub(super) fn descriptor(object: &mut Ebpf, name: &'static str) -> Result<ProgramFd, KernelError> {
    let fd = program(object, name)?.fd()?;
    fd.try_clone().map_err(|error| KernelError::Read {
        path: "program descriptor".to_owned(),
        error,
    })
}

fn names(set: ProgramSet, in_use: InUse) -> impl Iterator<Item = &'static str> {
    let needed = set
        .programs
        .iter()
        .filter(move |(place, _)| in_use.need(*place));
    needed.map(|(_, name)| *name).chain([set.entry])
}
