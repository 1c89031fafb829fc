//! Mistyped words, and the names that were probably meant.

use crate::error::excerpt;

/// Characters of the longest word that is compared: comparing takes quadratic time.
const LONGEST: usize = 100;
/// Similar names among which the nearest is searched.
const ALIKE: usize = 8;
/// From so many edits on, a name is as far away as any other.
const MANY: usize = 3;

/// The index of the name that was probably meant: that with the fewest edits, among names whose similarity is at least
/// `alike` (0 to 1, by Ratcliff and Obershelp). Letter case is ignored.
#[must_use]
pub fn nearest(word: &str, names: &[impl AsRef<str>], alike: f64) -> Option<usize> {
    let word = folded(word);
    if word.len() > LONGEST {
        return None;
    }
    let mut found: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (at, folded(name.as_ref())))
        .map(|(at, name)| (similarity(&name, &word), name, at))
        .filter(|(similarity, ..)| *similarity >= alike)
        .collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| other.1.cmp(&one.1)));
    found.truncate(ALIKE);
    // Similar words share letters in the same order; a typo needs few edits.
    found.iter().min_by_key(|(_, name, _)| slips(&word, name).min(MANY)).map(|&(.., at)| at)
}

/// A user's text, as a sentence quotes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", excerpt(text).escape_debug())
}

fn folded(text: &str) -> Vec<char> {
    text.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect()
}

#[expect(clippy::cast_precision_loss, reason = "these are small numbers")]
fn similarity(one: &[char], other: &[char]) -> f64 {
    2.0 * common(one, other) as f64 / (one.len() + other.len()).max(1) as f64
}

/// The number of characters in the longest common substring, and, recursively, in those before it and after it.
fn common(one: &[char], other: &[char]) -> usize {
    let (mut longest, mut at) = (0, (0, 0));
    let mut lengths = vec![0; other.len() + 1];
    for (row, character) in one.iter().enumerate() {
        for column in (0..other.len()).rev() {
            lengths[column + 1] = if other[column] == *character { lengths[column] + 1 } else { 0 };
        }
        for (column, &length) in lengths.iter().enumerate() {
            if length > longest {
                (longest, at) = (length, (row + 1 - length, column - length));
            }
        }
    }
    if longest == 0 {
        return 0;
    }
    let (row, column) = at;
    longest + common(&one[..row], &other[..column]) + common(&one[row + longest..], &other[column + longest..])
}

/// The number of characters missing, added, changed, or swapped with a neighbour.
fn slips(word: &[char], name: &[char]) -> usize {
    let (mut before, mut last) = (Vec::new(), (0..=name.len()).collect::<Vec<_>>());
    for (at, letter) in word.iter().enumerate() {
        let mut row = vec![at + 1];
        for (column, meant) in name.iter().enumerate() {
            let other = last[column] + usize::from(letter != meant);
            let mut steps = other.min(last[column + 1] + 1).min(row[column] + 1);
            if at > 0 && column > 0 && *letter == name[column - 1] && word[at - 1] == *meant {
                let before: &Vec<usize> = &before;
                steps = steps.min(before[column - 1] + 1);
            }
            row.push(steps);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_fewest_slips() {
        let names = ["eu-west-1", "us-east-1", "us-west-1", "eventName", "readOnly"];
        for (word, alike, expected) in [
            ("us-eat-1", 0.6, Some("us-east-1")),
            ("us-esat-1", 0.6, Some("us-east-1")),
            ("EVENTNAME", 0.6, Some("eventName")),
            ("evntName", 0.8, Some("eventName")),
            ("evenNmae", 0.8, Some("eventName")),
            ("x", 0.6, None),
            ("", 0.6, None),
        ] {
            assert_eq!(nearest(word, &names, alike).map(|at| names[at]), expected, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(101), &["a".repeat(101)], 0.6), None);
    }
}
