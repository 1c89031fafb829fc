//! The state that the workers of a scan share.

use std::sync::{Arc, Mutex};

use arrow_schema::{DataType, SchemaRef};

use super::files::Files;
use super::live::Live;
use super::order::Order;
use super::plan::{Plan, Run};
use crate::digest::Hashes;
use crate::filter::{Predicate, Rules, Search};
use crate::inflate::Limits;
use crate::ledger::Ledger;

/// The state that all workers share.
pub(super) struct Shared {
    pub(super) files: Mutex<Files>,
    pub(super) order: Order,
    pub(super) schema: SchemaRef,
    pub(super) text: Option<Vec<DataType>>,
    pub(super) search: Option<Search>,
    pub(super) filter: Option<Arc<Rules>>,
    pub(super) rules: Option<Arc<Rules>>,
    pub(super) fail: bool,
    pub(super) limits: Limits,
    pub(super) hashes: Option<Arc<Hashes>>,
    pub(super) books: Books,
    /// Whether keys of the rows are wanted.
    pub(super) keyed: bool,
}

/// What is recorded about each file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Books {
    None,
    /// A row of the ledger.
    Rows,
    /// A row with the hash of the file's bytes as stored.
    Hashes,
}

impl Books {
    fn of(ledgers: &[Arc<Ledger>]) -> Self {
        match ledgers.iter().any(|ledger| ledger.wants_hashes()) {
            true => Self::Hashes,
            false if ledgers.is_empty() => Self::None,
            false => Self::Rows,
        }
    }
}

impl Shared {
    pub(super) fn new(files: Files, threads: usize, plan: &Plan, live: &Live) -> Self {
        let Run { limits, fail, .. } = plan.run;
        let predicate = plan.predicate();
        let rules = plan.query.rules.as_ref().map(|rules| {
            rules.iter().map(|(name, rule)| (name.clone(), rule.filter.record.clone())).collect::<Vec<_>>()
        });
        Self {
            files: Mutex::new(files),
            order: Order::new(threads),
            schema: Arc::clone(plan.query.schema()),
            text: plan.query.text.clone(),
            search: search(predicate.as_ref(), rules.as_deref()),
            filter: predicate.map(|predicate| Arc::new(Rules::one(predicate))),
            rules: rules.map(|rules| Arc::new(Rules::new(rules))),
            fail,
            limits,
            hashes: live.hashes.clone(),
            books: Books::of(&live.ledgers),
            keyed: live.dedupe.is_some() || live.keys.is_some(),
        }
    }

    /// Whether no record of the text can become a row.
    pub(super) fn is_ruled_out(&self, text: &[u8]) -> bool {
        self.search.as_ref().is_some_and(|search| search.rules_out(text))
    }
}

/// What a file must contain for any record to become a row.
fn search(predicate: Option<&Predicate>, rules: Option<&[(String, Predicate)]>) -> Option<Search> {
    let any = rules.map(|rules| Predicate::Any(rules.iter().map(|(_, rule)| rule.clone()).collect()));
    Search::new(&Predicate::All(predicate.cloned().into_iter().chain(any).collect()))
}
