//! What became of each file, as rows of the ledger.

use crate::clock::HOUR;
use crate::digest::Content;
use crate::hash::hex;
use crate::ledger::{Outcome, Row};

use super::finding::{DigestRow, LogRow, MissingRow, Reason, Status, UnlistedRow};
use super::missing::named;
use super::output::Output;

impl Output {
    /// One row for each file that this step came to, and for each digest that it missed.
    pub fn files(&self) -> impl Iterator<Item = Row> {
        let digests = self.digests.iter().map(DigestRow::file_row);
        let missing = self.missing.iter().flat_map(MissingRow::file_rows);
        let logs = self.logs.iter().map(LogRow::file_row);
        let unlisted = self.unlisted.iter().map(UnlistedRow::file_row);
        digests.chain(missing).chain(logs).chain(unlisted).chain(self.apart.iter().cloned())
    }
}

impl DigestRow {
    fn file_row(&self) -> Row {
        row(&self.file, self.status, self.reason, self.content, self.byte)
    }
}

impl MissingRow {
    /// One for each hour, the oldest first. Where nothing tells the name of a digest, it has none here either.
    fn file_rows(&self) -> impl Iterator<Item = Row> {
        let newest = self.file.as_deref().unwrap_or_default();
        (0..self.digests.cast_signed()).rev().map(move |hours| {
            let end = self.end - hours * HOUR;
            let file = named(newest, end).unwrap_or_else(|| newest.to_owned());
            row(&file, Status::Missing, Some(Reason::MissingDigest), None, None)
        })
    }
}

impl LogRow {
    fn file_row(&self) -> Row {
        row(&self.file, self.status, self.reason, self.content, self.byte)
    }
}

impl UnlistedRow {
    /// That a digest to come may list it is told by its reason, as by the finding.
    fn file_row(&self) -> Row {
        Row { reason: Some(self.reason.name().into()), ..Row::new(self.file.clone(), Outcome::Unlisted) }
    }
}

fn row(file: &str, status: Status, reason: Option<Reason>, content: Option<Content>, byte: Option<u64>) -> Row {
    let outcome = match status {
        Status::Valid => Outcome::Valid,
        Status::Invalid => Outcome::Invalid,
        Status::Missing => Outcome::Missing,
        Status::Unverified => Outcome::Unverified,
    };
    Row {
        size: content.map(|content| content.stored),
        reason: reason.map(|reason| reason.name().into()),
        byte,
        sha256: content.map(|content| hex(&content.sha256)),
        ..Row::new(file.to_owned(), outcome)
    }
}
