//! Results of subprograms as numbers: a BPF function gives nothing else back.

use crate::{
    abi::Precedence,
    bounds::opaque,
    decide::SegmentKind,
    flows::Way,
    name::NameEnd,
    reason::Reason,
    tls::{HandshakeBytes, HelloEnd},
};

/// Given back in place of a result by a function that could not run, since it got no pointer where
/// it needs one. The verifier lets no program call a function so. No result has this number.
pub const NOT_RUN: u32 = u32::MAX;

/// A result of a subprogram.
pub trait ReturnCode {
    /// An integer.
    type Code: From<u32>;

    /// Its number, which is not [`NOT_RUN`].
    fn code(self) -> Self::Code;

    /// The result with this number. For [`NOT_RUN`], and numbers that no result has, the one with
    /// which the packet passes; where there is a reason in it, that is [`Reason::InternalFailure`].
    fn from_code(code: Self::Code) -> Self;
}

/// Above the number of each reason: what stands in place of a reason, or beside one.
const BESIDE_REASON: u32 = 1 << 16;

impl ReturnCode for () {
    type Code = u32;

    #[inline(always)]
    fn code(self) -> Self::Code {
        0
    }

    #[inline(always)]
    fn from_code(_: Self::Code) -> Self {}
}

impl ReturnCode for bool {
    type Code = u32;

    #[inline(always)]
    fn code(self) -> Self::Code {
        self.into()
    }

    #[inline(always)]
    fn from_code(code: Self::Code) -> Self {
        code == 1
    }
}

impl ReturnCode for Reason {
    type Code = u32;

    #[inline(always)]
    fn code(self) -> Self::Code {
        self.index()
    }

    #[inline(always)]
    fn from_code(code: Self::Code) -> Self {
        Self::ALL
            .get(opaque(code as usize))
            .copied()
            .unwrap_or(Self::InternalFailure)
    }
}

/// Without a reason, judging goes on.
impl ReturnCode for Option<Reason> {
    type Code = u32;

    #[inline(always)]
    fn code(self) -> Self::Code {
        self.map_or(BESIDE_REASON, Reason::index)
    }

    #[inline(always)]
    fn from_code(code: Self::Code) -> Self {
        if code == BESIDE_REASON {
            None
        } else {
            Some(Reason::from_code(code))
        }
    }
}

impl ReturnCode for Result<(), Reason> {
    type Code = u32;

    #[inline(always)]
    fn code(self) -> Self::Code {
        self.err().code()
    }

    #[inline(always)]
    fn from_code(code: Self::Code) -> Self {
        Option::from_code(code).map_or(Ok(()), Err)
    }
}

impl ReturnCode for Result<SegmentKind, Reason> {
    type Code = u32;

    #[inline(always)]
    fn code(self) -> Self::Code {
        match self {
            Ok(taken) => BESIDE_REASON + taken as u32,
            Err(reason) => reason.index(),
        }
    }

    #[inline(always)]
    fn from_code(code: Self::Code) -> Self {
        const WHOLE_HELLO: u32 = BESIDE_REASON + SegmentKind::WholeHello as u32;
        const TO_HOLD: u32 = BESIDE_REASON + SegmentKind::ToHold as u32;
        const EMPTY: u32 = BESIDE_REASON + SegmentKind::Empty as u32;

        match code {
            WHOLE_HELLO => Ok(SegmentKind::WholeHello),
            TO_HOLD => Ok(SegmentKind::ToHold),
            EMPTY => Ok(SegmentKind::Empty),
            code => Err(Reason::from_code(code)),
        }
    }
}

impl ReturnCode for HelloEnd {
    type Code = u32;

    #[inline(always)]
    fn code(self) -> Self::Code {
        self.reason.index() | if self.goes_on { BESIDE_REASON } else { 0 }
    }

    #[inline(always)]
    fn from_code(code: Self::Code) -> Self {
        Self {
            reason: Reason::from_code(code & !BESIDE_REASON),
            goes_on: code & BESIDE_REASON != 0,
        }
    }
}

/// Results that are one number each, in which there is room for what is none.
macro_rules! numbers {
    ($($result:ident)+) => {$(
        impl ReturnCode for $result {
            type Code = u32;

            #[inline(always)]
            fn code(self) -> Self::Code {
                self.0
            }

            #[inline(always)]
            fn from_code(code: Self::Code) -> Self {
                Self(code)
            }
        }
    )+};
}

impl ReturnCode for Precedence {
    type Code = u32;

    #[inline(always)]
    fn code(self) -> u32 {
        self as u32
    }

    #[inline(always)]
    fn from_code(code: u32) -> Self {
        Self::from_index(code)
    }
}

/// Numbers that are few, and hashes, of which one in 2^64 is [`NOT_RUN`].
macro_rules! integers {
    ($($integer:ident)+) => {$(
        impl ReturnCode for $integer {
            type Code = Self;

            #[inline(always)]
            fn code(self) -> Self {
                self
            }

            #[inline(always)]
            fn from_code(code: Self) -> Self {
                code
            }
        }
    )+};
}

integers! { u32 u64 }
numbers! { NameEnd HandshakeBytes Way }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{buffer::MessageBuffer, flows::WAYS, name::NameError};

    /// Each value comes back as it was, and none has the number of what could not run.
    fn come_back<T: ReturnCode<Code = u32> + Clone + PartialEq + std::fmt::Debug>(
        values: impl IntoIterator<Item = T>,
    ) {
        for value in values {
            let code = value.clone().code();
            assert_ne!(code, NOT_RUN, "{value:?}");
            assert_eq!(T::from_code(code), value);
        }
    }

    fn reasons() -> impl Iterator<Item = Reason> {
        Reason::ALL.iter().copied()
    }

    #[test]
    fn results_come_back_as_they_were_and_none_is_taken_for_what_could_not_run() {
        come_back([()]);
        come_back([false, true]);
        come_back(reasons());
        come_back((0..=5).map(Precedence::from_index));
        come_back(reasons().map(Some).chain([None]));
        come_back(reasons().map(Err).chain([Ok(())]));
        come_back(
            reasons().map(Err).chain(
                [
                    SegmentKind::WholeHello,
                    SegmentKind::ToHold,
                    SegmentKind::Empty,
                ]
                .map(Ok),
            ),
        );
        come_back(
            reasons().flat_map(|reason| [false, true].map(|goes_on| HelloEnd { reason, goes_on })),
        );
        come_back((0..=WAYS).map(Way));
        come_back(
            (0..=MessageBuffer::LEN)
                .map(HandshakeBytes)
                .chain([HandshakeBytes::OTHER]),
        );
        let errors = NameError::ALL.map(|error| NameEnd::of(Err(error)));
        come_back((0..=0xffff).map(|end| NameEnd::of(Ok(end))).chain(errors));
    }

    #[test]
    fn what_could_not_run_and_unknown_numbers_are_failures_of_the_filter() {
        let unknown = (Reason::ALL.len() as u32..BESIDE_REASON).chain([NOT_RUN - 1, NOT_RUN]);
        for code in unknown {
            assert_eq!(Reason::from_code(code), Reason::InternalFailure, "{code}");
            assert_eq!(
                Option::from_code(code),
                Some(Reason::InternalFailure),
                "{code}"
            );
            assert_eq!(
                Result::<(), _>::from_code(code),
                Err(Reason::InternalFailure),
                "{code}"
            );
            assert_eq!(
                Result::<SegmentKind, _>::from_code(code),
                Err(Reason::InternalFailure),
                "{code}"
            );
            assert_eq!(
                HelloEnd::from_code(code).reason,
                Reason::InternalFailure,
                "{code}"
            );
            assert!(!bool::from_code(code));
        }
        assert_eq!(Way::from_code(NOT_RUN).index(), None);
        assert_eq!(HandshakeBytes::from_code(NOT_RUN).octets(), None);
        assert_eq!(
            NameEnd::from_code(NOT_RUN).result(),
            Err(NameError::NotRead)
        );
    }
}
