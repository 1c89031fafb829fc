//! An index of rules: which of them a record can meet, judging by its values at paths that need no walk.
//!
//! A set of rules has one bit for each. For each path there is a set for each value: the rules that require nothing
//! there, and those whose requirement the value satisfies. What a record can meet is in the sets of all of its values.

use std::collections::{BTreeMap, HashMap};

use super::memory::{Memory, Sets};
use super::requirement::Requirement;
use crate::filter::address::{Address, Block};
use crate::filter::locate::{Found, OUTSIDE, PathId, Paths, Scratch, Subject};
use crate::filter::value::{Scalar, TextTest, ValueTest};

/// Rules by what they require at some paths.
pub(super) struct Index {
    every: Box<[u64]>,
    columns: Vec<Column>,
}

/// The requirements at one path.
struct Column {
    path: PathId,
    /// The rules without a requirement here.
    indifferent: Box<[u64]>,
    /// These, and the rules that accept that there is no value.
    absent: Box<[u64]>,
    /// The rules that a string satisfies by being equal to this one.
    texts: ByText,
    /// The same for numbers, as they are written.
    numbers: ByText,
    /// All other tests, in the order of their rules.
    tests: Vec<(u32, Test)>,
    /// The rules without such a test.
    settled: Box<[u64]>,
}

type ByText = HashMap<Box<[u8]>, Vec<u32>>;

/// A test that is more than a comparison.
enum Test {
    Block(Block),
    Other(ValueTest),
}

/// The rules that a record can meet. Reused for each record.
pub(super) struct Candidates {
    /// How many groups of rules share the room for what is known about values.
    groups: usize,
    rules: Vec<u64>,
    /// The sets of several values at one path.
    together: Vec<u64>,
    /// For each path of the index.
    memories: Vec<Memory>,
    /// Whether one of the values is in an element of an array: other conditions may depend on which.
    pub(super) in_arrays: bool,
}

impl Index {
    /// Files each rule under all of its requirements.
    pub(super) fn new(rules: Vec<Vec<Requirement>>) -> Self {
        let every = (0..rules.len()).fold(empty(rules.len()), with);
        let mut columns: BTreeMap<PathId, Column> = BTreeMap::new();
        for (rule, requirements) in rules.into_iter().enumerate() {
            for requirement in requirements {
                let path = requirement.path;
                columns.entry(path).or_insert_with(|| Column::new(path, &every)).file(rule, requirement);
            }
        }
        let mut columns: Vec<_> = columns.into_values().collect();
        // What is compared with constants comes first, and then what concerns the most rules: it usually decides.
        columns.sort_by_key(|column| (!column.tests.is_empty(), count(&column.indifferent)));
        Self { every, columns }
    }

    /// Finds the rules whose requirements the record satisfies.
    pub(super) fn find(&self, paths: &Paths, subject: Subject<'_, '_>, scratch: &mut Scratch, found: &mut Candidates) {
        let Candidates { groups, rules, together, memories, in_arrays } = found;
        memories.resize_with(self.columns.len(), || Memory::new(self.every.len(), *groups));
        rules.clear();
        rules.extend_from_slice(&self.every);
        *in_arrays = false;
        for (column, memory) in self.columns.iter().zip(memories) {
            if is_within(rules, &column.indifferent) {
                continue;
            }
            match paths.values(column.path, subject, scratch) {
                [] => keep(rules, &column.absent),
                [Found { value, element: OUTSIDE }] => {
                    let sets = memory.of(value, subject.cursor);
                    let satisfied = column.satisfied(sets, rules, || value.scalar(subject.cursor));
                    keep(rules, satisfied);
                }
                values => {
                    together.clear();
                    together.resize(rules.len(), 0);
                    for Found { value, element } in values {
                        let sets = memory.of(value, subject.cursor);
                        add(together, column.satisfied(sets, rules, || value.scalar(subject.cursor)));
                        if *element != OUTSIDE {
                            // Another element may have none.
                            *in_arrays = true;
                            add(together, &column.absent);
                        }
                    }
                    keep(rules, together);
                }
            }
            if rules.iter().all(|&word| word == 0) {
                return;
            }
        }
    }
}

impl Column {
    fn new(path: PathId, every: &[u64]) -> Self {
        Self {
            path,
            indifferent: every.into(),
            absent: every.into(),
            texts: HashMap::new(),
            numbers: HashMap::new(),
            tests: Vec::new(),
            settled: every.into(),
        }
    }

    fn file(&mut self, rule: usize, Requirement { test, or_absent, .. }: Requirement) {
        remove(&mut self.indifferent, rule);
        if !or_absent {
            remove(&mut self.absent, rule);
        }
        if let Some(test) = test {
            self.file_test(rule, test);
        }
    }

    fn file_test(&mut self, rule: usize, test: ValueTest) {
        let test = match test {
            ValueTest::Any(tests) => return tests.into_iter().for_each(|test| self.file_test(rule, test)),
            ValueTest::Text(TextTest::In(texts)) => return file_texts(&mut self.texts, rule, texts.iter()),
            ValueTest::Written(TextTest::In(texts)) => {
                file_texts(&mut self.texts, rule, texts.iter());
                return file_texts(&mut self.numbers, rule, texts.iter());
            }
            ValueTest::Text(TextTest::Addresses(block)) => Test::Block(block),
            test => Test::Other(test),
        };
        self.tests.push((rule as u32, test));
        remove(&mut self.settled, rule);
    }

    /// The rules that a value satisfies, complete for those that are asked for.
    #[inline]
    fn satisfied<'k, 'v>(&self, sets: Sets<'k>, asked: &[u64], value: impl FnOnce() -> Scalar<'v>) -> &'k [u64] {
        let Sets { is_new, satisfied, known } = sets;
        if is_new || !is_within(asked, known) {
            self.ask(is_new, asked, &value(), satisfied, known);
        }
        satisfied
    }

    fn ask(&self, is_new: bool, asked: &[u64], value: &Scalar<'_>, satisfied: &mut [u64], known: &mut [u64]) {
        if is_new {
            satisfied.copy_from_slice(&self.indifferent);
            known.copy_from_slice(&self.settled);
            let equal = match value {
                Scalar::Text(text) => self.texts.get(&**text),
                Scalar::Number(written) => self.numbers.get(*written),
                _ => None,
            };
            for &rule in equal.into_iter().flatten() {
                insert(satisfied, rule as usize);
            }
        }
        let mut address = None;
        for at in 0..asked.len() {
            let mut open = asked[at] & !known[at];
            known[at] |= open;
            while open != 0 {
                let rule = at * 64 + open.trailing_zeros() as usize;
                open &= open - 1;
                let first = self.tests.partition_point(|(owner, _)| (*owner as usize) < rule);
                let mut own = self.tests[first..].iter().take_while(|(owner, _)| *owner as usize == rule);
                let passes = own.any(|(_, test)| match (test, value) {
                    (Test::Block(block), Scalar::Text(text)) => address
                        .get_or_insert_with(|| Address::parse(text))
                        .is_some_and(|address| block.contains(&address)),
                    (Test::Block(_), _) => false,
                    (Test::Other(test), value) => test.passes(value),
                });
                if passes {
                    insert(satisfied, rule);
                }
            }
        }
    }
}

impl Candidates {
    /// Those of one of this many groups.
    pub(super) fn new(groups: usize) -> Self {
        Self { groups, rules: Vec::new(), together: Vec::new(), memories: Vec::new(), in_arrays: false }
    }

    /// The first of them from this rule on.
    pub(super) fn from(&self, rule: usize) -> Option<usize> {
        let mut at = rule / 64;
        let mut word = self.rules.get(at)? & (u64::MAX << (rule % 64));
        while word == 0 {
            at += 1;
            word = *self.rules.get(at)?;
        }
        Some(at * 64 + word.trailing_zeros() as usize)
    }
}

fn file_texts<'a>(by_text: &mut ByText, rule: usize, texts: impl Iterator<Item = &'a [u8]>) {
    for text in texts {
        by_text.entry(text.into()).or_default().push(rule as u32);
    }
}

/// A set without rules, with room for this many.
fn empty(rules: usize) -> Box<[u64]> {
    vec![0; rules.div_ceil(64)].into()
}

fn with(mut set: Box<[u64]>, rule: usize) -> Box<[u64]> {
    insert(&mut set, rule);
    set
}

fn insert(set: &mut [u64], rule: usize) {
    set[rule / 64] |= 1 << (rule % 64);
}

fn remove(set: &mut [u64], rule: usize) {
    set[rule / 64] &= !(1 << (rule % 64));
}

fn count(set: &[u64]) -> u32 {
    set.iter().map(|word| word.count_ones()).sum()
}

/// Whether a set has no rule that the other lacks.
#[inline]
fn is_within(set: &[u64], other: &[u64]) -> bool {
    set.iter().zip(other).all(|(word, other)| word & !other == 0)
}

#[inline]
fn keep(set: &mut [u64], other: &[u64]) {
    set.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
}

#[inline]
fn add(set: &mut [u64], other: &[u64]) {
    set.iter_mut().zip(other).for_each(|(word, other)| *word |= other);
}
