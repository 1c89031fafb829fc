//! What becomes of records: rows of the batch, or counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::report::{Finding, Report};
use super::shared::Shared;
use crate::bounds::{BAD_OF_A_FILE, RECORD};
use crate::columns::{Builders, Place, Tags};
use crate::dedupe::key::{Keys, RowKeys};
use crate::error::{Error, ErrorKind};
use crate::event::{Origin, Record, Visitor, Wanted, definition};
use crate::filter::Matcher;
use crate::json::{Cursor, Value};
use crate::schema::ColumnId;
use crate::source::Skip;

pub(super) struct Rows {
    pub(super) builders: Builders,
    filter: Option<Matcher>,
    pub(super) rules: Option<(Matcher, Tags)>,
    /// The keys of the rows, if they are wanted.
    keys: Option<Keys>,
    wanted: Wanted,
    /// The column that usually decides whether a record is one of CloudTrail.
    telling: Option<ColumnId>,
    record: Record,
    /// The event on a bus that the next record is in.
    envelope: Option<Value>,
    /// Where the window begins in the arena.
    pub(super) base: usize,
    /// Offset of the window in the text of the file.
    pub(super) offset: u64,
    /// Whether that text was decoded from UTF-16.
    pub(super) decoded: bool,
    pub(super) key: String,
    /// Index of the first record to read.
    first: u64,
    /// The index after the last record.
    settled: u64,
    /// The index from which on documents may become others if the file grows.
    pub(super) open: Option<u64>,
    /// Counts of the file so far: records that became rows, that did not meet the predicate, and that are broken; the
    /// first broken ones are named.
    pub(super) read: u64,
    pub(super) filtered: u64,
    pub(super) bad: u64,
    named: Vec<Error>,
    /// What is not a record, by reason, and the first documents of no known kind.
    others: BTreeMap<Skip, u64>,
    strange: Vec<Error>,
    /// The warning about the first unusual record.
    warned: Option<Error>,
    /// How much of `read` and `filtered` the report has already.
    told: (u64, u64),
    full: bool,
}

impl Rows {
    pub(super) fn new(shared: &Shared) -> Self {
        let builders = Builders::new(Arc::clone(&shared.schema));
        let (filter, rules) = (shared.filter.as_ref(), shared.rules.as_ref());
        Self {
            wanted: filter
                .iter()
                .chain(&rules)
                .fold(builders.wanted().and(definition::wanted()), |wanted, rules| wanted.and(rules.wanted())),
            telling: definition::telling_column(),
            builders,
            keys: shared.keyed.then(Keys::default),
            record: Record::new(),
            envelope: None,
            base: 0,
            offset: 0,
            decoded: false,
            key: String::new(),
            first: 0,
            settled: 0,
            open: None,
            read: 0,
            filtered: 0,
            bad: 0,
            named: Vec::new(),
            others: BTreeMap::new(),
            strange: Vec::new(),
            warned: None,
            told: (0, 0),
            full: false,
            filter: filter.cloned().map(Matcher::new),
            rules: rules.map(|rules| (Matcher::new(Arc::clone(rules)), Tags::new(rules.names()))),
        }
    }

    /// The records that follow are those of this file; those before `first` were handed over by an earlier run.
    pub(super) fn start(&mut self, key: String, first: u64) {
        self.builders.start_file(&key);
        self.key = key;
        self.first = first;
        (self.base, self.offset, self.decoded) = (0, 0, false);
        (self.settled, self.open) = (0, None);
        (self.read, self.filtered, self.bad) = (0, 0, 0);
        self.named.clear();
        self.others.clear();
        self.strange.clear();
        self.warned = None;
        self.told = (0, 0);
    }

    /// The same failure, at its byte in the text of the file instead of the window.
    pub(super) fn placed(&self, error: Error) -> Error {
        let error = error.shifted(self.offset);
        if self.decoded { error.decoded() } else { error }
    }

    /// The batch was handed over: there is room again.
    pub(super) fn start_batch(&mut self) {
        self.builders.start_file(&self.key);
        self.full = false;
    }

    /// The keys of the rows so far.
    pub(super) fn take_keys(&mut self) -> RowKeys {
        self.keys.as_mut().map(Keys::take).unwrap_or_default()
    }

    /// Adds the records since the last call to the report.
    pub(super) fn tell(&mut self, report: &mut Report) {
        let (read, filtered) = std::mem::replace(&mut self.told, (self.read, self.filtered));
        report.records_read += self.read - read;
        report.records_filtered += self.filtered - filtered;
    }

    /// Records that were whole, whether they met the predicate or not.
    pub(super) fn kept(&self) -> u64 {
        self.read + self.filtered
    }

    /// Documents that were not records.
    pub(super) fn skipped(&self) -> u64 {
        self.others.values().sum()
    }

    /// Documents at the end that may become others if the file grows. Records are none of them, since they were handed
    /// over.
    pub(super) fn unsettled(&self) -> u64 {
        let seen = self.kept() + self.bad + self.skipped();
        self.open.map_or(0, |open| seen.saturating_sub(open.max(self.settled)))
    }

    /// Why the file as a whole counts as skipped: everything in it was skipped.
    pub(super) fn skips_file(&self) -> Option<Skip> {
        let reason = self.others.keys().max_by_key(|reason| (**reason == Skip::NotCloudTrail, **reason)).copied();
        reason.filter(|_| self.kept() == 0 && self.bad == 0)
    }

    /// Adds the bad records and the skipped documents of the file to the report, at the end of the file; returns the
    /// first bad record.
    pub(super) fn tell_bad(&mut self, report: &mut Report) -> Option<Error> {
        let records_kept = self.kept();
        let strange = self.others.get(&Skip::NotCloudTrail).copied().unwrap_or_default();
        report.unnamed.warnings += strange - self.strange.len() as u64;
        for error in self.warned.take().into_iter().chain(self.strange.drain(..)) {
            report.add_warning(Finding { error: error.in_file(&self.key), records_kept, more: None });
        }
        for (reason, count) in &self.others {
            *report.skipped_records.entry(*reason).or_default() += count;
        }
        let count = self.named.len();
        let mut first = None;
        for (number, error) in self.named.drain(..).enumerate() {
            let error = error.in_file(&self.key);
            first.get_or_insert_with(|| error.clone());
            let more = if number + 1 == count { self.bad - count as u64 } else { 0 };
            report.add_bad_record(Finding { error, records_kept, more: Some(more) });
        }
        first
    }
}

impl Visitor for Rows {
    fn envelope(&mut self, event: Value) {
        self.envelope = Some(event);
    }

    fn record(&mut self, cursor: &mut Cursor<'_>, origin: Origin, index: u64) -> Result<bool, Error> {
        let whole = self.record.read(cursor, self.wanted).map_err(|error| error.in_record(index))?;
        if (whole.end - whole.start) as usize > RECORD {
            return Err(Error::at(whole.start as usize, ErrorKind::DocumentTooLarge(RECORD as u64)).in_record(index));
        }
        let envelope = self.envelope.take();
        if !definition::is_record(&self.record, whole, cursor, self.telling) {
            return Ok(false);
        }
        self.settled = index + 1;
        if index < self.first {
            self.filtered += 1;
            return Ok(true);
        }
        let met = self.filter.as_mut().is_none_or(|filter| filter.matches(&self.record, envelope, whole, cursor));
        let hits = self
            .rules
            .as_mut()
            .filter(|_| met)
            .map(|(rules, tags)| (rules.hits(&self.record, envelope, whole, cursor), tags));
        if met && hits.as_ref().is_none_or(|(hits, _)| !hits.is_empty()) {
            let Ok(record) = u32::try_from(index) else {
                return Err(Error::at(whole.start as usize, ErrorKind::TooManyRecords).in_record(index));
            };
            let base = (origin == Origin::Window).then_some(self.base);
            let key =
                self.keys.as_mut().map(|keys| keys.of(&mut cursor.back_to(whole), &self.key, record)).transpose()?;
            self.builders.push(&self.record, cursor, whole, Place { base, record })?;
            if let (Some(keys), Some(key)) = (&mut self.keys, key) {
                keys.push(key);
            }
            self.full = self.builders.is_full();
            if let Some((hits, tags)) = hits {
                tags.push(hits);
                self.full |= tags.is_full();
            }
            self.read += 1;
        } else {
            self.filtered += 1;
        }
        Ok(true)
    }

    fn bad_record(&mut self, error: Error) {
        if error.location().record.is_some_and(|index| index < self.first) {
            self.filtered += 1; // an earlier run has reported it
            return;
        }
        self.bad += 1;
        if self.named.len() < BAD_OF_A_FILE {
            self.named.push(self.placed(error));
        }
    }

    fn warn(&mut self, error: Error) {
        if self.warned.is_none() {
            self.warned = Some(self.placed(error));
        }
    }

    fn skip(&mut self, reason: Skip, at: usize, index: u64) {
        if index < self.first {
            self.filtered += 1; // an earlier run has reported it
            return;
        }
        *self.others.entry(reason).or_default() += 1;
        if reason == Skip::NotCloudTrail && self.strange.len() < BAD_OF_A_FILE {
            self.strange.push(self.placed(Error::at(at, ErrorKind::NotCloudTrail).in_record(index)));
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.full
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::filter::{Predicate, Rules};
    use crate::inflate::Limits;
    use crate::scan::files::Files;
    use crate::scan::order::Order;
    use crate::scan::shared::Books;
    use crate::schema;
    use crate::testing::Window;

    fn rows(rules: Option<Rules>) -> Rows {
        let mut rows = Rows::new(&Shared {
            files: Mutex::new(Files::Direct(Box::new(std::iter::empty()))),
            order: Order::new(1),
            schema: Arc::new(schema::project(&["record"]).expect("a column")),
            text: None,
            search: None,
            filter: None,
            rules: rules.map(Arc::new),
            fail: false,
            limits: Limits::default(),
            hashes: None,
            books: Books::None,
            keyed: false,
        });
        rows.start("a.json".to_owned(), 0);
        rows
    }

    fn visit(rows: &mut Rows, index: u64) -> Result<bool, Error> {
        rows.record(&mut Window::new(r#"{"eventID":"a"}"#).cursor(), Origin::Embedded, index)
    }

    #[test]
    fn the_last_index_is_a_row_and_the_next_an_error() {
        let mut rows = rows(None);
        assert_eq!(visit(&mut rows, u64::from(u32::MAX)), Ok(true));
        let error = visit(&mut rows, 1 << 32).expect_err("no index");
        assert_eq!(error.to_string(), "more than 4294967295 records at byte 0 (record 4294967296)");
        assert_eq!(rows.read, 1);
    }

    #[test]
    fn a_batch_is_full_when_its_rows_have_met_rules_enough() {
        let all = (0..1 << 10).map(|number| (number.to_string(), Predicate::Always(true)));
        let mut rows = rows(Some(Rules::new(all)));
        for index in 0..255 {
            visit(&mut rows, index).expect("a record");
            assert!(!rows.is_full(), "{index}");
        }
        visit(&mut rows, 255).expect("a record");
        assert!(rows.is_full());
        rows.start_batch();
        assert!(!rows.is_full());
    }
}
