//! Filters on single records, given as bytes.

use std::sync::Arc;

use super::Predicate;
use super::rules::{Matcher, Rules, Unmet};
use crate::error::{Error, ErrorKind};
use crate::event::definition::{self, Signs};
use crate::event::{Framing, Origin, Record, Visitor, Walked, Wanted, pass_space};
use crate::json::{Cursor, Index, MAX_WINDOW, PADDING, Value};
use crate::source::Skip;

/// A filter, from any language.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What a record must meet.
    pub record: Predicate,
    /// What a document other than a record must meet, if that differs: an event pattern applies to the event that
    /// EventBridge makes of a record, but also to other documents.
    pub document: Option<Predicate>,
    /// What a string other than a JSON object must meet, if the language allows any text: filter patterns are written
    /// for log lines.
    pub text: Option<Predicate>,
}

/// A filter prepared for single records, with buffers that are reused.
pub struct Single {
    record_matcher: Matcher,
    document_matcher: Option<Matcher>,
    text_matcher: Option<Matcher>,
    wanted: Wanted,
    record: Record,
    index: Index,
    padded: Vec<u8>,
}

impl Filter {
    /// A filter on records only.
    #[must_use]
    pub fn on_records(record: Predicate) -> Self {
        Self { record, document: None, text: None }
    }

    /// Met if all are met.
    #[must_use]
    pub fn all(filters: &[Self]) -> Self {
        Self::combined(filters, Predicate::All)
    }

    /// Met if any is met.
    #[must_use]
    pub fn any(filters: &[Self]) -> Self {
        Self::combined(filters, Predicate::any)
    }

    /// Met if this is not met.
    #[must_use]
    pub fn negated(&self) -> Self {
        let negated = |predicate: &Predicate| Predicate::Not(Box::new(predicate.clone()));
        Self {
            record: negated(&self.record),
            document: self.document.as_ref().map(negated),
            text: self.text.as_ref().map(negated),
        }
    }

    fn combined(filters: &[Self], combine: impl Fn(Vec<Predicate>) -> Predicate) -> Self {
        let on_documents = |filter: &Self| filter.document.clone().unwrap_or_else(|| filter.record.clone());
        let any = filters.iter().any(|filter| filter.document.is_some());
        Self {
            record: combine(filters.iter().map(|filter| filter.record.clone()).collect()),
            document: any.then(|| combine(filters.iter().map(on_documents).collect())),
            text: filters.iter().map(|filter| filter.text.clone()).collect::<Option<_>>().map(combine),
        }
    }
}

impl Single {
    /// Compiles the filter.
    #[must_use]
    pub fn new(filter: &Filter) -> Self {
        let matcher = |predicate| Matcher::new(Arc::new(Rules::one(predicate)));
        let rules = Arc::new(Rules::one(filter.record.clone()));
        let wanted = rules.wanted().and(definition::wanted());
        Self {
            record_matcher: Matcher::new(rules),
            document_matcher: filter.document.clone().map(matcher),
            text_matcher: filter.text.clone().map(matcher),
            wanted,
            record: Record::new(),
            index: Index::default(),
            padded: Vec::new(),
        }
    }

    /// Whether a record in the text meets the filter, with records found as in a scan. If there is no record, the
    /// document or the line is tested.
    pub fn matches(&mut self, text: &[u8]) -> Result<bool, Error> {
        let judge = |subject: Subject<'_>, whole, cursor: &Cursor<'_>| match subject {
            Subject::Record(matcher, record, envelope) => matcher.matches(record, envelope, whole, cursor),
            Subject::Document(matcher) => matcher.document_matches(whole, cursor),
            Subject::Other => false,
        };
        self.judged(text, judge, |met| *met)
    }

    /// The conditions that the first record fails; none if the filter is met.
    pub fn explain(&mut self, text: &[u8]) -> Result<Vec<Unmet>, Error> {
        let judge = |subject: Subject<'_>, whole, cursor: &Cursor<'_>| match subject {
            Subject::Record(matcher, record, envelope) => matcher.explain(Some(record), envelope, whole, cursor),
            Subject::Document(matcher) => matcher.explain(None, None, whole, cursor),
            Subject::Other => vec![Unmet { condition: "an event of CloudTrail".to_owned(), found: Vec::new() }],
        };
        self.judged(text, judge, Vec::is_empty)
    }

    /// The result of `judge` for the first record that meets the filter, else for the first record, else for the text
    /// itself.
    fn judged<T>(
        &mut self,
        text: &[u8],
        mut judge: impl FnMut(Subject<'_>, Value, &Cursor<'_>) -> T,
        is_met: impl Fn(&T) -> bool,
    ) -> Result<T, Error> {
        if text.len() > MAX_WINDOW {
            return Err(Error::at(MAX_WINDOW, ErrorKind::DocumentTooLarge(MAX_WINDOW as u64)));
        }
        self.padded.clear();
        self.padded.extend_from_slice(text);
        self.padded.resize(text.len() + PADDING, 0);
        self.index.build(text);
        let (valid, _) = self.index.valid_up_to(text);
        if valid < text.len() {
            return Err(Error::at(valid, ErrorKind::InvalidUtf8));
        }
        let mut found = Judged {
            matcher: &mut self.record_matcher,
            record: &mut self.record,
            wanted: self.wanted,
            envelope: None,
            judge: &mut judge,
            is_met,
            said: None,
            refused: None,
        };
        found.walk(&self.padded, text.len(), &mut self.index);
        let Judged { said, refused, .. } = found;
        match (said, refused) {
            (Some(said), None) => Ok(said),
            (said, refused) => self.judged_whole(text.len(), said, refused, judge),
        }
    }

    /// The result for text without records, or with something that a scan would refuse. A bad record inside of one
    /// object is ignored. For languages written for log lines, any other text is a line.
    fn judged_whole<T>(
        &mut self,
        length: usize,
        said: Option<T>,
        refused: Option<Error>,
        judge: impl FnOnce(Subject<'_>, Value, &Cursor<'_>) -> T,
    ) -> Result<T, Error> {
        self.index.build(&self.padded[..length]);
        let mut cursor = Cursor::new(&self.padded, length, self.index.tokens());
        pass_space(&mut cursor, true)?;
        let whole = one_object(&mut cursor, &mut self.record, self.wanted);
        let (whole, subject) = match (whole, said) {
            (Ok(_), Some(said)) => return Ok(said),
            (Err(_), Some(said)) if self.text_matcher.is_some() => return Ok(said),
            (Ok(whole), None) => match (&self.text_matcher, &mut self.document_matcher) {
                (Some(_), None) => (whole, Subject::Record(&mut self.record_matcher, &self.record, None)),
                (_, Some(matcher)) if !Signs::of(&cursor, whole)?.is_event() => (whole, Subject::Document(matcher)),
                _ => (whole, Subject::Other),
            },
            (Err(error), _) => match &mut self.text_matcher {
                Some(matcher) => (Value { start: 0, end: length as u32, token: 0 }, Subject::Document(matcher)),
                None => return Err(refused.unwrap_or(error)),
            },
        };
        Ok(judge(subject, whole, &cursor))
    }
}

/// The kind of the text, and what is compared with it.
enum Subject<'a> {
    /// A record, and the event on a bus that it came in.
    Record(&'a mut Matcher, &'a Record, Option<Value>),
    /// A document of another kind, or a string.
    Document(&'a mut Matcher),
    /// Any other document, or an event that EventBridge made of something else.
    Other,
}

/// Evaluates the records of a text, found as in a scan.
struct Judged<'a, T, J, M> {
    matcher: &'a mut Matcher,
    record: &'a mut Record,
    wanted: Wanted,
    envelope: Option<Value>,
    judge: J,
    is_met: M,
    /// The result for the first record that meets the filter, else for the first one.
    said: Option<T>,
    /// The first error that makes a scan refuse the text.
    refused: Option<Error>,
}

impl<T, J, M> Judged<'_, T, J, M>
where
    J: FnMut(Subject<'_>, Value, &Cursor<'_>) -> T,
    M: Fn(&T) -> bool,
{
    /// Walks the text at the front of `padded`, whose tokens are in `index`.
    fn walk(&mut self, padded: &[u8], length: usize, index: &mut Index) {
        let mut framing = Framing::of_whole_text();
        let mut start = 0;
        loop {
            let walked = framing.run(&mut Cursor::new(&padded[start..], length - start, index.tokens()), self, true);
            start += framing.passed();
            match walked {
                Ok(Walked::Torn) => index.build(&padded[start..length]),
                Ok(Walked::Whole | Walked::Paused) => return,
                Err(error) => {
                    self.refused.get_or_insert(error);
                    return;
                }
            }
        }
    }
}

impl<T, J, M> Visitor for Judged<'_, T, J, M>
where
    J: FnMut(Subject<'_>, Value, &Cursor<'_>) -> T,
    M: Fn(&T) -> bool,
{
    fn envelope(&mut self, event: Value) {
        self.envelope = Some(event);
    }

    fn record(&mut self, cursor: &mut Cursor<'_>, _: Origin, _: u64) -> Result<bool, Error> {
        let whole = self.record.read(cursor, self.wanted)?;
        let envelope = self.envelope.take();
        if !definition::is_record(self.record, whole, cursor, definition::telling_column()) {
            return Ok(false);
        }
        if !self.said.as_ref().is_some_and(&self.is_met) {
            let said = (self.judge)(Subject::Record(self.matcher, self.record, envelope), whole, cursor);
            if self.said.is_none() || (self.is_met)(&said) {
                self.said = Some(said);
            }
        }
        Ok(true)
    }

    fn bad_record(&mut self, error: Error) {
        self.refused.get_or_insert(error);
    }

    fn skip(&mut self, _: Skip, _: usize, _: u64) {}
}

/// Reads a text that is one object.
fn one_object(cursor: &mut Cursor<'_>, record: &mut Record, wanted: Wanted) -> Result<Value, Error> {
    if cursor.byte() != b'{' {
        return Err(cursor.unexpected("an object"));
    }
    let whole = record.read(cursor, wanted)?;
    cursor.skip_space();
    if cursor.at < cursor.end() { Err(cursor.unexpected("the end")) } else { Ok(whole) }
}
