//! The times of a week, as `mon-fri 08:00-13:00`.

use std::ops::Range;

use jiff::civil::{DateTime, Weekday};

use super::error::shown;

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// Minutes of a week.
const WEEK: u16 = 7 * DAY;

/// Times of a week, to the minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Week {
    /// Minutes since the start of Monday, in order, with gaps between them.
    on: Vec<Range<u16>>,
}

/// Why a text is no times of a week.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimesError {
    /// It is not days and a range.
    #[error("`{}` are no times: write days and a range, as in \"mon-fri 08:00-13:00\"", shown(.0))]
    Shape(String),
    /// The first word is no days.
    #[error(
        "`{}` is no day: write mon, tue, wed, thu, fri, sat or sun, as in \"mon-fri\" or \"sat,sun\", or \"daily\"",
        shown(.0)
    )]
    Day(String),
    /// A range of days from a day to itself.
    #[error("`{}` starts and ends on one day: write the day alone, or \"daily\" for all", shown(.0))]
    OneDay(String),
    /// A time of day is none.
    #[error(
        "`{}` is no time of day: write hour and minute with two digits each, from 00:00 to 23:59, or 24:00 as the end \
         of a range",
        shown(.0)
    )]
    Clock(String),
    /// A range ends when it starts.
    #[error("`{}` never ends, or never starts: write 00:00-24:00 for the whole day", shown(.0))]
    Endless(String),
}

impl Week {
    /// The times that any of `texts` has.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, (usize, TimesError)> {
        let mut ranges = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            add_times(text, &mut ranges).map_err(|error| (index, error))?;
        }
        Ok(Self { on: joined(ranges) })
    }

    /// Is the minute of this local time among them?
    pub fn has(&self, local: DateTime) -> bool {
        let day = local.weekday().to_monday_zero_offset().unsigned_abs();
        let minute = u16::from(day) * DAY
            + u16::from(local.hour().unsigned_abs()) * 60
            + u16::from(local.minute().unsigned_abs());
        let after = self.on.partition_point(|range| range.start <= minute);
        after
            .checked_sub(1)
            .is_some_and(|last| self.on[last].contains(&minute))
    }
}

fn add_times(text: &str, ranges: &mut Vec<Range<u16>>) -> Result<(), TimesError> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [days, times] = words[..] else {
        return Err(TimesError::Shape(text.into()));
    };
    let Range { start, end } = times_of_day(times)?;
    let end = if end > start { end } else { DAY + end };
    for day in days_of_week(days)? {
        let midnight = u16::from(day.to_monday_zero_offset().unsigned_abs()) * DAY;
        ranges.push(midnight + start..(midnight + end).min(WEEK));
        ranges.push(0..(midnight + end).saturating_sub(WEEK));
    }
    Ok(())
}

fn times_of_day(text: &str) -> Result<Range<u16>, TimesError> {
    let (start, end) = text
        .split_once('-')
        .ok_or_else(|| TimesError::Shape(text.into()))?;
    let of = |word: &str, last| {
        minute_of_day(word)
            .filter(|minute| *minute <= last)
            .ok_or_else(|| TimesError::Clock(word.into()))
    };
    let (start, end) = (of(start, DAY - 1)?, of(end, DAY)?);
    if start == end {
        Err(TimesError::Endless(text.into()))
    } else {
        Ok(start..end)
    }
}

fn minute_of_day(text: &str) -> Option<u16> {
    let &[a, b, b':', c, d] = text.as_bytes() else {
        return None;
    };
    let number = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    let (hour, minute) = (number(a, b)?, number(c, d)?);
    (minute < 60).then_some(hour * 60 + minute)
}

fn days_of_week(text: &str) -> Result<Vec<Weekday>, TimesError> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok(Weekday::Monday.cycle_forward().take(7).collect());
    }
    let mut days = Vec::new();
    for word in text.split(',') {
        let (first, last) = word
            .split_once('-')
            .map_or((word, None), |(first, last)| (first, Some(last)));
        let first = weekday(first)?;
        let last = last.map(weekday).transpose()?;
        if last == Some(first) {
            return Err(TimesError::OneDay(word.into()));
        }
        let more = usize::from(last.unwrap_or(first).since(first).unsigned_abs());
        days.extend(first.cycle_forward().take(more + 1));
    }
    Ok(days)
}

fn weekday(text: &str) -> Result<Weekday, TimesError> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day = DAYS
        .iter()
        .zip(Weekday::Monday.cycle_forward())
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    day.map(|(_, day)| day)
        .ok_or_else(|| TimesError::Day(text.into()))
}

/// The same minutes, in as few ranges as can be.
fn joined(mut ranges: Vec<Range<u16>>) -> Vec<Range<u16>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let touches = next.start <= range.end;
        if touches {
            range.end = range.end.max(next.end);
        }
        touches
    });
    ranges
}
