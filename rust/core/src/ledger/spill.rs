//! Rows on disk: in an unnamed file, which disappears with the process, however that ends.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::row::{Outcome, Row};

/// Pages of rows, one after another.
#[derive(Debug, Default)]
pub(super) struct Spill {
    file: Option<File>,
    /// Where each page ends.
    ends: Vec<u64>,
    /// How many pages were taken.
    taken: usize,
}

impl Spill {
    pub(super) fn pages(&self) -> usize {
        self.ends.len()
    }

    /// Adds a page.
    pub(super) fn push(&mut self, rows: &[Row]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for row in rows {
            write(row, &mut bytes);
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let at = self.ends.last().copied().unwrap_or_default();
        file.write_all_at(&bytes, at)?;
        self.ends.push(at + bytes.len() as u64);
        Ok(())
    }

    /// The rows of a page.
    pub(super) fn page(&self, number: usize) -> io::Result<Option<Vec<Row>>> {
        let Some((file, &end)) = self.file.as_ref().zip(self.ends.get(number)) else { return Ok(None) };
        let at = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut bytes = vec![0; (end - at) as usize];
        file.read_exact_at(&mut bytes, at)?;
        let mut rest = bytes.as_slice();
        let mut rows = Vec::new();
        while !rest.is_empty() {
            rows.push(
                read(&mut rest).map_err(|Changed| io::Error::other("rows of the ledger were changed on the disk"))?,
            );
        }
        Ok(Some(rows))
    }

    /// The first page that was not taken yet. When the last one is taken, the file is dropped.
    pub(super) fn take(&mut self) -> io::Result<Option<Vec<Row>>> {
        let rows = self.page(self.taken)?;
        self.taken += usize::from(rows.is_some());
        if self.taken == self.pages() {
            *self = Self::default();
        }
        Ok(rows)
    }
}

fn write(row: &Row, into: &mut Vec<u8>) {
    let outcome = row.outcome.name();
    for text in
        [Some(row.key.as_str()), row.etag.as_deref(), Some(outcome), row.reason.as_deref(), row.sha256.as_deref()]
    {
        number(text.map(|text| text.len() as u64), into);
        into.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    for count in [row.size, Some(row.read), Some(row.bad), Some(row.skipped), Some(row.open), row.duplicates, row.byte]
    {
        number(count, into);
    }
}

fn number(value: Option<u64>, into: &mut Vec<u8>) {
    into.push(u8::from(value.is_some()));
    into.extend_from_slice(&value.unwrap_or_default().to_le_bytes());
}

/// The bytes are not those that were written.
struct Changed;

fn read(from: &mut &[u8]) -> Result<Row, Changed> {
    let (key, etag) = (text(from)?.ok_or(Changed)?, text(from)?);
    let outcome = text(from)?.and_then(|name| Outcome::named(&name)).ok_or(Changed)?;
    let (reason, sha256) = (text(from)?.map(Cow::Owned), text(from)?);
    let (size, read, bad, skipped, open) = (count(from)?, count(from)?, count(from)?, count(from)?, count(from)?);
    let [read, bad, skipped, open] = [read, bad, skipped, open].map(Option::unwrap_or_default);
    let (duplicates, byte) = (count(from)?, count(from)?);
    Ok(Row { key, size, etag, read, bad, skipped, open, duplicates, outcome, reason, byte, sha256 })
}

fn text(from: &mut &[u8]) -> Result<Option<String>, Changed> {
    let Some(length) = count(from)? else { return Ok(None) };
    let text = usize::try_from(length).ok().and_then(|length| from.split_off(..length)).ok_or(Changed)?;
    String::from_utf8(text.to_vec()).map(Some).map_err(|_| Changed)
}

fn count(from: &mut &[u8]) -> Result<Option<u64>, Changed> {
    let is_some = from.split_off_first().ok_or(Changed)?;
    let (value, rest) = from.split_first_chunk().ok_or(Changed)?;
    *from = rest;
    Ok((*is_some == 1).then(|| u64::from_le_bytes(*value)))
}
