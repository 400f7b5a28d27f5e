//! The numbers of lists in the kernel.

use filter_core::{DnsAction, ListName};

/// Lists that have a number.
const MOST: usize = (u16::MAX - ListName::FIRST) as usize + 1;

/// The lists that rules in the kernel are of, each with what these say themselves of the answer.
/// The number of the first is [`ListName::FIRST`].
#[derive(Debug, Default)]
pub(super) struct ListNumbers(Vec<(usize, Option<DnsAction>)>);

impl ListNumbers {
    /// The numbers of these, in their order.
    pub fn of(lists: Vec<(usize, Option<DnsAction>)>) -> Self {
        Self(lists)
    }

    /// Number of rules of the list at this place with this answer; 0 if there are more than have
    /// one.
    pub fn number(&mut self, list: usize, answer: Option<DnsAction>) -> u16 {
        // Lists come one after the other, so it is among the last.
        let known = self.0.iter().rposition(|known| *known == (list, answer));
        let place = known.unwrap_or_else(|| {
            self.0.push((list, answer));
            self.0.len() - 1
        });
        u16::try_from(place + usize::from(ListName::FIRST)).unwrap_or_default()
    }

    /// The lists in the order of their numbers, those without one behind.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Option<DnsAction>)> {
        self.0.iter().copied()
    }

    /// Those that have a number, in the order of these.
    pub fn numbered(&self) -> &[(usize, Option<DnsAction>)] {
        self.0.get(..MOST).unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_number_for_each_answer_and_only_so_many_have_one() {
        let mut numbers = ListNumbers::default();
        assert_eq!(numbers.number(0, None), 2);
        assert_eq!(numbers.number(0, Some(DnsAction::NoData)), 3);
        assert_eq!(numbers.number(1, None), 4);
        assert_eq!(numbers.number(0, Some(DnsAction::NoData)), 3);
        let mut full = ListNumbers::of((0..MOST - 1).map(|list| (list, None)).collect());
        assert_eq!(
            (full.number(MOST, None), full.number(MOST + 1, None)),
            (u16::MAX, 0)
        );
        assert_eq!(
            (full.numbered().len(), full.numbered().last()),
            (65_534, Some(&(MOST, None)))
        );
    }
}
