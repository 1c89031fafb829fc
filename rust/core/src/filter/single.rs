//! Filters on single records, given as bytes.

use std::sync::Arc;

use super::Predicate;
use super::rules::{Matcher, Rules, Unmet};
use crate::error::{Error, ErrorKind};
use crate::event::definition::{self, Signs, What};
use crate::event::{Record, Wanted};
use crate::json::{Cursor, Index, MAX_WINDOW, PADDING, Value};

/// A filter, whatever language it was written in.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What a record must meet.
    pub record: Predicate,
    /// What a document that is no record must meet, where that is something else: an event pattern can speak of the event that
    /// `EventBridge` makes of a record, and of anything.
    pub document: Option<Predicate>,
    /// What a text that is no JSON object must meet, where any text may be asked: filter patterns are written for lines of logs.
    pub text: Option<Predicate>,
}

/// A filter made ready for single records, with memory that it keeps.
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

    /// Met where all are.
    #[must_use]
    pub fn all(filters: &[Self]) -> Self {
        Self::combined(filters, Predicate::All)
    }

    /// Met where one is.
    #[must_use]
    pub fn any(filters: &[Self]) -> Self {
        Self::combined(filters, Predicate::Any)
    }

    /// Met where this is not.
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
        let wanted = rules.wanted();
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

    /// Whether a record, or another document, meets the filter. It must be one JSON object, unless the filter is on any text.
    pub fn matches(&mut self, text: &[u8]) -> Result<bool, Error> {
        self.with(text, |subject, whole, cursor| match subject {
            Subject::Record(matcher, record, envelope) => matcher.matches(record, envelope, whole, cursor),
            Subject::Document(matcher) => matcher.document_matches(whole, cursor),
            Subject::OtherEvent | Subject::Other => false,
        })
    }

    /// The conditions that a record does not meet; none when it meets the filter.
    pub fn explain(&mut self, text: &[u8]) -> Result<Vec<Unmet>, Error> {
        self.with(text, |subject, whole, cursor| match subject {
            Subject::Record(matcher, record, envelope) => matcher.explain(Some(record), envelope, whole, cursor),
            Subject::Document(matcher) => matcher.explain(None, None, whole, cursor),
            Subject::OtherEvent | Subject::Other => {
                vec![Unmet { condition: "an event of CloudTrail".to_owned(), found: Vec::new() }]
            }
        })
    }

    /// Reads the text and hands it on as what it is.
    fn with<T>(&mut self, text: &[u8], run: impl FnOnce(Subject<'_>, Value, &Cursor<'_>) -> T) -> Result<T, Error> {
        if text.len() > MAX_WINDOW {
            return Err(Error::at(MAX_WINDOW, ErrorKind::DocumentTooLarge(MAX_WINDOW as u64)));
        }
        self.padded.clear();
        self.padded.extend_from_slice(text);
        self.padded.resize(text.len() + PADDING, 0);
        self.index.build(text);
        let mut cursor = Cursor::new(&self.padded, text.len(), self.index.tokens());
        let read = one_object(&mut cursor, &mut self.record, self.wanted);
        let utf8 = match self.index.valid_up_to(text) {
            (valid, _) if valid < text.len() => Err(Error::at(valid, ErrorKind::InvalidUtf8)),
            _ => Ok(()),
        };
        let whole = match (read, &mut self.text_matcher) {
            (Ok(whole), _) => whole,
            (Err(_), Some(matcher)) => {
                let whole = Value { start: 0, end: text.len() as u32, token: 0 };
                return utf8.map(|()| run(Subject::Document(matcher), whole, &cursor));
            }
            (Err(error), None) => return Err(error),
        };
        utf8?;
        let signs = Signs::of(&cursor, whole)?;
        let subject = match signs.what(&cursor) {
            What::Record => Subject::Record(&mut self.record_matcher, &self.record, None),
            What::Event(detail) => {
                self.record.read(&mut cursor.back_to(detail), self.wanted)?;
                if definition::is_record_at(&cursor, detail) {
                    return Ok(run(Subject::Record(&mut self.record_matcher, &self.record, Some(whole)), detail, &cursor));
                }
                self.record.read(&mut cursor.back_to(whole), self.wanted)?;
                Subject::OtherEvent
            }
            _ if signs.is_event() => Subject::OtherEvent,
            _ => Subject::Other,
        };
        // As a line of a log it may be asked about all the same, whatever it is.
        let subject = match (subject, &mut self.text_matcher, self.document_matcher.as_mut()) {
            (Subject::OtherEvent | Subject::Other, Some(_), None) => {
                Subject::Record(&mut self.record_matcher, &self.record, None)
            }
            (Subject::Other, _, Some(matcher)) => Subject::Document(matcher),
            (subject, ..) => subject,
        };
        Ok(run(subject, whole, &cursor))
    }
}

/// What a text is, and what compares it.
enum Subject<'a> {
    /// A record, and the event on a bus that it came in.
    Record(&'a mut Matcher, &'a Record, Option<Value>),
    /// A document of another kind, or a text.
    Document(&'a mut Matcher),
    /// An event that `EventBridge` made of something else.
    OtherEvent,
    /// Another document that is no record.
    Other,
}

/// Reads a text that is one object.
fn one_object(cursor: &mut Cursor<'_>, record: &mut Record, wanted: Wanted) -> Result<Value, Error> {
    cursor.skip_space();
    if cursor.byte() != b'{' {
        return Err(cursor.unexpected("an object"));
    }
    let whole = record.read(cursor, wanted)?;
    cursor.skip_space();
    if cursor.at < cursor.end() { Err(cursor.unexpected("the end")) } else { Ok(whole) }
}
