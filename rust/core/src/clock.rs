//! Times in the forms that CloudTrail writes.

/// An hour, in microseconds.
pub(crate) const HOUR: i64 = 3_600_000_000;
/// A day, in microseconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// A time before CloudTrail existed: 2013-01-01.
const EARLIEST: i64 = 1_356_998_400_000_000;

/// Whether CloudTrail may have written a digest at this time: not before it existed, and not later than tomorrow.
pub(crate) fn is_plausible(time: i64, now: i64) -> bool {
    (EARLIEST..=now.saturating_add(DAY)).contains(&time)
}

/// Year, month, day, and second of the day.
fn civil(micros: i64) -> (i64, i64, i64, i64) {
    let (days, second) = (micros.div_euclid(DAY), micros.rem_euclid(DAY) / 1_000_000);
    // Years begin in March here, so that the leap day is the last day.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day, second)
}

/// `YYYY-MM-DDTHH:MM:SSZ`
pub(crate) fn iso(micros: i64) -> String {
    let (year, month, day, second) = civil(micros);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// `YYYY/MM/DD`, and `YYYYMMDDTHHMMSSZ`.
pub(crate) fn folder_and_stamp(micros: i64) -> (String, String) {
    let (year, month, day, second) = civil(micros);
    let stamp = format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", second / 3600, second / 60 % 60, second % 60);
    (format!("{year:04}/{month:02}/{day:02}"), stamp)
}

/// The day as a number YYYYMMDD.
pub(crate) fn day(micros: i64) -> u32 {
    let (year, month, day, _) = civil(micros);
    u32::try_from(year * 10_000 + month * 100 + day).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scalar::timestamp;

    proptest! {
        #[test]
        fn iso_is_what_timestamp_reads(second in -62_135_596_800i64..253_402_300_800) {
            prop_assert_eq!(timestamp(iso(second * 1_000_000).as_bytes()), Some(second * 1_000_000));
        }
    }

    #[test]
    fn parts_of_a_key() {
        let micros = timestamp(b"2024-02-29T23:01:31Z").expect("a time");
        assert_eq!(folder_and_stamp(micros), ("2024/02/29".into(), "20240229T230131Z".into()));
        assert_eq!((day(micros), day(0)), (20_240_229, 19_700_101));
    }
}
