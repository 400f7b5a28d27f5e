//! The numbers of lists in the kernel.

use filter_core::{DnsAction, ListName};

/// Numbers that lists have, from 1 on.
const MOST: u16 = ListName::BY_HAND - 1;

/// The lists that rules in the kernel are of, each with what these say themselves of the answer. The number of the first
/// is 1.
#[derive(Debug, Default)]
pub(super) struct ListNumbers(Vec<(usize, Option<DnsAction>)>);

impl ListNumbers {
    /// The numbers of these, in their order.
    pub fn of(lists: Vec<(usize, Option<DnsAction>)>) -> Self {
        Self(lists)
    }

    /// Number of rules of the list at this place with this answer; 0 if there are more than have one.
    pub fn number(&mut self, list: usize, answer: Option<DnsAction>) -> u16 {
        // Lists come one after the other, so it is among the last.
        let known = self.0.iter().rposition(|known| *known == (list, answer));
        let place = known.unwrap_or_else(|| {
            self.0.push((list, answer));
            self.0.len() - 1
        });
        u16::try_from(place + 1).ok().filter(|number| *number <= MOST).unwrap_or_default()
    }

    /// The lists in the order of their numbers, those without one behind.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Option<DnsAction>)> {
        self.0.iter().copied()
    }

    /// Those that have a number, in the order of these.
    pub fn numbered(&self) -> &[(usize, Option<DnsAction>)] {
        self.0.get(..MOST.into()).unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_number_for_each_answer_and_only_so_many_have_one() {
        let mut numbers = ListNumbers::default();
        assert_eq!(numbers.number(0, None), 1);
        assert_eq!(numbers.number(0, Some(DnsAction::NoData)), 2);
        assert_eq!(numbers.number(1, None), 3);
        assert_eq!(numbers.number(0, Some(DnsAction::NoData)), 2);
        assert_eq!((2..2000).map(|list| numbers.number(list, None)).max(), Some(510));
        assert_eq!(numbers.number(1999, None), 0);
        assert_eq!((numbers.numbered().len(), numbers.numbered().last()), (510, Some(&(508, None))));
    }
}
