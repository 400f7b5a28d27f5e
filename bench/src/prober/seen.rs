//! What the queries and answers of a prober say.

use std::time::Duration;

use super::NXDOMAIN;

/// What is not answered by then is lost.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A query that was sent, at a time from the start.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    pub at: Duration,
    pub new: bool,
}

/// An answer to the query with this number.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub query: usize,
    pub at: Duration,
    pub code: u8,
}

/// What became of the queries for names that are blocked all the time, and when the new name was
/// blocked.
#[derive(Debug, PartialEq)]
pub struct Seen {
    /// Without an answer in time.
    pub lost: usize,
    /// Answered as if the name were not blocked, or with an error.
    pub wrong: usize,
    /// The longest time without a right answer.
    pub gap: Duration,
    /// The longest time without a query, for which the prober itself was not run: a gap is this
    /// long at least.
    pub pause: Duration,
    /// When the new name was blocked first, from the start.
    pub in_force: Option<Duration>,
}

impl Seen {
    /// Of all queries in their order and all answers to them.
    pub fn of(queries: &[Query], answers: &[Answer]) -> Self {
        let in_time = |answer: &&Answer| {
            queries
                .get(answer.query)
                .is_some_and(|query| answer.at.saturating_sub(query.at) <= PATIENCE)
        };
        let of_new = |answer: &Answer| queries.get(answer.query).is_some_and(|query| query.new);
        let steady: Vec<&Answer> = answers
            .iter()
            .filter(|answer| !of_new(answer))
            .filter(in_time)
            .collect();
        let right = steady.iter().filter(|answer| answer.code == NXDOMAIN);
        let ends = [queries.first(), queries.last()]
            .map(|query| query.map(|query| query.at).unwrap_or_default());
        let asked = queries.iter().filter(|query| !query.new).count();
        Self {
            lost: asked.saturating_sub(steady.len()),
            wrong: steady
                .iter()
                .filter(|answer| answer.code != NXDOMAIN)
                .count(),
            gap: longest_between(right.map(|answer| answer.at).chain(ends)),
            pause: longest_between(queries.iter().map(|query| query.at)),
            in_force: answers
                .iter()
                .find(|answer| of_new(answer) && answer.code == NXDOMAIN)
                .map(|answer| answer.at),
        }
    }
}

fn longest_between(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.into_iter().collect();
    times.sort();
    times
        .windows(2)
        .map(|two| two[1].saturating_sub(two[0]))
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn queries(count: u64) -> Vec<Query> {
        (0..count)
            .map(|number| Query {
                at: MS(number),
                new: number == 0,
            })
            .collect()
    }

    fn right(query: usize, at: u64) -> Answer {
        Answer {
            query,
            at: MS(at),
            code: NXDOMAIN,
        }
    }

    #[test]
    fn where_all_is_answered_nothing_is_lost_or_wrong() {
        let answers: Vec<_> = (0..10).map(|number| right(number, number as u64)).collect();
        let seen = Seen::of(&queries(10), &answers);
        assert_eq!(
            seen,
            Seen {
                lost: 0,
                wrong: 0,
                gap: MS(1),
                pause: MS(1),
                in_force: Some(MS(0))
            }
        );
    }

    #[test]
    fn what_is_not_answered_is_lost_and_leaves_a_gap() {
        let answers: Vec<_> = [1, 2, 3, 8, 9]
            .map(|number| right(number, number as u64))
            .into();
        let seen = Seen::of(&queries(10), &answers);
        assert_eq!(
            seen,
            Seen {
                lost: 4,
                wrong: 0,
                gap: MS(5),
                pause: MS(1),
                in_force: None
            }
        );
    }

    #[test]
    fn an_answer_that_does_not_block_is_wrong_and_closes_no_gap() {
        let mut answers: Vec<_> = (1..10).map(|number| right(number, number as u64)).collect();
        answers[4].code = 0;
        let seen = Seen::of(&queries(10), &answers);
        assert_eq!((seen.lost, seen.wrong, seen.gap), (0, 1, MS(2)));
    }

    #[test]
    fn an_answer_in_time_is_none_a_moment_later() {
        let patience = PATIENCE.as_millis() as u64;
        assert_eq!(Seen::of(&queries(2), &[right(1, 1 + patience)]).lost, 0);
        assert_eq!(Seen::of(&queries(2), &[right(1, 2 + patience)]).lost, 1);
    }

    #[test]
    fn the_new_name_counts_once_it_is_blocked() {
        let passed = Answer {
            code: 0,
            ..right(0, 3)
        };
        assert_eq!(Seen::of(&queries(1), &[passed]).in_force, None);
        assert_eq!(
            Seen::of(&queries(1), &[passed, right(0, 4)]).in_force,
            Some(MS(4))
        );
    }
}
