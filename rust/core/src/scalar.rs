//! JSON scalars to typed values: the times and flags that columns show and predicates test.

/// `YYYY-MM-DDTHH:MM:SS`, up to six digits of a fraction, then `Z` or `±hh:mm`. Anything else is not an `eventTime`:
/// `None`.
pub(crate) fn timestamp(text: &[u8]) -> Option<i64> {
    let (date_time, mut rest) = text.split_at_checked(19)?;
    let two = |at: usize| digits(&date_time[at..at + 2]);
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|&(at, separator)| date_time[at] != separator) {
        return None;
    }
    let (year, month, day) = (digits(&date_time[..4])?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if year == 0
        || !(1..=12).contains(&month)
        || !(1..=days_in(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let mut micros = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    micros *= 1_000_000;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, after) = fraction.split_at(length);
        if !(1..=6).contains(&length) {
            return None;
        }
        micros += digits(fraction)? * 10i64.pow(6 - length as u32);
        rest = after;
    }
    match rest {
        b"Z" => Some(micros),
        [sign @ (b'+' | b'-'), hour @ .., b':', tens, ones] if hour.len() == 2 => {
            let (hour, minute) = (digits(hour)?, digits(&[*tens, *ones])?);
            let offset = (hour * 60 + minute) * 60_000_000;
            (hour < 24 && minute < 60).then_some(if *sign == b'+' { micros - offset } else { micros + offset })
        }
        _ => None,
    }
}

/// `true` or `false`: a JSON value by its bytes, or, in any case of letters, the text of a string.
pub(crate) fn flag(value: &[u8], text: Option<&[u8]>) -> Option<bool> {
    let is = |name: &[u8]| text.map_or(value == name, |text| text.eq_ignore_ascii_case(name));
    if is(b"true") { Some(true) } else { is(b"false").then_some(false) }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar, counted in years that begin in March, so that the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_as_values_and_as_strings() {
        let values = ["true", "false", "TRUE", "1"].map(|value| flag(value.as_bytes(), None));
        assert_eq!(values, [Some(true), Some(false), None, None]);
        let texts = ["true", "False", "yes", ""].map(|text| flag(b"\"...\"", Some(text.as_bytes())));
        assert_eq!(texts, [Some(true), Some(false), None, None]);
    }

    #[test]
    fn known_instants() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2023-07-10T11:42:36Z", 1_688_989_356),
            ("2023-07-10T13:42:36+02:00", 1_688_989_356),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
        ] {
            assert_eq!(timestamp(text.as_bytes()), Some(seconds * 1_000_000), "{text}");
        }
        assert_eq!(timestamp(b"1970-01-01T00:00:00.5Z"), Some(500_000));
        assert_eq!(timestamp(b"1970-01-01T00:00:00.000001-00:01"), Some(60_000_001));
    }

    #[test]
    fn no_guesses() {
        for text in [
            "",
            "2023-07-10",
            "2023-07-10 11:42:36Z",
            "2023-07-10T11:42:36",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-07-10T24:00:00Z",
            "2023-07-10T11:42:36.Z",
            "2023-07-10T11:42:36.1234567Z",
            "2023-07-10T11:42:36+0200",
            "20230710T114236Z",
            "2023-07-10T11:42:60Z",
            "0000-01-01T00:00:00Z",
            "2023-07-10T11:42:36ZZ",
            "+023-07-10T11:42:36Z",
        ] {
            assert_eq!(timestamp(text.as_bytes()), None, "{text}");
        }
    }
}
