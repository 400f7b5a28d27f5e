use std::fmt::Write;

use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use proptest::{
    collection::vec,
    prelude::{any, prop_oneof},
    proptest,
    strategy::Strategy,
};

use super::{fault, good};
use crate::config::Schedule;

/// A Monday.
const START: &str = "2026-01-05T00:00Z";
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn schedule(times: &[String]) -> Schedule {
    good(&format!(
        "[[schedule]]\nname = \"s\"\ntime-zone = \"UTC\"\ntimes = {times:?}\n"
    ))
    .schedules
    .remove(0)
}

fn error(times: &str) -> String {
    fault(&format!(
        "[[schedule]]\nname = \"s\"\ntime-zone = \"UTC\"\ntimes = [\n\"daily 01:00-02:00\",\n{times:?}]\n"
    ))
}

/// When it switches in a week, as the day and the time; the first word says how the week starts.
fn week(times: &[&str]) -> String {
    let schedule = schedule(&times.iter().copied().map(String::from).collect::<Vec<_>>());
    let start: Timestamp = START.parse().unwrap();
    let mut on = schedule.is_on(start);
    let mut switches = String::from(if on { "on" } else { "off" });
    for minute in 0..7 * 24 * 60 {
        let at = start + SignedDuration::from_mins(minute);
        if schedule.is_on(at) != on {
            on = !on;
            write!(
                switches,
                " {}",
                at.strftime("%a-%R").to_string().to_lowercase()
            )
            .unwrap();
        }
    }
    switches
}

#[test]
fn days_are_one_or_several_or_all() {
    assert_eq!(week(&["wed 08:00-13:00"]), "off wed-08:00 wed-13:00");
    assert_eq!(
        week(&["sat,mon 08:00-13:00"]),
        "off mon-08:00 mon-13:00 sat-08:00 sat-13:00"
    );
    assert_eq!(
        week(&["mon-wed 23:00-23:01"]),
        "off mon-23:00 mon-23:01 tue-23:00 tue-23:01 wed-23:00 wed-23:01"
    );
    assert_eq!(week(&["Sat-Mon 00:00-24:00"]), "on tue-00:00 sat-00:00");
    assert_eq!(
        week(&["mon-tue,FRI 12:00-24:00"]),
        "off mon-12:00 tue-00:00 tue-12:00 wed-00:00 fri-12:00 sat-00:00"
    );
    assert_eq!(week(&["daily 00:00-24:00"]), "on");
    assert_eq!(
        week(&["mon-sun 00:00-24:00"]),
        week(&["sun-sat 00:00-24:00"])
    );
}

#[test]
fn a_range_ends_on_the_next_day_if_it_does_not_end_after_its_start() {
    assert_eq!(week(&["tue 22:00-06:00"]), "off tue-22:00 wed-06:00");
    assert_eq!(week(&["tue 22:00-00:00"]), "off tue-22:00 wed-00:00");
    assert_eq!(week(&["tue 22:00-24:00"]), "off tue-22:00 wed-00:00");
    assert_eq!(week(&["tue 12:01-12:00"]), "off tue-12:01 wed-12:00");
    assert_eq!(week(&["tue 11:59-12:00"]), "off tue-11:59 tue-12:00");
}

#[test]
fn the_night_of_sunday_ends_on_monday() {
    assert_eq!(week(&["sun 22:00-06:00"]), "on mon-06:00 sun-22:00");
    assert_eq!(
        week(&["sat,sun 22:00-06:00"]),
        "on mon-06:00 sat-22:00 sun-06:00 sun-22:00"
    );
    assert_eq!(week(&["sun 22:00-24:00"]), "off sun-22:00");
}

#[test]
fn ranges_may_overlap_and_touch() {
    assert_eq!(
        week(&["mon 08:00-12:00", "mon 10:00-14:00", "mon 09:00-10:00"]),
        "off mon-08:00 mon-14:00"
    );
    assert_eq!(
        week(&["mon 12:00-14:00", "mon 08:00-12:00"]),
        "off mon-08:00 mon-14:00"
    );
}

#[test]
fn what_is_no_time_is_an_error_with_its_line() {
    let shape = |text: &str| {
        format!(
            "line 6: `{text}` are no times: write days and a range, as in \"mon-fri 08:00-13:00\""
        )
    };
    for text in [
        "",
        "mon",
        "08:00-13:00",
        "mon fri 08:00-13:00",
        "mon 08:00 - 13:00",
    ] {
        assert_eq!(error(text), shape(text));
    }
    assert_eq!(error("mon 08:00"), shape("08:00"));
    for (text, clock) in [
        ("mon 8:00-13:00", "8:00"),
        ("mon 08:00-25:00", "25:00"),
        ("mon 08:60-13:00", "08:60"),
        ("mon 24:00-06:00", "24:00"),
        ("mon 22:00-24:01", "24:01"),
        ("mon 22:00-23:00-24:00", "23:00-24:00"),
        ("mon 22.00-23.00", "22.00"),
        ("mon -23:00", ""),
        ("mon +8:00-13:00", "+8:00"),
    ] {
        let expected = format!(
            "line 6: `{clock}` is no time of day: write hour and minute with two digits each, from 00:00 to 23:59, or \
             24:00 as the end of a range"
        );
        assert_eq!(error(text), expected);
    }
    for (text, day) in [
        ("monday 08:00-13:00", "monday"),
        ("mon,,tue 08:00-13:00", ""),
        ("mon- 08:00-13:00", ""),
        ("daily,mon 08:00-13:00", "daily"),
        ("mon-tue-wed 08:00-13:00", "tue-wed"),
    ] {
        let expected = format!(
            "line 6: `{day}` is no day: write mon, tue, wed, thu, fri, sat or sun, as in \"mon-fri\" or \"sat,sun\", \
             or \"daily\""
        );
        assert_eq!(error(text), expected);
    }
    assert_eq!(
        error("mon-mon 08:00-13:00"),
        "line 6: `mon-mon` starts and ends on one day: write the day alone, or \"daily\" for all"
    );
}

#[test]
fn a_range_that_never_ends_is_an_error() {
    for range in ["08:00-08:00", "00:00-00:00"] {
        let expected = format!(
            "line 6: `{range}` never ends, or never starts: write 00:00-24:00 for the whole day"
        );
        assert_eq!(error(&format!("daily {range}")), expected);
    }
}

#[test]
fn without_a_time_zone_it_is_the_machine_s() {
    let text = "[[schedule]]\nname = \"s\"\ntimes = [\"mon 00:00-24:00\"]\n";
    match TimeZone::try_system() {
        Ok(zone) => assert_eq!(good(text).schedules[0].zone, zone),
        Err(error) => assert_eq!(
            fault(text),
            format!(
                "line 2: the machine's time zone cannot be told ({error}): name one, as in \
                 time-zone = \"Europe/Berlin\""
            )
        ),
    }
}

#[test]
fn a_time_zone_is_one_that_there_is() {
    let text = "[[schedule]]\nname = \"s\"\ntime-zone = \"ZONE\"\ntimes = [\"mon 00:00-24:00\"]\n";
    for zone in [
        "Europe/Berlin",
        "UTC",
        "Asia/Kathmandu",
        "America/Argentina/Buenos_Aires",
        "US/Pacific",
    ] {
        good(&text.replace("ZONE", zone));
    }
    for zone in [
        "",
        "Europe/Bonn",
        "CET-1CEST",
        "../../etc/passwd",
        "/usr/share/zoneinfo/UTC",
        "+01:00",
    ] {
        let expected = format!(
            "line 3: there is no time zone `{zone}`: write an IANA name, as in \"Europe/Berlin\" or \"UTC\""
        );
        assert_eq!(fault(&text.replace("ZONE", zone)), expected);
    }
}

#[test]
fn time_zones_need_no_files_of_the_machine() {
    let zones = TimeZoneDatabase::bundled();
    for zone in ["Europe/Berlin", "UTC", "Australia/Lord_Howe"] {
        assert!(zones.get(zone).is_ok(), "{zone}");
    }
}

/// Days, start and end, and the text for them.
fn any_times() -> impl Strategy<Value = (Vec<usize>, u16, u16, String)> {
    let days = prop_oneof![
        vec(0..7_usize, 1..4),
        any::<()>().prop_map(|()| (0..7).collect())
    ];
    (days, 0..1440_u16, 0..=1440_u16)
        .prop_filter("a range that ends", |(_, start, end)| start != end)
        .prop_map(|(days, start, end)| {
            let names: Vec<_> = days.iter().map(|day| DAYS[*day]).collect();
            let (start_text, end_text) = (clock(start), clock(end));
            (
                days,
                start,
                end,
                format!("{} {start_text}-{end_text}", names.join(",")),
            )
        })
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

proptest! {
    #[test]
    fn a_minute_is_on_if_any_of_the_times_has_it(times in vec(any_times(), 1..6), minutes in vec(0..10_080_u16, 50)) {
        let schedule = schedule(&times.iter().map(|(.., text)| text.clone()).collect::<Vec<_>>());
        let start: Timestamp = START.parse().unwrap();
        for minute in minutes {
            let (today, now) = (usize::from(minute / 1440), minute % 1440);
            let yesterday = (today + 6) % 7;
            let expected = times.iter().any(|(days, start, end, _)| {
                let today_on = if start < end { (*start..*end).contains(&now) } else { now >= *start };
                (days.contains(&today) && today_on) || (days.contains(&yesterday) && end < start && now < *end)
            });
            for second in [0, 59] {
                let at = start + SignedDuration::from_secs(i64::from(minute) * 60 + second);
                assert_eq!(schedule.is_on(at), expected, "{times:?} at {at}");
            }
        }
    }

    #[test]
    fn any_time_is_in_a_schedule_or_not(nanosecond in any::<i64>()) {
        let schedule = schedule(&["mon 00:00-12:00".into()]);
        for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::from_nanosecond(nanosecond.into()).unwrap()] {
            schedule.is_on(at);
        }
    }
}
