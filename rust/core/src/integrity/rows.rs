//! Findings to Arrow: one batch for each kind of row.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, StringViewBuilder, TimestampMicrosecondBuilder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};

use super::{DigestRow, Finding, LogRow, MissingRow, Output, Range, Span, UnlistedRow, UsedKey};

/// Columns of a batch, added one by one. Batches are small and kept, so their columns have no spare capacity.
struct Frame {
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
}

impl Frame {
    fn new() -> Self {
        Self { fields: Vec::new(), columns: Vec::new() }
    }

    fn add(mut self, name: &str, column: ArrayRef) -> Self {
        self.fields.push(Field::new(name, column.data_type().clone(), true));
        self.columns.push(column);
        self
    }

    fn text<'a>(self, name: &str, values: impl ExactSizeIterator<Item = Option<&'a str>>) -> Self {
        let mut builder = StringViewBuilder::with_capacity(values.len());
        values.for_each(|value| builder.append_option(value));
        self.add(name, Arc::new(builder.finish()))
    }

    /// Text with few distinct values.
    fn word<'a>(self, name: &str, values: impl ExactSizeIterator<Item = Option<&'a str>>) -> Self {
        let mut builder = StringViewBuilder::with_capacity(values.len()).with_deduplicate_strings();
        values.for_each(|value| builder.append_option(value));
        self.add(name, Arc::new(builder.finish()))
    }

    fn time(self, name: &str, values: impl ExactSizeIterator<Item = Option<i64>>) -> Self {
        let mut builder = TimestampMicrosecondBuilder::with_capacity(values.len()).with_timezone("UTC");
        values.for_each(|value| builder.append_option(value));
        self.add(name, Arc::new(builder.finish()))
    }

    fn number(self, name: &str, values: impl ExactSizeIterator<Item = Option<u64>>) -> Self {
        let mut builder = UInt64Builder::with_capacity(values.len());
        values.for_each(|value| builder.append_option(value));
        self.add(name, Arc::new(builder.finish()))
    }

    fn flag(self, name: &str, values: impl ExactSizeIterator<Item = bool>) -> Self {
        let mut builder = BooleanBuilder::with_capacity(values.len());
        values.for_each(|value| builder.append_value(value));
        self.add(name, Arc::new(builder.finish()))
    }

    fn batch(self) -> RecordBatch {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.columns).expect("columns of the same rows")
    }
}

impl Output {
    /// The rows of [`Self::digests`].
    #[must_use]
    pub fn digest_batch(&self) -> RecordBatch {
        let rows = || self.digests.iter();
        Frame::new()
            .word("account", rows().map(|row| Some(&*row.account)))
            .word("region", rows().map(|row| Some(&*row.region)))
            .word("trail", rows().map(|row| Some(&*row.trail)))
            .word("home_region", rows().map(|row| Some(&*row.home_region)))
            .flag("backfill", rows().map(|row| row.backfill))
            .time("start", rows().map(|row| row.start))
            .time("end", rows().map(|row| Some(row.end)))
            .word("status", rows().map(|row| Some(row.status.name())))
            .word("reason", rows().map(|row| row.reason.map(super::Reason::name)))
            .word("signature", rows().map(|row| Some(row.signature.name())))
            .word("fingerprint", rows().map(|row| row.fingerprint.as_deref()))
            .number("logs", rows().map(|row| row.logs))
            .text("file", rows().map(|row| Some(&*row.file)))
            .word("bucket", rows().map(|row: &DigestRow| row.bucket.as_deref()))
            .text("key", rows().map(|row| row.key.as_deref()))
            .batch()
    }

    /// The rows of [`Self::missing`].
    #[must_use]
    pub fn missing_batch(&self) -> RecordBatch {
        let rows = || self.missing.iter();
        Frame::new()
            .word("account", rows().map(|row: &MissingRow| Some(&*row.account)))
            .word("region", rows().map(|row| Some(&*row.region)))
            .word("trail", rows().map(|row| Some(&*row.trail)))
            .word("home_region", rows().map(|row| Some(&*row.home_region)))
            .flag("backfill", rows().map(|row| row.backfill))
            .time("start", rows().map(|row| Some(row.start)))
            .time("end", rows().map(|row| Some(row.end)))
            .number("digests", rows().map(|row| Some(row.digests)))
            .word("why", rows().map(|row| Some(row.why.as_str()).filter(|why| !why.is_empty())))
            .text("file", rows().map(|row| row.file.as_deref()))
            .word("bucket", rows().map(|row| row.bucket.as_deref()))
            .text("key", rows().map(|row| row.key.as_deref()))
            .batch()
    }

    /// The rows of [`Self::ranges`].
    #[must_use]
    pub fn range_batch(&self) -> RecordBatch {
        let rows = || self.ranges.iter();
        Frame::new()
            .word("account", rows().map(|row: &Range| Some(&*row.account)))
            .word("region", rows().map(|row| Some(&*row.region)))
            .word("trail", rows().map(|row| Some(&*row.trail)))
            .word("home_region", rows().map(|row| Some(&*row.home_region)))
            .word("range", rows().map(|row| Some(row.what.name())))
            .time("start", rows().map(|row| row.start))
            .time("end", rows().map(|row| row.end))
            .word("reason", rows().map(|row| row.reason.map(super::Reason::name)))
            .batch()
    }

    /// The rows of [`Self::keys`].
    #[must_use]
    pub fn key_batch(&self) -> RecordBatch {
        let rows = || self.keys.iter();
        Frame::new()
            .word("region", rows().map(|row: &UsedKey| Some(&*row.region)))
            .text("fingerprint", rows().map(|row| Some(row.fingerprint.as_str())))
            .number("digests", rows().map(|row| Some(row.digests)))
            .batch()
    }

    /// The rows of [`Self::logs`].
    #[must_use]
    pub fn log_batch(&self) -> RecordBatch {
        let rows = || self.logs.iter();
        Frame::new()
            .word("account", rows().map(|row: &LogRow| Some(&*row.account)))
            .word("region", rows().map(|row| Some(&*row.region)))
            .word("status", rows().map(|row| Some(row.status.name())))
            .word("reason", rows().map(|row| row.reason.map(super::Reason::name)))
            .number("bytes", rows().map(|row| row.content.map(|content| content.inflated)))
            .text("file", rows().map(|row| Some(row.file.as_str())))
            .word("bucket", rows().map(|row| Some(row.bucket.as_str())))
            .text("key", rows().map(|row| Some(row.key.as_str())))
            .word("digest", rows().map(|row| Some(&*row.digest)))
            .batch()
    }

    /// The rows of [`Self::unlisted`].
    #[must_use]
    pub fn unlisted_batch(&self) -> RecordBatch {
        let rows = || self.unlisted.iter();
        Frame::new()
            .word("severity", rows().map(|row: &UnlistedRow| Some(row.severity.name())))
            .word("account", rows().map(|row| row.account.as_deref()))
            .word("region", rows().map(|row| row.region.as_deref()))
            .word("kind", rows().map(|row| row.kind.as_deref()))
            .time("time", rows().map(|row| row.time))
            .text("missing_digest", rows().map(|row| row.missing.as_deref()))
            .text("file", rows().map(|row| Some(row.file.as_str())))
            .batch()
    }

    /// The rows of [`Self::findings`].
    #[must_use]
    pub fn finding_batch(&self) -> RecordBatch {
        let rows = || self.findings.iter();
        Frame::new()
            .word("severity", rows().map(|row: &Finding| Some(row.severity.name())))
            .word("reason", rows().map(|row| Some(row.reason.name())))
            .text("message", rows().map(|row| Some(row.message.as_str())))
            .word("account", rows().map(|row| row.account.as_deref()))
            .word("region", rows().map(|row| row.region.as_deref()))
            .word("trail", rows().map(|row| row.trail.as_deref()))
            .time("time", rows().map(|row| row.time))
            .text("file", rows().map(|row| row.file.as_deref()))
            .batch()
    }

    /// The rows of [`Self::spans`]; consecutive empty hours are one row.
    #[must_use]
    pub fn span_batch(&self) -> RecordBatch {
        let mut spans: Vec<Span> = Vec::new();
        for span in &self.spans {
            match spans.last_mut() {
                Some(last) if last.is_continued_by(span) => {
                    last.end = span.end;
                    last.digests += 1;
                }
                _ => spans.push(span.clone()),
            }
        }
        let rows = || spans.iter();
        Frame::new()
            .word("account", rows().map(|row| Some(&*row.account)))
            .word("region", rows().map(|row| Some(&*row.region)))
            .word("trail", rows().map(|row| Some(&*row.trail)))
            .time("start", rows().map(|row| Some(row.start)))
            .time("end", rows().map(|row| Some(row.end)))
            .word("state", rows().map(|row| Some(row.state.name())))
            .number("digests", rows().map(|row| Some(row.digests)))
            .number("logs", rows().map(|row| Some(row.logs)))
            .number("bad_logs", rows().map(|row| Some(row.bad_logs)))
            .batch()
    }
}

impl Span {
    fn is_continued_by(&self, next: &Self) -> bool {
        let place = |span: &Self| (span.account.clone(), span.region.clone(), span.trail.clone());
        let empty = |span: &Self| span.state == super::State::Empty;
        empty(self) && empty(next) && self.end == next.start && place(self) == place(next)
    }
}
