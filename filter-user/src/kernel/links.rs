//! Attachments of a program, and another program in its place.

use std::{
    io,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
};

use super::requirements;

/// An attachment to an interface. Where it is not pinned, it ends when this is dropped, and with
/// the process.
#[derive(Debug)]
pub(super) struct Link(OwnedFd);

impl From<OwnedFd> for Link {
    fn from(link: OwnedFd) -> Self {
        Self(link)
    }
}

impl Link {
    /// Attaches a program to the interface with this index. The flags say in which mode.
    pub fn new(program: BorrowedFd<'_>, interface: u32, flags: u32) -> io::Result<Self> {
        requirements::link(program, interface, flags).map(Self)
    }

    /// Puts another program in the place of the one that is attached.
    pub fn replace(&self, program: BorrowedFd<'_>) -> io::Result<()> {
        requirements::update_link(self.0.as_fd(), program)
    }

    /// The same; an interface that is gone needs none.
    pub fn update(&self, program: BorrowedFd<'_>) -> io::Result<()> {
        match self.replace(program) {
            Err(error) if error.raw_os_error() == Some(libc::ENOLINK) => Ok(()),
            updated => updated,
        }
    }

    /// Ends the attachment, also where others have it as well. An interface that is gone has none.
    pub fn detach(&self) -> io::Result<()> {
        match requirements::detach_link(self.0.as_fd()) {
            Err(error) if error.raw_os_error() == Some(libc::ENOLINK) => Ok(()),
            detached => detached,
        }
    }

    /// True if it is attached, in whichever network namespace the interface is: the interface is
    /// there, and nothing detached the link.
    pub fn is_attached(&self) -> io::Result<bool> {
        let info = requirements::link_info(self.0.as_fd())?;
        Ok(info.is_some_and(|info| info.interface != 0))
    }

    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Which of two programs an interface is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Old,
    New,
}

/// Has each of these run the new program. Where one of them does not, those before it run the old
/// one again.
///
/// # Errors
/// The one that did not, and why.
pub(super) fn update_all<T>(
    all: &[T],
    mut update: impl FnMut(&T, Side) -> io::Result<()>,
) -> Result<(), (&T, io::Error)> {
    for (place, one) in all.iter().enumerate() {
        if let Err(error) = update(one, Side::New) {
            for before in all.iter().take(place) {
                // The error that brought us here is the one to tell.
                let _ = update(before, Side::Old);
            }
            return Err((one, error));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_interface_refuses_those_before_it_run_the_old_program_again() {
        let mut calls = Vec::new();
        let updated = update_all(&[1, 2, 3, 4], |interface, side| {
            calls.push((*interface, side));
            if (*interface, side) == (3, Side::New) {
                Err(io::ErrorKind::OutOfMemory.into())
            } else {
                Ok(())
            }
        });
        assert!(matches!(updated, Err((3, error)) if error.kind() == io::ErrorKind::OutOfMemory));
        let [new, old] = [Side::New, Side::Old];
        assert_eq!(calls, [(1, new), (2, new), (3, new), (1, old), (2, old)]);
    }
}
