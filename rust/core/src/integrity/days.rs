//! The folders of days below a region, and the files in them.

use std::path::{Path, PathBuf, absolute};

use crate::error::Error;
use crate::source::Storage;
use crate::source::is_apple_double;
use crate::source::key::Folders;

/// The days of a region's folder, as `YYYYMMDD` with the folder; and files outside of them.
pub(crate) struct Days {
    pub(crate) folders: Vec<(u32, PathBuf)>,
    pub(crate) odd: Vec<PathBuf>,
}

impl Days {
    /// The days in some folders of a region, in order. Folders that cannot be listed are passed to `failed`.
    pub(crate) fn of(folders: &[PathBuf], storage: &Storage, failed: &mut impl FnMut(PathBuf, Error)) -> Self {
        let mut days = Self { folders: Vec::new(), odd: Vec::new() };
        for folder in folders {
            // A root may be below the region: its year, month or day.
            let inside = Folders::parse(&absolute(folder).unwrap_or_default().to_string_lossy())
                .map_or(0, |folders| folders.below_region());
            days.visit(folder, inside, storage, failed);
        }
        days.folders.sort();
        days.odd.sort();
        days
    }

    fn visit(&mut self, folder: &Path, depth: usize, storage: &Storage, failed: &mut impl FnMut(PathBuf, Error)) {
        const DEPTH: usize = 3;
        if depth == DEPTH
            && let Some(day) = day_of(folder)
        {
            self.folders.push((day, folder.to_owned()));
            return;
        }
        match storage.folder(folder) {
            Ok(found) => {
                for (path, is_folder) in found {
                    if is_folder {
                        self.visit(&path, depth + 1, storage, failed);
                    } else if !is_apple_double(&path) {
                        self.odd.push(path);
                    }
                }
            }
            Err(error) => failed(folder.to_owned(), error),
        }
    }
}

/// The day of a folder `YYYY/MM/DD`, as a number of these digits.
fn day_of(folder: &Path) -> Option<u32> {
    let whole = absolute(folder).ok()?;
    let parts: Vec<_> =
        whole.components().rev().take(3).map(|part| part.as_os_str().to_str()).collect::<Option<_>>()?;
    let [day, month, year] = parts.try_into().ok()?;
    day_number(&format!("{year}/{month}/{day}"))
}

/// `YYYY/MM/DD` as the number YYYYMMDD.
pub(crate) fn day_number(day: &str) -> Option<u32> {
    let digits = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    let (year, rest) = day.split_once('/')?;
    let (month, day) = rest.split_once('/')?;
    Some(digits(year, 4)? * 10_000 + digits(month, 2)? * 100 + digits(day, 2)?)
}

/// All files below a day's folder, in order.
pub(crate) fn files(folder: &Path, storage: &Storage, failed: &mut impl FnMut(PathBuf, Error)) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        match storage.folder(&folder) {
            Ok(found) => {
                for (path, is_folder) in found {
                    if is_folder {
                        ahead.push(path);
                    } else if !is_apple_double(&path) {
                        files.push(path);
                    }
                }
            }
            Err(error) => failed(folder, error),
        }
    }
    files.sort_unstable_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbers() {
        assert_eq!(day_number("2020/01/02"), Some(20_200_102));
        assert_eq!((day_number("2020/1/02"), day_number("2020/01"), day_number("+020/01/02")), (None, None, None));
    }
}
