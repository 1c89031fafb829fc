//! Numbers that a double holds without changing them.

/// The double that a JSON number stands for, unless a double would change it: `300`, `300.0` and `3e2` are the same
/// number, but `300.00000000000001` and `12345678901234567890` have no double.
pub(super) fn exact(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let digits = text.trim_start_matches('-');
    // Every integer with so few digits is exact as a double.
    if digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value + 0.0);
    }
    // Adding zero makes -0 the same as 0.
    (value.is_finite() && Decimal::of(text) == Decimal::of(&format!("{value:e}"))).then_some(value + 0.0)
}

/// A decimal number in the one form that has no zeros at either end: `0.d₁d₂… × 10^exponent`.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // An exponent of more digits than that belongs to no double; which one it is makes no difference.
        let exponent: i64 = exponent.parse().unwrap_or(i64::from(i32::MAX));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
        digits.drain(..leading);
        digits.truncate(digits.len() - digits.iter().rev().take_while(|&&digit| digit == b'0').count());
        if digits.is_empty() {
            return Self { negative: false, digits, exponent: 0 };
        }
        Self { negative, digits, exponent: exponent.saturating_add(whole.len() as i64 - leading as i64) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_number_in_many_spellings() {
        for text in ["300", "300.0", "3e2", "3.0E+2", "0.3e3", "30000e-2", "300.000000000000000000000"] {
            assert_eq!(exact(text), Some(300.0), "{text}");
        }
        for text in ["0", "-0", "0.0", "0e5", "-0.0E-9", "0e99999999999999999999"] {
            assert_eq!(exact(text).map(f64::to_bits), Some(0), "{text}");
        }
        assert_eq!(exact("-12.50"), Some(-12.5));
        assert_eq!(exact("0.1"), Some(0.1));
        assert_eq!(exact("1e300"), Some(1e300));
        assert_eq!(exact("123456789012"), Some(123_456_789_012.0));
    }

    #[test]
    fn what_a_double_cannot_say() {
        for text in [
            "300.00000000000001",
            "12345678901234567890",
            "1e400",
            "-1e400",
            "1e-400",
            "0.1000000000000000055",
            "1e99999999999999999999",
        ] {
            assert_eq!(exact(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_double_is_what_it_is_written_as(value in proptest::num::f64::NORMAL) {
            prop_assert_eq!(exact(&format!("{value:e}")), Some(value));
            prop_assert_eq!(exact(&format!("{value}")), Some(value));
        }

        #[test]
        fn a_digit_more_is_another_number(value in 0.1f64..1e15, digit in 1u8..10) {
            let text = format!("{value:.1}");
            prop_assert_eq!(exact(&format!("{text}{}{digit}", "0".repeat(20))), None);
        }
    }
}
