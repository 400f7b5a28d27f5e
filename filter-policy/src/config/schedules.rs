//! Schedules: times of a week, as a clock in some time zone shows them.

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::{
    error::{At, Located, shown},
    file::{ScheduleTable, Text},
    naming::Naming,
    week::Week,
};

/// Times of a week, as a clock in some time zone shows them.
///
/// The clock alone counts. Where it jumps from 02:00 to 03:00, `01:00-02:30` ends at the jump and
/// `02:30-04:00` starts with it, and `02:15-02:45` is not on that day. Where it is set back from
/// 03:00 to 02:00, `02:15-02:45` is on twice, and `01:00-02:30` is on until 02:30, off until the
/// clock is set back, and on again until it shows 02:30 for the second time.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its name, which no other schedule has.
    pub name: String,
    pub(super) zone: TimeZone,
    week: Week,
}

/// What is wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchedulesError {
    /// Nobody knows the time zone.
    #[error("there is no time zone `{}`: write an IANA name, as in \"Europe/Berlin\" or \"UTC\"", shown(.0))]
    NoZone(String),
    /// The machine's time zone is asked for, and cannot be told.
    #[error("the machine's time zone cannot be told ({}): name one, as in time-zone = \"Europe/Berlin\"", shown(.0))]
    NoMachineZone(String),
    /// There are no times.
    #[error(
        "the schedule `{}` has no times, so it would never be on: give it some, as in \
         times = [\"mon-fri 08:00-13:00\"]",
        shown(.0)
    )]
    NoTimes(String),
}

impl Schedule {
    /// Is it on at this time?
    pub fn is_on(&self, at: Timestamp) -> bool {
        self.week.has(self.zone.to_datetime(at))
    }
}

/// The schedules, and their names.
pub(super) fn schedules(
    tables: Vec<ScheduleTable>,
    naming: &mut Naming,
) -> Result<Vec<Schedule>, Located> {
    tables
        .into_iter()
        .map(|table| schedule(table, naming))
        .collect()
}

fn schedule(table: ScheduleTable, naming: &mut Naming) -> Result<Schedule, Located> {
    let ScheduleTable {
        name,
        time_zone,
        times,
    } = table;
    naming.add(&name)?;
    let zone = time_zone.as_ref().map_or_else(
        || machine_zone().at(&name),
        |zone_name| zone(zone_name).at(zone_name),
    )?;
    if times.get_ref().is_empty() {
        return Err(SchedulesError::NoTimes(name.into_inner())).at(&times);
    }
    let texts = times.get_ref().iter().map(|text| text.get_ref().as_str());
    let week = Week::of(texts).or_else(|(index, error)| Err(error).at(&times.get_ref()[index]))?;
    Ok(Schedule {
        name: name.into_inner(),
        zone,
        week,
    })
}

/// The zone of this name: as the machine knows it, or else as it was when the program was built.
fn zone(name: &Text) -> Result<TimeZone, SchedulesError> {
    let name = name.get_ref();
    let zone = TimeZone::get(name).or_else(|_| TimeZoneDatabase::bundled().get(name));
    zone.map_err(|_| SchedulesError::NoZone(name.clone()))
}

fn machine_zone() -> Result<TimeZone, SchedulesError> {
    TimeZone::try_system().map_err(|error| SchedulesError::NoMachineZone(error.to_string()))
}
