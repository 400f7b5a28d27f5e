//! What schedules do when clocks are changed. Expected times are from Python's zoneinfo (3.11,
//! tzdata 2025b): the minutes from `from` to `to`, each with `astimezone(ZoneInfo(zone))`, and
//! whether its weekday and time are those of the range.

use jiff::{SignedDuration, Timestamp};

use super::good;

/// The clock of Berlin jumps from 02:00 to 03:00 at 01:00 UTC of 29 March.
const BERLIN_SPRING: Days = Days {
    zone: "Europe/Berlin",
    from: "2026-03-28T12:00Z",
    to: "2026-03-30T12:00Z",
};
/// It is set back from 03:00 to 02:00 at 01:00 UTC of 25 October.
const BERLIN_AUTUMN: Days = Days {
    zone: "Europe/Berlin",
    from: "2026-10-24T12:00Z",
    to: "2026-10-26T12:00Z",
};
/// The clock of Sydney is set back from 03:00 to 02:00 at 16:00 UTC of 4 April.
const SYDNEY_AUTUMN: Days = Days {
    zone: "Australia/Sydney",
    from: "2026-04-04T00:00Z",
    to: "2026-04-05T12:00Z",
};
/// It jumps from 02:00 to 03:00 at 16:00 UTC of 3 October.
const SYDNEY_SPRING: Days = Days {
    zone: "Australia/Sydney",
    from: "2026-10-03T00:00Z",
    to: "2026-10-04T12:00Z",
};
/// The clock of Santiago is set back from 24:00 to 23:00 of a Saturday at 03:00 UTC of 5 April.
const SANTIAGO_AUTUMN: Days = Days {
    zone: "America/Santiago",
    from: "2026-04-04T12:00Z",
    to: "2026-04-05T12:00Z",
};
/// It jumps from 00:00 to 01:00 of a Sunday at 04:00 UTC of 6 September.
const SANTIAGO_SPRING: Days = Days {
    zone: "America/Santiago",
    from: "2026-09-05T12:00Z",
    to: "2026-09-06T12:00Z",
};
/// The clock of Lord Howe is set back by half an hour only, from 02:00 to 01:30 at 15:00 UTC of 4
/// April.
const LORD_HOWE_AUTUMN: Days = Days {
    zone: "Australia/Lord_Howe",
    from: "2026-04-04T00:00Z",
    to: "2026-04-05T12:00Z",
};
/// It jumps from 02:00 to 02:30 at 15:30 UTC of 3 October.
const LORD_HOWE_SPRING: Days = Days {
    zone: "Australia/Lord_Howe",
    from: "2026-10-03T00:00Z",
    to: "2026-10-04T12:00Z",
};

struct Days {
    zone: &'static str,
    from: &'static str,
    to: &'static str,
}

impl Days {
    /// When a schedule of these times, which is off at first, goes on and off, as day and time in
    /// UTC.
    fn switches(&self, times: &str) -> String {
        let Self { zone, from, to } = self;
        let text =
            format!("[[schedule]]\nname = \"s\"\ntime-zone = \"{zone}\"\ntimes = [\"{times}\"]\n");
        let schedule = good(&text).schedules.remove(0);
        let (mut at, end): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
        let (mut on, mut switches) = (false, Vec::new());
        while at <= end {
            if schedule.is_on(at) != on {
                on = !on;
                switches.push(at.strftime("%d-%R").to_string());
            }
            at += SignedDuration::from_mins(1);
        }
        switches.join(" ")
    }
}

#[test]
fn school_starts_at_eight_in_winter_and_in_summer() {
    let week = |from, to| {
        Days {
            zone: "Europe/Berlin",
            from,
            to,
        }
        .switches("mon-fri 08:00-13:00")
    };
    let spring = week("2026-03-26T12:00Z", "2026-03-31T12:00Z");
    assert_eq!(
        spring,
        "27-07:00 27-12:00 30-06:00 30-11:00 31-06:00 31-11:00"
    );
    let autumn = week("2026-10-22T12:00Z", "2026-10-27T12:00Z");
    assert_eq!(
        autumn,
        "23-06:00 23-11:00 26-07:00 26-12:00 27-07:00 27-12:00"
    );
}

#[test]
fn a_range_that_ends_in_the_hour_that_is_left_out_ends_with_the_jump() {
    assert_eq!(
        BERLIN_SPRING.switches("sun 01:00-02:30"),
        "29-00:00 29-01:00"
    );
    assert_eq!(
        SYDNEY_SPRING.switches("sun 01:00-02:30"),
        "03-15:00 03-16:00"
    );
    assert_eq!(
        SANTIAGO_SPRING.switches("sat 23:00-00:30"),
        "06-03:00 06-04:00"
    );
}

#[test]
fn a_range_that_starts_in_the_hour_that_is_left_out_starts_with_the_jump() {
    assert_eq!(
        BERLIN_SPRING.switches("sun 02:30-04:00"),
        "29-01:00 29-02:00"
    );
    assert_eq!(
        SANTIAGO_SPRING.switches("sun 00:30-02:00"),
        "06-04:00 06-05:00"
    );
    assert_eq!(
        LORD_HOWE_SPRING.switches("sun 02:15-03:00"),
        "03-15:30 03-16:00"
    );
}

#[test]
fn a_range_within_the_hour_that_is_left_out_is_not_on_that_day() {
    assert_eq!(BERLIN_SPRING.switches("sun 02:15-02:45"), "");
    assert_eq!(
        BERLIN_SPRING.switches("daily 02:00-03:00"),
        "30-00:00 30-01:00"
    );
    assert_eq!(SYDNEY_SPRING.switches("sun 02:15-02:45"), "");
    assert_eq!(SANTIAGO_SPRING.switches("sun 00:15-00:45"), "");
}

#[test]
fn a_range_within_the_hour_that_comes_twice_is_on_twice() {
    assert_eq!(
        BERLIN_AUTUMN.switches("sun 02:15-02:45"),
        "25-00:15 25-00:45 25-01:15 25-01:45"
    );
    assert_eq!(
        SYDNEY_AUTUMN.switches("sun 02:15-02:45"),
        "04-15:15 04-15:45 04-16:15 04-16:45"
    );
}

#[test]
fn a_range_that_ends_in_the_hour_that_comes_twice_is_on_again_when_the_clock_is_set_back() {
    assert_eq!(
        BERLIN_AUTUMN.switches("sun 01:00-02:30"),
        "24-23:00 25-00:30 25-01:00 25-01:30"
    );
    assert_eq!(
        SYDNEY_AUTUMN.switches("sun 01:00-02:30"),
        "04-14:00 04-15:30 04-16:00 04-16:30"
    );
    assert_eq!(
        LORD_HOWE_AUTUMN.switches("sun 01:00-01:45"),
        "04-14:00 04-14:45 04-15:00 04-15:15"
    );
}

#[test]
fn a_range_that_starts_in_the_hour_that_comes_twice_is_off_again_when_the_clock_is_set_back() {
    assert_eq!(
        BERLIN_AUTUMN.switches("sun 02:30-04:00"),
        "25-00:30 25-01:00 25-01:30 25-03:00"
    );
}

#[test]
fn a_range_around_a_change_is_an_hour_shorter_or_longer() {
    assert_eq!(
        BERLIN_SPRING.switches("sat 22:00-06:00"),
        "28-21:00 29-04:00"
    );
    assert_eq!(
        BERLIN_SPRING.switches("sun 00:00-24:00"),
        "28-23:00 29-22:00"
    );
    assert_eq!(
        BERLIN_AUTUMN.switches("sat 22:00-06:00"),
        "24-20:00 25-05:00"
    );
    assert_eq!(
        BERLIN_AUTUMN.switches("sun 00:00-24:00"),
        "24-22:00 25-23:00"
    );
    assert_eq!(
        BERLIN_AUTUMN.switches("sun 01:00-03:00"),
        "24-23:00 25-02:00"
    );
    assert_eq!(
        SYDNEY_SPRING.switches("sat 22:00-06:00"),
        "03-12:00 03-19:00"
    );
    assert_eq!(
        SYDNEY_AUTUMN.switches("sat 22:00-06:00"),
        "04-11:00 04-20:00"
    );
    assert_eq!(
        SANTIAGO_AUTUMN.switches("sat 22:00-24:00"),
        "05-01:00 05-04:00"
    );
    assert_eq!(
        SANTIAGO_AUTUMN.switches("sat 23:00-00:30"),
        "05-02:00 05-04:30"
    );
}

#[test]
fn a_range_beside_a_change_is_as_long_as_ever() {
    assert_eq!(
        BERLIN_AUTUMN.switches("sun 03:00-04:00"),
        "25-02:00 25-03:00"
    );
    assert_eq!(
        SANTIAGO_AUTUMN.switches("sun 00:30-02:00"),
        "05-04:30 05-06:00"
    );
    assert_eq!(
        SANTIAGO_SPRING.switches("sat 22:00-24:00"),
        "06-02:00 06-04:00"
    );
    assert_eq!(
        LORD_HOWE_SPRING.switches("sun 01:00-01:45"),
        "03-14:30 03-15:15"
    );
    assert_eq!(
        LORD_HOWE_AUTUMN.switches("sun 02:15-03:00"),
        "04-15:45 04-16:30"
    );
    assert_eq!(
        SYDNEY_SPRING.switches("sun 08:00-13:00"),
        "03-21:00 04-02:00"
    );
    assert_eq!(
        SYDNEY_AUTUMN.switches("sun 08:00-13:00"),
        "04-22:00 05-03:00"
    );
}
